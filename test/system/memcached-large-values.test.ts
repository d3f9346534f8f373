/**
 * Values up to the limit of the servers and beyond it, in both directions.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { MemcachedPool } from "../support/memcached-pool.ts";
import { ask, askAll, readReply } from "../support/memcached-replies.ts";
import type { RawClient } from "../support/raw-client.ts";

const MB = 1024 * 1024;
let pool: MemcachedPool;
let client: RawClient;

beforeAll(async () => {
  pool = await MemcachedPool.start({ server: { args: ["-I", "16m", "-m", "256"] } });
  client = await pool.connect();
  client.deadlineMs = 20_000;
});

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

/** Bytes in which every place can be told from every other. */
function valueOf(sizeBytes: number): Buffer {
  const value = Buffer.alloc(sizeBytes);
  for (let at = 0; at + 4 <= sizeBytes; at += 4) value.writeUInt32LE(at, at);
  return value;
}

function store(key: string, value: Buffer, more = ""): Buffer {
  return Buffer.concat([
    Buffer.from(`set ${key} 0 0 ${value.length}${more}\r\n`),
    value,
    Buffer.from("\r\n"),
  ]);
}

async function expectValue(key: string, value: Buffer): Promise<void> {
  void client.send(`get ${key}\r\n`);
  expect(await client.readLine()).toBe(`VALUE ${key} 0 ${value.length}\r\n`);
  const got = await client.readExactly(value.length);
  expect(got.equals(value)).toBe(true);
  expect((await client.readExactly(7)).toString()).toBe("\r\nEND\r\n");
}

test.each([
  0,
  1,
  8190,
  8191,
  8192,
  16_383,
  16_384,
  16_385,
  65_535,
  65_536,
  1_000_000,
  MB,
  5 * MB,
  15 * MB,
])("a value of %p bytes", async (sizeBytes) => {
  const value = valueOf(sizeBytes);
  expect(await ask(client, store("large", value))).toBe("STORED\r\n");
  await expectValue("large", value);
  expect(await askAll(client, store("silent", value, " noreply"))).toEqual([]);
  await expectValue("silent", value);
  const meta = Buffer.concat([
    Buffer.from(`ms meta ${sizeBytes} q c\r\n`),
    value,
    Buffer.from("\r\n"),
  ]);
  expect(await askAll(client, meta)).toEqual([]);
  const reply = await ask(client, "mg meta v\r\n");
  expect(reply === `VA ${sizeBytes}\r\n${value.toString("latin1")}\r\n`).toBe(true);
});

test("one after the other, without waiting for replies", async () => {
  const values = Array.from({ length: 12 }, (_, i) => valueOf(MB + i));
  void client.send(Buffer.concat(values.map((value, i) => store(`many${i}`, value))));
  for (const _ of values) expect(await readReply(client)).toBe("STORED\r\n");
  for (const [i, value] of values.entries()) await expectValue(`many${i}`, value);
});

test("a value that is too large for the server: its own words, and all goes on", async () => {
  for (const sizeBytes of [17 * MB, 40 * MB]) {
    expect(await ask(client, store("over", valueOf(sizeBytes)))).toBe(
      "SERVER_ERROR object too large for cache\r\n",
    );
    expect(await ask(client, "get over\r\n")).toBe("END\r\n");
  }
  expect((await pool.proxy.serverStats("s0"))["server_eof"]).toBe(0);
});

test("a client that sends slowly holds up nobody", async () => {
  const slow = await pool.connect();
  const value = valueOf(MB);
  const bytes = store("slow", value);
  await slow.send(bytes.subarray(0, bytes.length / 2));
  expect(await ask(client, "get other\r\n")).toBe("END\r\n");
  await slow.send(bytes.subarray(bytes.length / 2));
  expect(await readReply(slow)).toBe("STORED\r\n");
  await expectValue("slow", value);
  slow.close();
});

test("a client that leaves in the middle of a value leaves nothing behind", async () => {
  const leaving = await pool.connect();
  await leaving.send(store("left", valueOf(MB)).subarray(0, MB / 2));
  leaving.close();
  expect(await ask(client, "get left\r\n")).toBe("END\r\n");
});
