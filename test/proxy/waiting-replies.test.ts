/**
 * Replies that wait for others: what they keep in memory, and that they stay what they are.
 */
import { expect, test } from "bun:test";
import { ByteChain } from "../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import { giveRequest, type Request, takeRequest } from "../../src/protocol/request.ts";
import { eventually } from "../support/eventually.ts";
import { bulk } from "../support/resp.ts";
import type { Peer } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { type SeededRandom, withSeed } from "../support/seeded-random.ts";
import { DataPlane } from "./data-plane.ts";

const pool = new ChunkPool(512);

/** Bytes that stay in memory because of the reply. */
function keptBytes(request: Request): number {
  return request.replyBytes.length;
}

function keepAny(random: SeededRandom): void {
  const chunk = random.bytes(random.pick([100, 16_000, 16_385, 70_000]));
  const kept = Array.from({ length: 200 }, () => {
    const start = random.integer(chunk.length);
    const end = random.between(
      start,
      Math.min(chunk.length, start + random.pick([5, 300, 20_000])),
    );
    const request = takeRequest(null);
    request.setReply(chunk, start, end);
    request.keepReply(pool);
    return { request, expected: Buffer.from(chunk.subarray(start, end)) };
  });
  for (const { request, expected } of kept) {
    const { replyBytes, replyStart, replyEnd } = request;
    expect(replyBytes.subarray(replyStart, replyEnd).equals(expected)).toBe(true);
    expect(keptBytes(request)).toBeLessThanOrEqual(Math.max(16 * 1024, 8 * expected.length));
    giveRequest(request);
  }
}

test("any reply of any chunk is the same afterwards, and keeps little", () =>
  withSeed((random) => {
    for (let i = 0; i < 50; i++) keepAny(random);
  }));

test("a reply that came in pieces or failed is left alone", () => {
  const request = takeRequest(null);
  const chain = { clear() {} } as ByteChain;
  request.replyChain = chain;
  request.keepReply(pool);
  expect(request.replyChain).toBe(chain);
  expect(request.replyBytes.length).toBe(0);
  giveRequest(request);
});

test("what waits is counted, and no more than that is taken back", () => {
  const counted = new ChunkPool(512);
  const request = takeRequest(null);
  // As a request that failed; its record is the next one's.
  request.keepReply(counted);
  giveRequest(request);
  const again = takeRequest(null);
  expect(again).toBe(request);
  again.replyChain = new ByteChain(counted);
  again.replyChain.append(Buffer.alloc(300), 0, 300);
  again.keepReply(counted);
  expect(counted.bytesInUse).toBe(512);
  giveRequest(again);
  const piece = takeRequest(null);
  piece.setReply(Buffer.alloc(300), 100, 300);
  piece.keepReply(counted);
  expect(counted.bytesInUse).toBe(200);
  giveRequest(piece);
  expect(counted.bytesInUse).toBe(0);
});

test("small replies behind one that hangs do not keep the large ones they came with", async () => {
  const held: (() => void)[] = [];
  const large = bulk("x".repeat(300_000));
  using hanging = ScriptedServer.start((peer, args) => {
    held.push(() => answer(peer, args));
  });
  const answer = (peer: Peer, args: readonly string[]) => {
    const [name = "", ...keys] = args;
    if (name !== "mget") peer.write(keys[0]!.startsWith("large") ? large : bulk(keys[0]!));
    else peer.write(`*${keys.length}\r\n${keys.map(bulk).join("")}`);
  };
  using quick = ScriptedServer.start(answer);
  const servers = [`${hanging.item}:1 s0`, `${quick.item}:1 s1`];
  using plane = await DataPlane.start({ servers });
  const keyOn = (server: number, prefix: string) => {
    for (let i = 0; ; i++) {
      const key = `${prefix}${i}`;
      if (plane.pool.serverIndexOf(Buffer.from(key), 0, key.length) === server) return key;
    }
  };
  const [hangs, small, big] = [keyOn(0, "hangs"), keyOn(1, "small"), keyOn(1, "large")];
  const [waiting, busy] = [await plane.connectSettled(small), await plane.connect()];
  void waiting.request("GET", hangs);
  await eventually(() => held.length === 1);
  const requests = (plane.listener.clients.values().next().value as unknown as Waiting).requests;
  const rounds = 40;
  for (let i = 0; i < rounds; i++) {
    void waiting.request("GET", small);
    void waiting.request("MGET", small, hangs);
    expect(await busy.call("GET", big)).toBe(large);
  }
  await eventually(() => held.length === rounds + 1);
  const chunks = new Set<Buffer>();
  for (let i = 0; i < requests.length; i++) {
    const request = requests.at(i);
    for (const one of [request, ...(request.fragments ?? [])]) chunks.add(one.replyBytes);
  }
  const keptSize = [...chunks].reduce((sum, chunk) => sum + chunk.length, 0);
  expect(keptSize).toBeLessThan(rounds * 2 * 16 * 1024);
  for (const release of held.splice(0)) release();
  expect(await waiting.readReply()).toBe(bulk(hangs));
  for (let i = 0; i < rounds; i++) {
    expect(await waiting.readReply()).toBe(bulk(small));
    expect(await waiting.readReply()).toBe(`*2\r\n${bulk(small)}${bulk(hangs)}`);
  }
  waiting.close();
  busy.close();
  await plane.expectIdle();
});

interface Waiting {
  readonly requests: {
    readonly length: number;
    at(index: number): Request & { readonly fragments?: readonly Request[] };
  };
}
