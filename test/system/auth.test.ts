/**
 * redis_auth: clients prove themselves to the proxy, the proxy to its servers.
 */
import { expect, test } from "bun:test";
import { RedisPool } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";

const NOAUTH = "-NOAUTH Authentication required\r\n";
const PASSWORD = "päss wörd";

test("a pool with a password answers nothing but AUTH and QUIT before it", async () => {
  await using pool = await RedisPool.start({
    servers: 2,
    server: { requirepass: PASSWORD },
    pool: { redis_auth: PASSWORD },
  });
  const client = await pool.connect();
  const replies = await client.pipeline([
    ["PING"],
    ["SET", "a", "1"],
    ["MGET", "a", "b"],
    ["COMMAND"],
    ["AUTH", "wrong"],
    ["GET", "a"],
    ["AUTH", PASSWORD],
    ["SET", "a", "1"],
    ["PING"],
  ]);
  expect(replies.slice(0, 4)).toEqual([NOAUTH, NOAUTH, NOAUTH, NOAUTH]);
  expect(replies.slice(4)).toEqual([
    "-ERR invalid password\r\n",
    NOAUTH,
    "+OK\r\n",
    "+OK\r\n",
    "+PONG\r\n",
  ]);
  // A wrong password takes the right back.
  expect(await client.call("AUTH", `${PASSWORD}x`)).toBe("-ERR invalid password\r\n");
  expect(await client.call("GET", "a")).toBe(NOAUTH);
  expect(await client.call("AUTH", "")).toBe("-ERR invalid password\r\n");
  expect(await client.call("AUTH", PASSWORD.slice(0, -1))).toBe("-ERR invalid password\r\n");
  // Another client has to prove itself, too.
  const other = await pool.connect();
  expect(await other.call("GET", "a")).toBe(NOAUTH);
  expect(await other.call("AUTH", "default", PASSWORD)).toBe("+OK\r\n");
  expect(await other.call("GET", "a")).toBe(bulk("1"));
  expect(await other.call("AUTH", "somebody", PASSWORD)).toStartWith("-");
  other.close();
  client.close();
});

test("a server that wants another password answers so; no reply is lost or swapped", async () => {
  await using pool = await RedisPool.start({
    server: { requirepass: "right" },
    pool: { redis_auth: "other" },
  });
  const client = await pool.connect();
  expect(await client.call("AUTH", "other")).toBe("+OK\r\n");
  for (let round = 0; round < 3; round++) {
    const replies = await client.pipeline([["SET", "a", "1"], ["PING"], ["MGET", "a", "b"]]);
    expect(replies[0]).toMatch(/^-(NOAUTH|WRONGPASS) /);
    expect(replies[1]).toBe("+PONG\r\n");
    expect(replies[2]).toMatch(/^-(NOAUTH|WRONGPASS) /);
  }
  expect(await pool.server(0).keys()).toEqual([]);
  // As soon as the server takes the password, it works.
  await pool.server(0).command("CONFIG", "SET", "requirepass", "other");
  expect(await client.call("SET", "a", "2")).toBe("+OK\r\n");
  client.close();
});

test("a pool without a password before servers that want one", async () => {
  await using pool = await RedisPool.start({ server: { requirepass: "secret" } });
  const client = await pool.connect();
  expect(await client.call("GET", "a")).toBe("-NOAUTH Authentication required.\r\n");
  expect(await client.call("AUTH", "secret")).toBe(
    "-ERR Client sent AUTH, but no password is set\r\n",
  );
  await client.expectOpen();
  client.close();
});

test("a password for the proxy only: servers without one are fine", async () => {
  await using pool = await RedisPool.start({ servers: 2, pool: { redis_auth: "door" } });
  const client = await pool.connect();
  expect(await client.call("AUTH", "door")).toBe("+OK\r\n");
  expect(await client.call("MSET", "a", "1", "b", "2", "c", "3")).toBe("+OK\r\n");
  expect(await client.call("MGET", "a", "b", "c")).toBe(
    `*3\r\n${bulk("1")}${bulk("2")}${bulk("3")}`,
  );
  client.close();
});

test("the password is said again after a server came back", async () => {
  await using pool = await RedisPool.start({
    server: { requirepass: "secret" },
    pool: { redis_auth: "secret" },
  });
  const client = await pool.connect();
  await client.call("AUTH", "secret");
  expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  await pool.server(0).kill();
  expect(await client.call("GET", "a")).toStartWith("-ERR ");
  await pool.server(0).restart();
  expect(await client.call("SET", "a", "2")).toBe("+OK\r\n");
  client.close();
});
