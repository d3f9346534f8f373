/**
 * HELLO and SELECT: clients of one pool in different protocol versions and databases, each on
 * server connections of its own kind.
 */
import { expect, test } from "bun:test";
import { LANES_MAX } from "../../src/proxy/lane.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";

test("HELLO 3 gives the server's own RESP3 replies, and other clients keep RESP2", async () => {
  await using pool = await RedisPool.start({ servers: 3 });
  const [old, modern] = [await pool.connect(), await pool.connect()];
  expect(await modern.call("HELLO", "3")).toMatch(/^%7\r\n\$6\r\nserver\r\n/);
  await old.call("HSET", "h", "f", "v");
  for (let round = 0; round < 3; round++) {
    expect(await modern.call("HGETALL", "h")).toBe("%1\r\n$1\r\nf\r\n$1\r\nv\r\n");
    expect(await old.call("HGETALL", "h")).toBe("*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
    expect(await modern.call("GET", "missing")).toBe("_\r\n");
    expect(await old.call("GET", "missing")).toBe("$-1\r\n");
  }
  const keys = Array.from({ length: 30 }, (_, i) => `key${i}`);
  const half = keys.slice(0, 15);
  await old.call("MSET", ...half.flatMap((key) => [key, valueOf(key)]));
  const values = half.map((key) => bulk(valueOf(key))).join("");
  expect(await modern.call("MGET", ...keys)).toBe(`*30\r\n${values}${"_\r\n".repeat(15)}`);
  expect(await old.call("MGET", ...keys)).toBe(`*30\r\n${values}${"$-1\r\n".repeat(15)}`);
  expect(await modern.call("DEL", ...keys)).toBe(":15\r\n");
  expect(await modern.call("HELLO", "2")).toMatch(/^\*14\r\n/);
  expect(await modern.call("GET", "missing")).toBe("$-1\r\n");
  expect(await modern.call("HELLO", "4")).toBe("-NOPROTO unsupported protocol version\r\n");
  old.close();
  modern.close();
});

test("SELECT moves one client to another database, and nobody else", async () => {
  await using pool = await RedisPool.start({ servers: 2, pool: { redis_db: 1 } });
  const [one, other] = [await pool.connect(), await pool.connect()];
  const keys = Array.from({ length: 20 }, (_, i) => `key${i}`);
  expect(await one.call("SELECT", "5")).toBe("+OK\r\n");
  await one.call("MSET", ...keys.flatMap((key) => [key, `five ${key}`]));
  await other.call("MSET", ...keys.flatMap((key) => [key, `one ${key}`]));
  for (const key of keys) {
    expect(await one.call("GET", key)).toBe(bulk(`five ${key}`));
    expect(await other.call("GET", key)).toBe(bulk(`one ${key}`));
  }
  expect((await Promise.all(pool.servers.map((redis) => redis.keys(0)))).flat()).toEqual([]);
  expect(await one.call("SELECT", "1")).toBe("+OK\r\n");
  expect(await one.call("GET", "key0")).toBe(bulk("one key0"));
  for (const bad of ["", "-1", "x", "99999999999"]) {
    expect(await one.call("SELECT", bad)).toMatch(/^-ERR /);
  }
  one.close();
  other.close();
});

test("a database that the servers do not have is an error for that client only", async () => {
  await using pool = await RedisPool.start({ servers: 2 });
  const [one, other] = [await pool.connect(), await pool.connect()];
  expect(await one.call("SELECT", "99")).toBe("+OK\r\n");
  expect(await one.call("SET", "a", "1")).toContain("out of range");
  expect(await other.call("GET", "a")).toBe("$-1\r\n");
  one.close();
  other.close();
});

test("HELLO with a password", async () => {
  await using pool = await RedisPool.start({
    servers: 2,
    server: { requirepass: "secret" },
    pool: { redis_auth: "secret" },
  });
  const client = await pool.connect();
  expect(await client.call("HELLO", "3")).toMatch(/^-NOAUTH /);
  expect(await client.call("HELLO", "3", "AUTH", "default", "wrong")).toMatch(/^-WRONGPASS /);
  expect(await client.call("HELLO", "3", "AUTH", "somebody", "secret")).toMatch(/^-WRONGPASS /);
  expect(await client.call("GET", "a")).toMatch(/^-NOAUTH /);
  const hello = await client.call("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me");
  expect(hello).toMatch(/^%7\r\n/);
  expect(await client.call("GET", "a")).toBe("_\r\n");
  expect(await client.call("HELLO", "3", "NOSUCH")).toMatch(/^-ERR Syntax error/);
  client.close();
});

test("the number of lanes has a limit", async () => {
  await using pool = await RedisPool.start({ servers: 1 });
  const client = await pool.connect();
  const others = await Promise.all(Array.from({ length: LANES_MAX - 1 }, () => pool.connect()));
  for (const [index, other] of others.entries()) {
    expect(await other.call("SELECT", String(index + 1))).toBe("+OK\r\n");
  }
  expect(await client.call("SELECT", String(LANES_MAX))).toMatch(/^-ERR too many/);
  for (const other of others) other.close();
  expect(await client.call("SELECT", "0")).toBe("+OK\r\n");
  expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  client.close();
});
