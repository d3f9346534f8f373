/**
 * Keys, values and heads that lie across chunk boundaries: small chunks, requests cut anywhere, and
 * three real servers, against a map in memory.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisServer } from "../support/redis-server.ts";
import type { RawClient } from "../support/raw-client.ts";
import { encodeRequest } from "../support/resp.ts";
import { type SeededRandom, withSeed } from "../support/seeded-random.ts";
import { DataPlane } from "./data-plane.ts";

const SIZES = [0, 1, 5, 100, 450, 500, 511, 512, 513, 1000, 5000, 8191, 8192, 20_000];
let servers: RedisServer[] = [];

beforeAll(async () => {
  servers = await RedisServer.startMany(3);
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});

function start(chunkSizeBytes: number): Promise<DataPlane> {
  const items = servers.map((server, index) => `${server.item}:1 s${index}`);
  return DataPlane.start({ servers: items, hash_tag: "{}" }, { chunkSizeBytes });
}

/** Sends in pieces; small ones make the proxy copy, large ones make it share. */
async function sendCut(random: SeededRandom, client: RawClient, bytes: Buffer): Promise<void> {
  const pieces = random.cut(bytes, random.pick([1, 3, 200]));
  for (const piece of pieces) {
    await client.send(piece);
    // Lets the piece arrive as a chunk of its own.
    await new Promise((done) => setImmediate(done));
  }
}

function bulkOf(value: Buffer | undefined): Buffer {
  if (value === undefined) return Buffer.from("$-1\r\n");
  return Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from("\r\n")]);
}

async function rounds(random: SeededRandom, plane: DataPlane): Promise<void> {
  const model = new Map<string, Buffer>();
  const client = await plane.connect();
  const prefix = `${random.next()}:`;
  const keys = Array.from({ length: 40 }, (_, i) => {
    const key = `${prefix}${i}:${"k".repeat(random.pick(SIZES))}`;
    return random.chance(0.3) ? `{${key}}${i}` : key;
  });
  const expectReply = async (expected: Buffer) => {
    const reply = await client.readExactly(expected.length);
    if (!reply.equals(expected)) expect(reply.toString("latin1")).toBe(expected.toString("latin1"));
  };
  for (let round = 0; round < 25; round++) {
    const some = Array.from({ length: random.between(1, 30) }, () => random.pick(keys));
    const values = some.map(() => random.bytes(8)).map((b) => Buffer.alloc(random.pick(SIZES), b));
    const sets = some.flatMap((key, i) => [key, values[i]!]);
    const gone = random.shuffle(some).slice(0, 3);
    const counted = [...some, ...gone];
    const requests = [
      encodeRequest(["MSET", ...sets]),
      encodeRequest(["MGET", ...counted]),
      encodeRequest(["DEL", ...gone]),
      encodeRequest(["EXISTS", ...counted]),
      encodeRequest(["MGET", ...counted]),
    ];
    await sendCut(random, client, Buffer.concat(requests));
    for (const [i, key] of some.entries()) model.set(key, values[i]!);
    const mget = () => {
      const bulks = counted.map((key) => bulkOf(model.get(key)));
      return Buffer.concat([Buffer.from(`*${counted.length}\r\n`), ...bulks]);
    };
    await expectReply(Buffer.from("+OK\r\n"));
    await expectReply(mget());
    await expectReply(Buffer.from(`:${new Set(gone).size}\r\n`));
    for (const key of gone) model.delete(key);
    await expectReply(Buffer.from(`:${counted.filter((key) => model.has(key)).length}\r\n`));
    await expectReply(mget());
  }
  client.close();
}

test.each([512, 513, 4096, 16_384])(
  "chunks of %p bytes",
  async (chunkSizeBytes) => {
    using plane = await start(chunkSizeBytes);
    await withSeed(async (random) => {
      for (let i = 0; i < 3; i++) await rounds(random, plane);
    });
    await plane.expectIdle();
  },
  60_000,
);
