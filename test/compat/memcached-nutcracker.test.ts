/**
 * The same random streams through Debian's nutcracker 0.5.0 and through ours, each before two
 * memcached of its own: the same replies, byte for byte.
 *
 * Streams hold what nutcracker takes. What it does not (it closes the connection) and what differs
 * by intent is in EXPLAINED, with the reason.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventuallyHolds } from "../support/eventually.ts";
import { ClassicGenerator } from "../support/memcached-classic-generator.ts";
import { MemcachedPool, setOf } from "../support/memcached-pool.ts";
import { ask, readReply } from "../support/memcached-replies.ts";
import type { RawClient } from "../support/raw-client.ts";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { withSeed } from "../support/seeded-random.ts";

/** See test/system/memcached-meta.test.ts. */
const STEADY = { args: ["-o", "no_modern"] };
const POOLS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["the defaults", {}],
  ["md5, modula", { hash: "md5", distribution: "modula" }],
  ["crc32a, ketama, a hash tag", { hash: "crc32a", distribution: "ketama", hash_tag: "k:" }],
];

describe.skipIf(nutcracker === null)(`nutcracker 0.5.0 and ours${ORACLE_ABSENT}`, () => {
  test.each(POOLS)(
    "10,000 requests: %s",
    async (_, settings) => {
      const options = { servers: 3, server: STEADY, pool: settings };
      await using theirs = await MemcachedPool.start({ ...options, program: nutcracker! });
      await using ours = await MemcachedPool.start(options);
      await withSeed(async (random) => {
        const generator = new ClassicGenerator({ random, namespace: "k:", mistakes: 0 });
        const clients = [await theirs.connect(), await ours.connect()] as const;
        for (let round = 0; round < 200; round++) {
          const requests = Array.from({ length: 50 }, () => generator.next());
          const bytes = Buffer.from(requests.map((request) => request.text).join(""), "latin1");
          const count = requests.filter((request) => !request.isSilent).length;
          const [expected, got] = await Promise.all(
            clients.map((client) => replies(client, random.cut(bytes, 4), count)),
          );
          const texts = requests.map((request) => request.text);
          expect({ texts, replies: got }).toEqual({ texts, replies: expected });
        }
        for (const client of clients) client.close();
      });
      // The last requests with noreply may be under way.
      await eventuallyHolds(async () => {
        expect(await placesOf(ours)).toEqual(await placesOf(theirs));
      });
    },
    60_000,
  );
});

async function replies(
  client: RawClient,
  pieces: readonly Uint8Array[],
  count: number,
): Promise<string[]> {
  for (const piece of pieces) await client.send(piece);
  const all: string[] = [];
  while (all.length < count) all.push(await readReply(client));
  return all;
}

/** How many items each server has. */
async function placesOf(pool: MemcachedPool): Promise<string[]> {
  const counts: string[] = [];
  for (const server of pool.servers) {
    const client = await server.connect();
    counts.push(/STAT curr_items (\d+)/.exec(await ask(client, "stats\r\n"))?.[1] ?? "");
    client.close();
  }
  return counts;
}

/** Each with what nutcracker does, and what ours answers. */
const EXPLAINED: readonly (readonly [string, string, string | RegExp])[] = [
  ["flush_all is off unless the pool allows it", "flush_all\r\n", /^CLIENT_ERROR flush_all not/],
  ["stats are those of the proxy", "stats\r\n", /^STAT version/],
  ["verbosity has nothing to change", "verbosity 1\r\n", "OK\r\n"],
  ["gat", "gat 0 k\r\n", "VALUE k 0 1\r\nx\r\nEND\r\n"],
  ["gats", "gats 0 k\r\n", /^VALUE k 0 1 \d+\r\nx\r\nEND\r\n$/],
  ["meta commands", "mg k v\r\n", "VA 1\r\nx\r\n"],
  ["mn", "mn\r\n", "MN\r\n"],
  ["upper case is unknown to memcached", "GET k\r\n", "ERROR\r\n"],
  ["an empty line", "\r\n", "ERROR\r\n"],
  ["a negative exptime", "set e 0 -1 1\r\nx\r\n", "STORED\r\n"],
  ["delete with the time of old", "delete no 0\r\n", "NOT_FOUND\r\n"],
  ["a key too long", `get ${"k".repeat(251)}\r\n`, "CLIENT_ERROR bad command line format\r\n"],
  ["a block longer than announced", "set e 0 0 1\r\nxyz", "CLIENT_ERROR bad data chunk\r\n"],
  ["too few words", "set k 0 0\r\n", "ERROR\r\n"],
];

describe.skipIf(nutcracker === null)(
  `where nutcracker closes the connection${ORACLE_ABSENT}`,
  () => {
    let theirs: MemcachedPool;
    let ours: MemcachedPool;

    beforeAll(async () => {
      theirs = await MemcachedPool.start({ program: nutcracker! });
      ours = await MemcachedPool.start();
    });

    afterAll(async () => {
      await theirs?.[Symbol.asyncDispose]();
      await ours?.[Symbol.asyncDispose]();
    });

    test.each(EXPLAINED)("%s", async (_, request, reply) => {
      const client = await ours.connect();
      await ask(client, setOf("k", "x"));
      const answer = await ask(client, request);
      if (typeof reply === "string") expect(answer).toBe(reply);
      else expect(answer).toMatch(reply);
      expect(await ask(client, "mn\r\n")).toBe("MN\r\n");

      const other = await theirs.connect();
      await other.send(request);
      expect(await other.readToEnd()).toBe("");
    });
  },
);

describe.skipIf(nutcracker === null)(`where both answer, and not the same${ORACLE_ABSENT}`, () => {
  test("version: nutcracker asks a server, ours answers by itself", async () => {
    await using theirs = await MemcachedPool.start({ program: nutcracker! });
    await using ours = await MemcachedPool.start();
    expect(await ask(await theirs.connect(), "version\r\n")).toMatch(/^VERSION 1\.6\.\d+\r\n$/);
    expect(await ask(await ours.connect(), "version\r\n")).toBe("VERSION 1.6.0\r\n");
  });

  test("a part of a get that fails: nutcracker closes after the error, ours goes on", async () => {
    await using theirs = await MemcachedPool.start({ servers: 2, program: nutcracker! });
    await using ours = await MemcachedPool.start({ servers: 2 });
    const keys = [...(await ours.keysOf(0, 2)), ...(await ours.keysOf(1, 2))];
    const get = `get ${keys.join(" ")}\r\n`;
    await Promise.all([theirs.server(1).kill(), ours.server(1).kill()]);
    const client = await ours.connect();
    expect(await ask(client, get)).toMatch(/^SERVER_ERROR \w/);
    expect(await ask(client, "mn\r\n")).toBe("MN\r\n");
    const other = await theirs.connect();
    await other.send(get);
    expect(await other.readToEnd()).toMatch(/^SERVER_ERROR \w/);
  });

  test("a bare LF ends a line, as in memcached; for nutcracker it is a part of the key", async () => {
    await using ours = await MemcachedPool.start();
    const client = await ours.connect();
    expect(await ask(client, "get k\n")).toBe("END\r\n");
  });
});
