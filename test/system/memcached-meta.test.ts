/**
 * The meta commands: the same bytes as memcached itself sends, quiet or not, and the order that mn
 * promises.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MemcachedPool } from "../support/memcached-pool.ts";
import { ask, askAll, readReply } from "../support/memcached-replies.ts";
import { MemcachedRequestGenerator, withoutClock } from "../support/memcached-request-generator.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import type { RawClient } from "../support/raw-client.ts";
import { withSeed } from "../support/seeded-random.ts";

/**
 * The LRU of today moves items in a thread of its own, and whether an item is changed in place or
 * made anew hangs on its pace. With the LRU of old two servers tell the same of their items.
 */
const STEADY = { args: ["-o", "no_modern"] };

describe("side by side with memcached", () => {
  let direct: MemcachedServer;
  let pool: MemcachedPool;

  beforeAll(async () => {
    direct = await MemcachedServer.start(STEADY);
    pool = await MemcachedPool.start({ server: STEADY });
  });

  afterAll(async () => {
    await direct?.[Symbol.asyncDispose]();
    await pool?.[Symbol.asyncDispose]();
  });

  test("12,000 requests, one after the other", async () => {
    await withSeed(async (random) => {
      const generator = new MemcachedRequestGenerator({ random, namespace: "a", mistakes: 0.03 });
      const [one, other] = [await direct.connect(), await pool.connect()];
      for (let count = 0; count < 12_000; count++) {
        const request = Buffer.from(generator.meta(), "latin1");
        const [expected, got] = await Promise.all([askAll(one, request), askAll(other, request)]);
        expect({ request: request.toString("latin1"), replies: got.map(withoutClock) }).toEqual({
          request: request.toString("latin1"),
          replies: expected.map(withoutClock),
        });
      }
      one.close();
      other.close();
    });
  }, 60_000);

  test("12,000 requests, fifty at a time and cut anywhere", async () => {
    await withSeed(async (random) => {
      const options = { random, namespace: "b", mistakes: 0.03, isPipelined: true };
      const generator = new MemcachedRequestGenerator(options);
      const [one, other] = [await direct.connect(), await pool.connect()];
      for (let round = 0; round < 240; round++) {
        const requests = Array.from({ length: 50 }, () => generator.meta());
        const bytes = Buffer.from(requests.join(""), "latin1");
        const pieces = random.cut(bytes, 5);
        for (const piece of pieces.slice(0, -1)) await other.send(piece);
        const [expected, got] = await Promise.all([
          askAll(one, bytes),
          askAll(other, pieces.at(-1) ?? ""),
        ]);
        expect({ requests, replies: got.map(withoutClock) }).toEqual({
          requests,
          replies: expected.map(withoutClock),
        });
      }
      one.close();
      other.close();
    });
  }, 60_000);
});

