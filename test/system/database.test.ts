/**
 * redis_db: all data of the pool lies in that database of each server, or the client gets an error.
 */
import { expect, test } from "bun:test";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";

const KEYS = Array.from({ length: 20 }, (_, index) => `key${index}`);

test.each([
  ["on TCP", {}],
  ["on unix sockets", { unix: true }],
  ["with a password", { requirepass: "secret" }],
  ["on unix sockets with a password", { unix: true, requirepass: "secret" }],
] as const)("keys lie in the database of the pool: %s", async (_, server) => {
  const password = "requirepass" in server ? { redis_auth: server.requirepass } : {};
  await using pool = await RedisPool.start({
    servers: 2,
    server,
    pool: { redis_db: 5, ...password },
  });
  const client = await pool.connect();
  if ("requirepass" in server) expect(await client.call("AUTH", "secret")).toBe("+OK\r\n");
  const pairs = KEYS.flatMap((key) => [key, valueOf(key)]);
  expect(await client.call("SET", "first", "1")).toBe("+OK\r\n");
  expect(await client.call("MSET", ...pairs)).toBe("+OK\r\n");
  for (const redis of pool.servers) expect(await redis.keys(0)).toEqual([]);
  const placed = await Promise.all(pool.servers.map((redis) => redis.keys(5)));
  expect(placed.flat().sort()).toEqual([...KEYS, "first"].sort());
  // A new connection selects again.
  for (const redis of pool.servers) await redis.command("CLIENT", "KILL", "TYPE", "normal");
  const after = await Promise.all(KEYS.map((key) => client.call("GET", key)));
  for (const [index, reply] of after.entries()) {
    if (!reply.startsWith("-ERR ")) expect(reply).toBe(bulk(valueOf(KEYS[index] as string)));
  }
  expect(await client.call("MGET", ...KEYS.slice(0, 2))).toBe(
    `*2\r\n${bulk(valueOf("key0"))}${bulk(valueOf("key1"))}`,
  );
  client.close();
});

test("a database that the server does not have is an error, never database 0", async () => {
  await using pool = await RedisPool.start({ servers: 2, pool: { redis_db: 99 } });
  for (const redis of pool.servers) await redis.command("SET", "a", "in database 0");
  const client = await pool.connect();
  for (let round = 0; round < 3; round++) {
    const replies = await client.pipeline([
      ["GET", "a"],
      ["SET", "b", "1"],
      ["MGET", "a", "b"],
      ["PING"],
      ["MSET", "b", "1", "c", "2", "d", "3"],
    ]);
    expect(replies[3]).toBe("+PONG\r\n");
    for (const index of [0, 1, 2, 4]) expect(replies[index]).toMatch(/^-ERR [^\r]*\r\n$/);
    expect(replies[0]).toContain("out of range");
  }
  for (const redis of pool.servers) expect(await redis.keys(0)).toEqual(["a"]);
  client.close();
});

test("a pool with database 0 selects nothing", async () => {
  await using pool = await RedisPool.start({ pool: { redis_db: 0 } });
  const client = await pool.connect();
  expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  expect(String(await pool.server(0).command("INFO", "commandstats"))).not.toContain("select");
  expect(await pool.server(0).keys(0)).toEqual(["a"]);
  client.close();
});
