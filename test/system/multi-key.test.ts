/**
 * MGET, MSET, DEL, UNLINK, TOUCH and EXISTS over several servers.
 */
import { afterEach, beforeAll, afterAll, expect, test } from "bun:test";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import type { RawClient } from "../support/raw-client.ts";
import { bulk } from "../support/resp.ts";
import { withSeed } from "../support/seeded-random.ts";

let pool: RedisPool;
let client: RawClient;
/** Five keys of each server. */
let keys: string[];

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 3 });
  client = await pool.connect();
  keys = (await Promise.all([0, 1, 2].map((server) => pool.keysOf(server, 5)))).flat();
});

afterEach(() => pool.flush());

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

function values(...wanted: readonly (string | null)[]): string {
  const elements = wanted.map((value) => (value === null ? "$-1\r\n" : bulk(value)));
  return `*${elements.length}\r\n${elements.join("")}`;
}

function pairs(of: readonly string[]): string[] {
  return of.flatMap((key) => [key, valueOf(key)]);
}

test("MGET answers in the order of the keys, with duplicates and missing keys", async () => {
  await pool.fill(keys);
  await withSeed(async (random) => {
    for (let round = 0; round < 50; round++) {
      const asked = Array.from({ length: random.between(2, 40) }, () =>
        random.chance(0.2) ? `missing${random.integer(9)}` : random.pick(keys),
      );
      const expected = asked.map((key) => (key.startsWith("missing") ? null : valueOf(key)));
      expect(await client.call("MGET", ...asked)).toBe(values(...expected));
    }
  });
});

test("MSET puts every key where GET finds it", async () => {
  expect(await client.call("MSET", ...pairs(keys))).toBe("+OK\r\n");
  for (const key of keys) expect(await client.call("GET", key)).toBe(bulk(valueOf(key)));
  const placed = await Promise.all(pool.servers.map((server) => server.keys()));
  expect(placed.map((found) => found.length)).toEqual([5, 5, 5]);
  // The last value of a key that comes twice wins.
  const key = keys[0] as string;
  await client.call("MSET", key, "first", keys[7] as string, "x", key, "second");
  expect(await client.call("GET", key)).toBe(bulk("second"));
});

test.each(["DEL", "UNLINK", "TOUCH", "EXISTS"])("%s sums over the servers", async (name) => {
  await pool.fill(keys);
  const isRemoving = name === "DEL" || name === "UNLINK";
  const key = keys[0] as string;
  expect(await client.call(name, ...keys.slice(0, 12), "missing1", "missing2")).toBe(":12\r\n");
  expect(await client.call(name, ...keys)).toBe(isRemoving ? ":3\r\n" : ":15\r\n");
  expect(await client.call(name, key, "missing1", key)).toBe(isRemoving ? ":0\r\n" : ":2\r\n");
  const left = await Promise.all(pool.servers.map((server) => server.keys()));
  expect(left.flat().length).toBe(isRemoving ? 0 : 15);
});

test("one key, binary keys and empty keys", async () => {
  const binary = Buffer.from([0, 13, 10, 0xff, 36]);
  expect(await client.call("MSET", binary, "b", "", "empty", "k", "")).toBe("+OK\r\n");
  expect(await client.call("MGET", "", "k", binary, "")).toBe(values("empty", "", "b", "empty"));
  expect(await client.call("MGET", binary)).toBe(values("b"));
  expect(await client.call("MGET", "nothing here")).toBe(values(null));
  expect(await client.call("EXISTS", "", binary, "other")).toBe(":2\r\n");
  expect(await client.call("DEL", "", binary)).toBe(":2\r\n");
});

test("a value of another type reads as missing, as Redis has it", async () => {
  const key = keys[0] as string;
  await client.call("RPUSH", key, "x");
  await client.call("SET", keys[6] as string, "y");
  expect(await client.call("MGET", key, keys[6] as string)).toBe(values(null, "y"));
});

test("3,000 keys in one request", async () => {
  const many = Array.from({ length: 3000 }, (_, index) => `many:${index}`);
  expect(await client.call("MSET", ...pairs(many))).toBe("+OK\r\n");
  expect(await client.call("MGET", ...many)).toBe(values(...many.map(valueOf)));
  expect(await client.call("EXISTS", ...many)).toBe(":3000\r\n");
  expect(await client.call("TOUCH", ...many)).toBe(":3000\r\n");
  const placed = await Promise.all(pool.servers.map((server) => server.keys()));
  expect(Math.min(...placed.map((found) => found.length))).toBeGreaterThan(500);
  expect(await client.call("UNLINK", ...many.slice(0, 1000))).toBe(":1000\r\n");
  expect(await client.call("DEL", ...many)).toBe(":2000\r\n");
});

test("large values in MGET and MSET keep their places", async () => {
  const sizes = [0, 1, 16_335, 16_336, 16_337, 100_000, 700_000];
  const large = keys.map((key, index) =>
    `${key}:`.repeat(sizes[index % 7] as number).slice(0, 700_000),
  );
  const request = keys.flatMap((key, index) => [key, large[index] as string]);
  expect(await client.call("MSET", ...request)).toBe("+OK\r\n");
  expect((await client.call("MGET", ...keys)) === values(...large)).toBe(true);
});

test("an error of one server is the reply, in the server's words", async () => {
  const key = keys[0] as string;
  await pool.fill(keys);
  await pool.server(1).command("CONFIG", "SET", "maxmemory", "1");
  const reply = await client.call("MSET", ...pairs(keys));
  expect(reply).toStartWith("-OOM command not allowed");
  await pool.server(1).command("CONFIG", "SET", "maxmemory", "0");
  expect(await client.call("MGET", key)).toBe(values(valueOf(key)));
});

test.each([
  ["MGET", () => keys],
  ["MSET", () => pairs(keys)],
  ["DEL", () => keys],
  ["UNLINK", () => keys],
  ["TOUCH", () => keys],
  ["EXISTS", () => keys],
] as const)(
  "%s with one server down is an error; the client stays connected",
  async (name, args) => {
    const healthy = keys.slice(0, 10);
    await pool.fill(keys);
    await pool.server(2).kill();
    const replies = await client.pipeline([
      [name, ...args()],
      ["GET", keys[0] as string],
      ["PING"],
      ["MGET", ...healthy],
    ]);
    expect(replies[0]).toMatch(/^-ERR (Connection refused|unknown|Connection reset by peer)\r\n$/);
    expect(replies[1]).toBe(
      name === "DEL" || name === "UNLINK" ? "$-1\r\n" : bulk(valueOf(keys[0]!)),
    );
    expect(replies[2]).toBe("+PONG\r\n");
    expect(replies[3]).toStartWith("*10\r\n");
    expect(await client.call(name, ...args())).toBe("-ERR Connection refused\r\n");
    await pool.server(2).restart();
    expect(await client.call("MSET", ...pairs(keys))).toBe("+OK\r\n");
    expect(await client.call("MGET", ...keys)).toBe(values(...keys.map(valueOf)));
  },
);

test("all servers down is one error", async () => {
  await Promise.all(pool.servers.map((server) => server.kill()));
  expect(await client.call("DEL", ...keys)).toMatch(/^-ERR /);
  expect(await client.call("MGET", ...keys)).toBe("-ERR Connection refused\r\n");
  await client.expectOpen();
  await Promise.all(pool.servers.map((server) => server.restart()));
  expect(await client.call("MGET", ...keys)).toBe(values(...keys.map(() => null)));
});