describe("over three servers", () => {
  let pool: MemcachedPool;
  let client: RawClient;

  beforeAll(async () => {
    pool = await MemcachedPool.start({ servers: 3 });
    client = await pool.connect();
  });

  afterAll(async () => {
    client?.close();
    await pool?.[Symbol.asyncDispose]();
  });

  test("MN comes after all replies before it, on whichever servers", async () => {
    const keys = (await Promise.all([0, 1, 2].map((server) => pool.keysOf(server, 20)))).flat();
    await withSeed(async (random) => {
      for (let round = 0; round < 20; round++) {
        const stored = random.shuffle(keys);
        void client.send(
          stored.map((key) => `ms ${key} ${key.length} q\r\n${key}\r\n`).join("") +
            stored.map((key) => `mg ${key} v q O${key}\r\nmg no${key} v q\r\n`).join("") +
            "mn\r\n",
        );
        for (const key of stored) {
          expect(await readReply(client)).toBe(`VA ${key.length} O${key}\r\n${key}\r\n`);
        }
        expect(await readReply(client)).toBe("MN\r\n");
        void client.send(`${stored.map((key) => `md ${key} q\r\n`).join("")}mn\r\n`);
        expect(await readReply(client)).toBe("MN\r\n");
        expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe("END\r\n");
      }
    });
  });

  test("a key in base64 is on the server where it is under its own name", async () => {
    for (let i = 0; i < 100; i++) {
      const key = `base64:${i}`;
      const encoded = Buffer.from(key).toString("base64");
      expect(await ask(client, `ms ${encoded} 2 b k\r\n42\r\n`)).toBe(`HD k${encoded} b\r\n`);
      expect(await ask(client, `mg ${key} v\r\n`)).toBe("VA 2\r\n42\r\n");
      expect(await ask(client, `mg ${encoded} v k b\r\n`)).toBe(`VA 2 k${encoded} b\r\n42\r\n`);
      expect(await ask(client, `get ${key}\r\n`)).toBe(`VALUE ${key} 0 2\r\n42\r\nEND\r\n`);
      expect(await ask(client, `ma ${encoded} v b\r\n`)).toBe("VA 2\r\n43\r\n");
      // memcached may have made the item anew, and then tells its key as it is.
      const [, name] = /^ME (\S+) exp=-1 /.exec(await ask(client, `me ${encoded} b\r\n`)) ?? [];
      expect([encoded, key]).toContain(name ?? "");
      // Quiet, and made if missing: the reply is hidden only where the key was there.
      expect(await askAll(client, `ma ${encoded} b N0 q\r\n`)).toEqual([]);
      expect(await ask(client, `md ${key}\r\n`)).toBe("HD\r\n");
      expect(await askAll(client, `ma ${encoded} N0 J7 q v b\r\n`)).toEqual(["VA 1\r\n7\r\n"]);
      expect(await ask(client, `mg ${key} v\r\n`)).toBe("VA 1\r\n7\r\n");
    }
  });

  test("keys of any bytes, in base64", async () => {
    await withSeed(async (random) => {
      for (let i = 0; i < 200; i++) {
        const key = random.bytes(random.between(1, 180)).toString("base64");
        const value = random.bytes(random.between(0, 300)).toString("latin1");
        await ask(client, Buffer.from(`ms ${key} ${value.length} b\r\n${value}\r\n`, "latin1"));
        expect(await ask(client, `mg ${key} b v k\r\n`)).toBe(
          `VA ${value.length} k${key} b\r\n${value}\r\n`,
        );
      }
    });
  });

  test("a key with a line feed in it cannot come to be told as it is", async () => {
    const key = Buffer.from("x\r\nVALUE secret 0 1").toString("base64");
    const words = "CLIENT_ERROR a key that holds a line feed can only be set, read and deleted\r\n";
    expect(await ask(client, `mg ${key} b N30 k v\r\n`)).toBe(words);
    expect(await ask(client, `ma ${key} b N30 q\r\n`)).toBe(words);
    expect(await ask(client, `ma ${key} b\r\n`)).toBe(words);
    expect(await ask(client, `ms ${key} 1 MA b\r\nx\r\n`)).toBe(words);
    expect(await ask(client, `mg ${key} b k v\r\n`)).toBe(`EN k${key} b\r\n`);
    expect(await ask(client, `ms ${key} 1 b\r\nx\r\n`)).toBe("HD\r\n");
    expect(await ask(client, `mg ${key} b k v\r\n`)).toBe(`VA 1 k${key} b\r\nx\r\n`);
  });

  test("quiet requests fail aloud", async () => {
    const [key] = await pool.keysOf(1, 1);
    await pool.server(1).kill();
    const replies = await (async () => {
      void client.send(`mg ${key} v q\r\nms ${key} 1 q\r\nx\r\nma ${key} N0 q\r\nmn\r\n`);
      return [await readReply(client), await readReply(client), await readReply(client)];
    })();
    for (const reply of replies) expect(reply).toMatch(/^SERVER_ERROR \w/);
    expect(await readReply(client)).toBe("MN\r\n");
    await pool.server(1).restart();
    expect(await askAll(client, `ms ${key} 1 q\r\nx\r\n`)).toEqual([]);
    expect(await ask(client, `mg ${key} v q\r\n`)).toBe("VA 1\r\nx\r\n");
  });
});
