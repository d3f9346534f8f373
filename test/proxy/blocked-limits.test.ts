/**
 * What clients that block may take: connections, descriptors, and bytes behind their request.
 */
import { expect, test } from "bun:test";
import {
  BLOCKED_BYTES_MAX,
  PRIVATE_CONNECTIONS_MAX,
  PRIVATE_IDLE_MAX,
} from "../../src/proxy/limits.ts";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { blocked, NIL } from "./blocking.ts";
import { DataPlane } from "./data-plane.ts";

const TOO_MANY = "-ERR Too many clients are blocked at this server\r\n";

test(`${PRIVATE_CONNECTIONS_MAX} clients may be blocked at a server`, async () => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  const clients: RawClient[] = [];
  for (let i = 0; i < PRIVATE_CONNECTIONS_MAX; i++) {
    const client = await plane.connect();
    void client.request("BLPOP", "l", "0");
    clients.push(client);
  }
  await blocked(redis, PRIVATE_CONNECTIONS_MAX);
  const extra = await plane.connect();
  expect(await extra.pipeline([["BLPOP", "l", "0"], ["PING"]])).toEqual([TOO_MANY, "+PONG\r\n"]);
  clients.pop()!.close();
  await blocked(redis, PRIVATE_CONNECTIONS_MAX - 1);
  expect(await extra.call("BLPOP", "l", "0.01")).toBe(NIL);
  for (const client of [extra, ...clients]) client.close();
  await plane.expectIdle();
  expect(plane.counters().serverConnections).toBeLessThanOrEqual(PRIVATE_IDLE_MAX);
  await blocked(redis, 0);
});

test("an idle connection of another kind makes room", async () => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  plane.pool.servers[0]!.privates.connectionsMax = 1;
  const client = await plane.connect();
  for (const database of ["0", "1", "2", "0"]) {
    await client.call("SELECT", database);
    expect(await client.call("BLPOP", "l", "0.01")).toBe(NIL);
    expect(plane.counters().serverConnections).toBe(1);
  }
  client.close();
  await plane.expectIdle();
});

test("the descriptors of shared connections are not lent", async () => {
  await using redis = await RedisServer.start();
  // One is kept for the shared connection, so that two clients leave one to lend.
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] }, { descriptorsMax: 4 });
  const [first, second] = [await plane.connect(), await plane.connect()];
  void first.request("BLPOP", "l", "0");
  await blocked(redis, 1);
  expect(await second.call("BLPOP", "l", "0")).toBe("-ERR Too many open files\r\n");
  expect(await second.call("RPUSH", "l", "a")).toBe(":1\r\n");
  expect(await first.readReply()).toBe(`*2\r\n${bulk("l")}${bulk("a")}`);
  expect(await second.call("BLPOP", "l", "0.01")).toBe(NIL);
  first.close();
  second.close();
  await plane.expectIdle();
});

test.each([0.5, 3])("%p of the limit behind a request that blocks", async (part) => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  const client = await plane.connect();
  const set = encodeRequest(["SET", "x", "y".repeat(1000)]);
  const count = Math.ceil((BLOCKED_BYTES_MAX * part) / set.length);
  void client.request("BLPOP", "l", "0");
  await blocked(redis, 1);
  const sent = client.send(Buffer.concat(Array.from({ length: count }, () => set)));
  if (part < 1) await eventually(() => plane.chunkPool.bytesInUse >= count * set.length);
  else await eventually(() => plane.chunkPool.bytesInUse > BLOCKED_BYTES_MAX);
  await Bun.sleep(30);
  // Soft by a chunk of the socket.
  expect(plane.chunkPool.bytesInUse).toBeLessThan(2 * BLOCKED_BYTES_MAX);
  expect(await redis.command("EXISTS", "x")).toBe(0);
  await redis.command("RPUSH", "l", "a");
  expect(await client.readReply()).toBe(`*2\r\n${bulk("l")}${bulk("a")}`);
  expect(await client.readReplies(count)).toEqual(Array.from({ length: count }, () => "+OK\r\n"));
  await sent;
  client.close();
  await plane.expectIdle();
});

test("little is kept behind blocked requests when buffer memory is short", async () => {
  await using redis = await RedisServer.start();
  const bufferBytesMax = 1024 * 1024;
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] }, { bufferBytesMax });
  const clients = await Promise.all(Array.from({ length: 8 }, () => plane.connect()));
  for (const client of clients) void client.request("BLPOP", "l", "0");
  await blocked(redis, clients.length);
  const ping = Buffer.from("PING\r\n".repeat(150_000));
  for (const client of clients) void client.send(ping);
  await eventually(() => plane.chunkPool.bytesInUse > bufferBytesMax / 2);
  await Bun.sleep(50);
  expect(plane.chunkPool.bytesInUse).toBeLessThan(bufferBytesMax + clients.length * 512 * 1024);
  const values = clients.map((_, i) => `v${i}`);
  await redis.command("RPUSH", "l", ...values);
  for (const client of clients) expect(await client.readReply()).toContain(bulk("l"));
  for (const client of clients) client.reset();
  await plane.expectIdle();
});
