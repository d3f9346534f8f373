/**
 * Large values pass whole, both ways, alone and among small ones.
 *
 * NUTCRACKER_TEST_HUGE=1 adds 512 MB, the largest value Redis takes.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk, encodeRequest } from "../support/resp.ts";

const MB = 1024 * 1024;

let pool: RedisPool;
let client: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
  client = await pool.connect();
  client.deadlineMs = 60_000;
});

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

/** Bytes of which no two stretches are alike, so that a lost or doubled piece shows. */
function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, size >> 2);
  for (let index = 0; index < words.length; index++) {
    words[index] = Math.imul(index + seed, 2_654_435_761);
  }
  for (let index = words.length * 4; index < size; index++) bytes[index] = seed;
  return bytes;
}

function start(value: Buffer): string {
  return `$${value.length}\r\n`;
}

async function expectBulk(value: Buffer): Promise<void> {
  const reply = await client.readExactly(start(value).length + value.length + 2);
  expect(reply.subarray(0, start(value).length).toString()).toBe(start(value));
  const body = reply.subarray(start(value).length, start(value).length + value.length);
  expect(body.equals(value)).toBe(true);
}

const SIZES = [16_335, 16_336, 16_337, 65_536, 524_287, 524_288, MB, MB + 1, 16 * MB, 64 * MB];
const HUGE = process.env["NUTCRACKER_TEST_HUGE"] === "1" ? [512 * MB] : [];

test.each([...SIZES, ...HUGE])(
  "SET and GET of %d bytes",
  async (size) => {
    const value = pattern(size, size);
    const [key] = (await pool.keysOf(0, 1)) as [string];
    expect(await client.call("SET", key, value)).toBe("+OK\r\n");
    expect(await client.value("STRLEN", key)).toBe(size);
    void client.request("GET", key);
    await expectBulk(value);
    expect(await client.call("DEL", key)).toBe(":1\r\n");
  },
  120_000,
);

test("a value beyond 512 MB is refused", async () => {
  const other = await pool.connect();
  void other.send(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${512 * MB + 1}\r\n`);
  expect(await other.readToEnd()).toStartWith("-ERR Protocol error");
});

test("MSET and MGET with large values on several servers", async () => {
  const keys = (await Promise.all([pool.keysOf(0, 3), pool.keysOf(1, 3)])).flat();
  const values = keys.map((_, index) => pattern(4 * MB + index, index + 1));
  const pairs = keys.flatMap((key, index) => [key, values[index] as Buffer]);
  expect(await client.call("MSET", ...pairs)).toBe("+OK\r\n");
  const order = [3, 0, 4, 1, 1, 5, 2];
  void client.request("MGET", ...order.map((index) => keys[index] as string));
  expect(await client.readLine()).toBe(`*${order.length}\r\n`);
  for (const index of order) await expectBulk(values[index] as Buffer);
  expect(await client.call("UNLINK", ...keys)).toBe(":6\r\n");
}, 60_000);

test("small requests around a large one keep their order; others are not held up", async () => {
  const [key, small] = (await pool.keysOf(0, 2)) as [string, string];
  const value = pattern(8 * MB, 7);
  await pool.fill([small]);
  const neighbour = await pool.connect();
  // A client that is slow to send its large value holds up nobody.
  const request = encodeRequest(["SET", key, value]);
  await client.send(request.subarray(0, 3 * MB));
  expect(await neighbour.call("GET", small)).toBe(bulk(valueOf(small)));
  await client.send(request.subarray(3 * MB));
  void client.send(
    Buffer.concat([
      encodeRequest(["GET", small]),
      encodeRequest(["GET", key]),
      encodeRequest(["PING"]),
      encodeRequest(["GET", small]),
    ]),
  );
  expect(await client.readReply()).toBe("+OK\r\n");
  expect(await client.readReply()).toBe(bulk(valueOf(small)));
  await expectBulk(value);
  expect(await client.readReplies(2)).toEqual(["+PONG\r\n", bulk(valueOf(small))]);
  neighbour.close();
}, 60_000);

test("a large array passes as it is", async () => {
  const [key] = (await pool.keysOf(1, 1)) as [string];
  const elements = Array.from({ length: 50_000 }, (_, index) => `element ${index}`);
  for (let at = 0; at < elements.length; at += 10_000) {
    await client.call("RPUSH", key, ...elements.slice(at, at + 10_000));
  }
  const reply = await client.call("LRANGE", key, "0", "-1");
  expect(reply === `*50000\r\n${elements.map((element) => bulk(element)).join("")}`).toBe(true);
});

test("with the smallest chunks", async () => {
  await using tiny = await RedisPool.start({ servers: 2, args: ["-m", "512"] });
  const value = pattern(MB, 3);
  const keys = (await Promise.all([tiny.keysOf(0, 1), tiny.keysOf(1, 1)])).flat();
  const long = "k".repeat(400);
  const other = await tiny.connect();
  const pairs = [...keys, long].flatMap((key) => [key, value]);
  expect(await other.call("MSET", ...pairs)).toBe("+OK\r\n");
  const element = start(value) + value.toString("latin1") + "\r\n";
  const reply = await other.call("MGET", ...keys, long);
  expect(reply === `*3\r\n${element.repeat(3)}`).toBe(true);
  other.close();
});
