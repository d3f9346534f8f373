/**
 * SIGTERM lets requests in flight finish; SIGINT ends at once.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk, encodeRequest } from "../support/resp.ts";

test("SIGTERM: no new clients, replies to what was asked, then the end", async () => {
  await using pool = await RedisPool.start({ servers: 2 });
  const keys = (await Promise.all([pool.keysOf(0, 3), pool.keysOf(1, 3)])).flat();
  await pool.fill(keys);
  const [busy, idle] = await Promise.all([pool.connect(), pool.connect()]);
  await Promise.all([busy.expectOpen(), idle.expectOpen()]);
  for (const server of pool.servers) server.freeze();
  const requests = [...keys.map((key) => ["GET", key]), ["MGET", ...keys.slice(2, 4)]];
  await busy.send(Buffer.concat(requests.map(encodeRequest)));
  await eventually(async () => {
    const { out_queue: sent } = await pool.proxy.serverStats("s0");
    return (sent ?? 0) >= 3;
  });
  pool.proxy.signal("SIGTERM");
  await idle.expectClosed();
  await expect(pool.connect()).rejects.toThrow();
  expect(pool.proxy.isRunning).toBe(true);
  for (const server of pool.servers) server.thaw();
  const pair = keys.slice(2, 4).map((key) => bulk(valueOf(key)));
  const expected = [...keys.map((key) => bulk(valueOf(key))), `*2\r\n${pair.join("")}`];
  expect(await busy.readToEnd()).toBe(expected.join(""));
  expect(await pool.proxy.ended()).toBe(0);
  expect(pool.proxy.log).toContain("done, rabbit done");
});

test("SIGTERM with idle clients only ends at once", async () => {
  await using pool = await RedisPool.start();
  const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
  for (const client of clients) await client.call("SET", "a", "1");
  pool.proxy.signal("SIGTERM");
  for (const client of clients) await client.expectClosed();
  expect(await pool.proxy.ended(4000)).toBe(0);
});

test("SIGTERM does not wait for ever for a server that hangs", async () => {
  await using pool = await RedisPool.start();
  const client = await pool.connect();
  await client.call("SET", "a", "1");
  pool.server(0).freeze();
  await client.request("GET", "a");
  await eventually(async () => (await pool.proxy.serverStats("s0"))["out_queue"] === 1);
  pool.proxy.signal("SIGTERM");
  expect(await pool.proxy.ended(9000)).toBe(0);
  await client.expectClosed({ allowRest: true });
}, 15_000);

test("SIGTERM twice, or SIGINT, ends without waiting", async () => {
  for (const signals of [["SIGTERM", "SIGTERM"], ["SIGINT"]] as const) {
    await using pool = await RedisPool.start();
    const client = await pool.connect();
    await client.call("SET", "a", "1");
    pool.server(0).freeze();
    await client.request("GET", "a");
    await eventually(async () => (await pool.proxy.serverStats("s0"))["out_queue"] === 1);
    for (const signal of signals) {
      pool.proxy.signal(signal);
      // Of two that wait for a process it gets one.
      await eventually(() => pool.proxy.log.includes(`(${signal}) received`));
    }
    expect(await pool.proxy.ended(3000)).toBe(1);
    await client.expectClosed();
  }
});
