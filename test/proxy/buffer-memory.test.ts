/**
 * The ceiling of buffer memory: who takes more than its share waits, gets an error, or is closed,
 * and the others never notice.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

const MB = 1024 * 1024;
const NO_SPACE = "-ERR No buffer space available\r\n";
/** What one read from a socket may add before anything is looked at. */
const READ_BYTES = 600 * 1024;

/** A value that tells its key. */
function valueOf(key: string, sizeBytes: number): string {
  return `${key}=`.repeat(Math.ceil(sizeBytes / (key.length + 1))).slice(0, sizeBytes);
}

/** The largest `bytesInUse` while `work` goes on. */
async function largestUse(plane: DataPlane, work: Promise<unknown>): Promise<number> {
  let largest = 0;
  let isOver = false;
  void work.finally(() => (isOver = true));
  while (!isOver) {
    largest = Math.max(largest, plane.chunkPool.bytesInUse);
    await Bun.sleep(1);
  }
  await work;
  return largest;
}

async function served(client: RawClient, key: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) expect(await client.call("GET", key)).toBe(bulk(key));
}

test("replies that a client asked for and does not read become errors, and memory stays", async () => {
  await using redis = await RedisServer.start();
  const bufferBytesMax = 24 * MB;
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] }, { bufferBytesMax });
  await redis.command("SET", "small", "small");
  const keys = ["a", "b", "c"].map((name) => `large-${name}`);
  for (const key of keys) await redis.command("SET", key, valueOf(key, MB));
  // Clients whose replies were small so far, as nothing is held against them.
  const greedy = await Promise.all([1, 2, 3].map(() => plane.connectSettled("small")));
  const modest = await plane.connect();
  modest.deadlineMs = 20_000;
  const count = 100;
  for (const client of greedy) {
    client.pause();
    void client.send(
      "".concat(...Array.from({ length: count }, (_, i) => `GET ${keys[i % 3]}\r\n`)),
    );
  }
  const work = served(modest, "small", 300).then(() =>
    eventually(() => plane.counters().outQueue === 0, { deadlineMs: 20_000 }),
  );
  expect(await largestUse(plane, work)).toBeLessThan(bufferBytesMax + READ_BYTES);
  let errors = 0;
  for (const client of greedy) {
    client.deadlineMs = 20_000;
    client.resume();
    for (let i = 0; i < count; i++) {
      const reply = await client.readReply();
      if (reply === NO_SPACE) errors++;
      else expect(reply === bulk(valueOf(keys[i % 3]!, MB))).toBe(true);
    }
    client.close();
  }
  expect(errors).toBeGreaterThan(0);
  expect(errors).toBeLessThan(count * greedy.length);
  modest.close();
  await plane.expectIdle();
}, 60_000);

test("a client that asks for large values has few requests in flight from the start", async () => {
  let asked = 0;
  using server = ScriptedServer.start(() => asked++);
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  await client.send("GET a\r\n".repeat(1000));
  await eventually(() => asked > 0);
  await Bun.sleep(50);
  expect(asked).toBeLessThan(8);
  client.close();
}, 20_000);

test("a large reply that comes before its turn counts, and may fail alone", async () => {
  const held: (() => void)[] = [];
  using hanging = ScriptedServer.start((peer, args) => held.push(() => peer.write(bulk(args[1]!))));
  await using redis = await RedisServer.start();
  const bufferBytesMax = 8 * MB;
  using plane = await DataPlane.start(
    { servers: [`${hanging.item}:1 s0`, `${redis.item}:1 s1`] },
    { bufferBytesMax },
  );
  const [hangs, large] = [plane.keyOn(0), plane.keyOn(1)];
  await redis.command("SET", large, valueOf(large, 6 * MB));
  const client = await plane.connect();
  await client.pipeline([]);
  void client.request("GET", hangs);
  void client.request("GET", large);
  void client.request("MGET", large, hangs);
  await eventually(() => held.length === 2 && plane.counters(1).outQueue === 0);
  expect(plane.chunkPool.bytesInUse).toBeLessThan(bufferBytesMax / 2 + READ_BYTES);
  for (const release of held) release();
  expect(await client.readReply()).toBe(bulk(hangs));
  expect(await client.readReply()).toBe(NO_SPACE);
  expect(await client.readReply()).toBe(NO_SPACE);
  client.close();
  await plane.expectIdle();
});

