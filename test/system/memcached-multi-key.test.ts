/**
 * get, gets, gat and gats over several servers: divided, and answered once.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { MemcachedPool, valueOf } from "../support/memcached-pool.ts";
import { ask, readReply } from "../support/memcached-replies.ts";
import type { RawClient } from "../support/raw-client.ts";
import { withSeed } from "../support/seeded-random.ts";

let pool: MemcachedPool;
let client: RawClient;
/** Five keys of each server. */
let keys: string[];

beforeAll(async () => {
  pool = await MemcachedPool.start({ servers: 3 });
  client = await pool.connect();
  keys = (await Promise.all([0, 1, 2].map((server) => pool.keysOf(server, 5)))).flat();
});

afterEach(() => pool.flush());

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

function valuesOf(found: readonly string[]): string {
  return `${found.map((key) => valueOf(key, `value of ${key}`)).join("")}END\r\n`;
}

async function fill(some: readonly string[]): Promise<void> {
  await pool.fill(Object.fromEntries(some.map((key) => [key, `value of ${key}`])));
}

test("values come in the order of the keys, with duplicates", async () => {
  await fill(keys);
  await withSeed(async (random) => {
    for (let round = 0; round < 50; round++) {
      const asked = Array.from({ length: random.between(1, 40) }, () => random.pick(keys));
      expect(await ask(client, `get ${asked.join(" ")}\r\n`)).toBe(valuesOf(asked));
      expect(await ask(client, `gat 0 ${asked.join(" ")}\r\n`)).toBe(valuesOf(asked));
    }
  });
});

test("missing keys leave no trace; the values of each server keep their order", async () => {
  await fill(keys);
  await withSeed(async (random) => {
    for (let round = 0; round < 50; round++) {
      const asked = random.shuffle([...keys, "missing1", "missing2", "missing3"]);
      const reply = await ask(client, `get ${asked.join(" ")}\r\n`);
      const got = [...reply.matchAll(/^VALUE (\S+)/gm)].map((match) => match[1] as string);
      expect(got.toSorted()).toEqual(keys.toSorted());
      expect(reply).toBe(valuesOf(got));
      for (let server = 0; server < 3; server++) {
        const own = keys.slice(server * 5, server * 5 + 5);
        expect(got.filter((key) => own.includes(key))).toEqual(
          asked.filter((key) => own.includes(key)),
        );
      }
    }
  });
});

test("gets and gats tell the cas of each value", async () => {
  await fill(keys);
  for (const request of [`gets ${keys.join(" ")}\r\n`, `gats 100 ${keys.join(" ")}\r\n`]) {
    const lines = (await ask(client, request)).match(/^VALUE \S+ 0 \d+ \d+\r\n/gm);
    expect(lines?.map((line) => line.split(" ")[1])).toEqual(keys);
  }
  expect(await ask(client, `mg ${keys[0]} t\r\n`)).toMatch(/^HD t(100|99)\r\n$/);
});

test("nothing found on any server", async () => {
  expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe("END\r\n");
  expect(await ask(client, `gats 5 ${keys.join(" ")}\r\n`)).toBe("END\r\n");
});

test("blanks before, between and after; values that look like replies", async () => {
  const [a, b, c] = [keys[0]!, keys[5]!, keys[10]!];
  await pool.fill({ [a]: "END\r\n", [b]: `VALUE ${a} 0 1\r\nx`, [c]: "\r\nSERVER_ERROR\r\n" });
  const expected =
    valueOf(a, "END\r\n") +
    valueOf(b, `VALUE ${a} 0 1\r\nx`) +
    valueOf(c, "\r\nSERVER_ERROR\r\n") +
    "END\r\n";
  for (const line of [
    `get ${a} ${b} ${c}\r\n`,
    `  get  ${a}   ${b} ${c}  \r\n`,
    `get ${a} ${b} ${c}\n`,
  ]) {
    expect(await ask(client, line)).toBe(expected);
  }
});

test("3,000 keys in one request", async () => {
  const many = Array.from({ length: 3000 }, (_, index) => `many:${index}`);
  await fill(many);
  for (const name of ["get", "gat 0"]) {
    expect((await ask(client, `${name} ${many.join(" ")}\r\n`)) === valuesOf(many)).toBe(true);
  }
  const misses = Array.from({ length: 50_000 }, (_, index) => `no:${index}`);
  expect(await ask(client, `get ${misses.join(" ")}\r\n`)).toBe("END\r\n");
});

test("a gat line is never long at a server, which would close the connection", async () => {
  const long = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(240, "x"));
  await fill(long);
  expect((await ask(client, `gat 0 ${long.join(" ")}\r\n`)) === valuesOf(long)).toBe(true);
  expect((await pool.proxy.serverStats("s0"))["server_eof"]).toBe(0);
});

test("large values keep their places", async () => {
  const sizes = [0, 1, 16_335, 16_336, 100_000, 700_000];
  const values = Object.fromEntries(
    keys.map((key, i) => [key, key.repeat(200_000).slice(0, sizes[i % sizes.length])]),
  );
  await pool.fill(values);
  const expected = `${keys.map((key) => valueOf(key, values[key]!)).join("")}END\r\n`;
  expect((await ask(client, `get ${keys.join(" ")}\r\n`)) === expected).toBe(true);
});

test("a key too long makes an error of the whole, as memcached has it", async () => {
  await fill(keys);
  for (const name of ["get", "gets", "gat 5"]) {
    expect(await ask(client, `${name} ${keys[0]} ${"x".repeat(251)} ${keys[1]}\r\n`)).toBe(
      "CLIENT_ERROR bad command line format\r\n",
    );
  }
  expect(await ask(client, `gat soon ${keys.join(" ")}\r\n`)).toBe(
    "CLIENT_ERROR invalid exptime argument\r\n",
  );
});

test("one server down: an error of the whole, and the client stays connected", async () => {
  await fill(keys);
  await pool.server(2).kill();
  const healthy = keys.slice(0, 10);
  void client.send(
    `get ${keys.join(" ")}\r\nget ${keys[0]}\r\nmn\r\ngets ${keys.join(" ")}\r\n` +
      `gat 0 ${healthy.join(" ")}\r\n`,
  );
  const refused = /^SERVER_ERROR (Connection refused|unknown|Connection reset by peer)\r\n$/;
  expect(await readReply(client)).toMatch(refused);
  expect(await readReply(client)).toBe(valuesOf([keys[0]!]));
  expect(await readReply(client)).toBe("MN\r\n");
  expect(await readReply(client)).toMatch(refused);
  expect(await readReply(client)).toBe(valuesOf(healthy));
  await pool.server(2).restart();
  expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe(valuesOf(healthy));
});

test("all servers down is one error", async () => {
  await Promise.all(pool.servers.map((server) => server.kill()));
  expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toMatch(/^SERVER_ERROR /);
  expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe(
    "SERVER_ERROR Connection refused\r\n",
  );
  expect(await ask(client, "mn\r\n")).toBe("MN\r\n");
  await Promise.all(pool.servers.map((server) => server.restart()));
  expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe("END\r\n");
});
