/**
 * One reply from the replies of two servers, keys by turns: coalesce beside decoding both into
 * strings and writing an array anew. Values of 64 bytes.
 */
import { bench, do_not_optimize, group, run, summary } from "mitata";
import { ByteChain } from "../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import { coalesce } from "../../src/protocol/redis/coalesce.ts";
import { CoalesceAs } from "../../src/protocol/redis/command-row.ts";
import { SplitRequest } from "../../src/protocol/split-request.ts";

const SERVERS = 2;
const VALUE = `$64\r\n${"x".repeat(64)}\r\n`;

function replyOf(count: number): Buffer {
  return Buffer.from(`*${count}\r\n${VALUE.repeat(count)}`);
}

function benchCoalesce(keyCount: number, reply: Buffer): void {
  const request = new SplitRequest();
  request.begin(keyCount);
  for (let i = 0; i < keyCount; i++) request.fragmentOfKey[i] = i % SERVERS;
  request.group(SERVERS);
  request.coalesceAs = CoalesceAs.Values;
  for (let i = 0; i < SERVERS; i++) request.takeFragment().setReply(reply, 0, reply.length);
  const target = new ByteChain(new ChunkPool(16_384));
  bench("coalesce", () => {
    if (!coalesce(request, target)) throw new Error("no array");
    do_not_optimize(target.sizeBytes);
    target.clear();
  });
}

/** The values of one reply, as strings. */
function decoded(reply: Buffer, count: number): string[] {
  const text = reply.toString("latin1");
  const values: string[] = [];
  let at = text.indexOf("\n") + 1;
  for (let i = 0; i < count; i++) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = Number(text.slice(at + 1, lineEnd));
    values.push(text.slice(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
  return values;
}

function benchStrings(keyCount: number, reply: Buffer): void {
  bench("decode to strings, encode", () => {
    const replies = Array.from({ length: SERVERS }, () => decoded(reply, keyCount / SERVERS));
    let text = `*${keyCount}\r\n`;
    for (let i = 0; i < keyCount; i++) {
      const value = replies[i % SERVERS]?.[Math.floor(i / SERVERS)] ?? "";
      text += `$${value.length}\r\n${value}\r\n`;
    }
    do_not_optimize(Buffer.from(text, "latin1"));
  });
}

for (const keyCount of [2, 20, 100, 3000]) {
  const reply = replyOf(keyCount / SERVERS);
  group(`${keyCount} keys`, () => {
    summary(() => {
      benchCoalesce(keyCount, reply);
      benchStrings(keyCount, reply);
    });
  });
}

await run();