test("a request that is half there waits for room, is refused in the end, others go on", async () => {
  await using redis = await RedisServer.start();
  await redis.command("SET", "small", "small");
  const bufferBytesMax = 12 * MB;
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] }, { bufferBytesMax });
  const [greedy, modest] = [await plane.connect(), await plane.connect()];
  greedy.deadlineMs = 20_000;
  const request = encodeRequest(["SET", "k", Buffer.alloc(64 * MB, "x")]);
  const sending = greedy.send(request).catch(() => {});
  const reply = greedy.readLine();
  const use = largestUse(plane, reply);
  await served(modest, "small", 100);
  expect(await reply).toBe(NO_SPACE);
  expect(await use).toBeLessThan(bufferBytesMax / 2 + READ_BYTES);
  await served(modest, "small", 10);
  await sending;
  greedy.close();
  modest.close();
  await plane.expectIdle();
  expect(plane.log.filter((line) => line.includes("max_buffer_memory"))).toHaveLength(1);
}, 30_000);

test("a request that waits for room goes on when another one has left", async () => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start(
    { servers: [`${redis.item}:1 s0`] },
    { bufferBytesMax: 16 * MB },
  );
  const [first, second] = [await plane.connect(), await plane.connect()];
  const whole = encodeRequest(["SET", "k", Buffer.alloc(5 * MB, "x")]);
  await first.send(whole.subarray(0, 4.9 * MB));
  await eventually(() => plane.chunkPool.bytesInUse > 4.8 * MB);
  void second.send(whole);
  await eventually(() => plane.waitingRoom.size === 1);
  first.reset();
  second.deadlineMs = 20_000;
  expect(await second.readLine()).toBe("+OK\r\n");
  second.close();
  await plane.expectIdle();
}, 30_000);

test("when all is taken, those who hold little are served, and the others wait", async () => {
  await using redis = await RedisServer.start();
  await redis.command("SET", "small", "small");
  const settings = { servers: [`${redis.item}:1 s0`] };
  const limits = { bufferBytesMax: 4 * MB, roomWaitMs: 1000 };
  using plane = await DataPlane.start(settings, limits);
  const half = encodeRequest(["SET", "k", Buffer.alloc(2 * MB, "x")]).subarray(0, MB);
  const greedy = await Promise.all(Array.from({ length: 20 }, () => plane.connect()));
  for (const client of greedy) void client.send(half).catch(() => {});
  await eventually(() => plane.waitingRoom.size > 10 && plane.chunkPool.shareBytes < 600_000);
  const modest = await plane.connect();
  await served(modest, "small", 100);
  void modest.request("SET", "a", Buffer.alloc(30_000, "x"));
  expect(await modest.readReply()).toBe("+OK\r\n");
  expect(plane.waitingRoom.size).toBeGreaterThan(10);
  for (const client of greedy) client.close();
  modest.close();
  await plane.expectIdle();
}, 30_000);

test("requests that were read go on when their server does, however full it is", async () => {
  await using redis = await RedisServer.start();
  const limits = { bufferBytesMax: 2 * MB, roomWaitMs: 60_000 };
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] }, limits);
  const requests = "SET a 1\r\n".repeat(20_000);
  const clients = await Promise.all(Array.from({ length: 30 }, () => plane.connect()));
  redis.freeze();
  for (const client of clients) {
    client.deadlineMs = 50_000;
    void client.send(requests);
  }
  await eventually(() => plane.chunkPool.shareBytes === 0 && plane.waitingRoom.size > 0);
  redis.thaw();
  const replies = "+OK\r\n".repeat(20_000);
  for (const client of clients) {
    expect((await client.readExactly(replies.length)).toString() === replies).toBe(true);
    client.close();
  }
  await plane.expectIdle();
}, 120_000);
