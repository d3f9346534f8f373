/**
 * QUIT: +OK, after the replies to everything before it, then the connection is closed.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk, encodeRequest } from "../support/resp.ts";

let pool: RedisPool;
let keys: string[];

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
  keys = (await Promise.all([pool.keysOf(0, 3), pool.keysOf(1, 3)])).flat();
  await pool.fill(keys);
});

afterAll(() => pool?.[Symbol.asyncDispose]());

test("+OK, then the end", async () => {
  for (const request of ["*1\r\n$4\r\nQUIT\r\n", "*1\r\n$4\r\nquit\r\n", "QUIT\r\n"]) {
    const client = await pool.connect();
    void client.send(request);
    expect(await client.readToEnd()).toBe("+OK\r\n");
    expect(client.closeError).toBeUndefined();
  }
});

test("replies to pipelined requests come first, however late", async () => {
  for (const server of pool.servers) server.freeze();
  const client = await pool.connect();
  const requests = [...keys.map((key) => ["GET", key]), ["MGET", ...keys.slice(2, 4)], ["QUIT"]];
  await client.send(Buffer.concat(requests.map(encodeRequest)));
  const other = await pool.connect();
  await other.expectOpen();
  for (const server of pool.servers) server.thaw();
  const pair = keys.slice(2, 4).map((key) => bulk(valueOf(key)));
  const expected = [...keys.map((key) => bulk(valueOf(key))), `*2\r\n${pair.join("")}`, "+OK\r\n"];
  expect(await client.readToEnd()).toBe(expected.join(""));
  other.close();
});

test("what comes after QUIT is not done", async () => {
  const client = await pool.connect();
  const [key] = keys as [string];
  await client.send(
    Buffer.concat([encodeRequest(["QUIT"]), encodeRequest(["SET", key, "too late"])]),
  );
  void client.request("SET", key, "too late");
  expect(await client.readToEnd()).toBe("+OK\r\n");
  const other = await pool.connect();
  expect(await other.call("GET", key)).toBe(bulk(valueOf(key)));
  other.close();
});

test("before AUTH, too", async () => {
  await using closed = await RedisPool.start({ pool: { redis_auth: "secret" } });
  const client = await closed.connect();
  expect(await client.call("QUIT")).toBe("+OK\r\n");
  await client.expectClosed();
});
