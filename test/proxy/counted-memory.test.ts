/**
 * What holds memory without being a reply that waits or a request that is half there: it counts as
 * well, and goes when nobody has a use for it.
 */
import { expect, test } from "bun:test";
import type { ByteChain } from "../../src/lib/byte-chain.ts";
import { eventually } from "../support/eventually.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

const MB = 1024 * 1024;

test("the proxy's own replies, while they wait behind another one", async () => {
  using hanging = ScriptedServer.start(() => {});
  const bufferBytesMax = 16 * MB;
  using plane = await DataPlane.start({ servers: [`${hanging.item}:1 s0`] }, { bufferBytesMax });
  const client = await plane.connect();
  void client.request("GET", "a");
  const echo = encodeRequest(["ECHO", Buffer.alloc(MB, "x")]);
  void client.send(Buffer.concat(Array(40).fill(echo))).catch(() => {});
  await eventually(() => plane.chunkPool.bytesInUse > 4 * MB);
  await Bun.sleep(100);
  expect(plane.chunkPool.bytesInUse).toBeLessThan(bufferBytesMax);
  client.reset();
  plane[Symbol.dispose]();
  await eventually(() => plane.chunkPool.bytesInUse === 0);
});

test("fragments that are answered go with their client, while the slowest is waited for", async () => {
  using hanging = ScriptedServer.start(() => {});
  using good = ScriptedServer.start((peer) => peer.write(`*1\r\n${bulk("x".repeat(MB))}`));
  using plane = await DataPlane.start({
    servers: [`${hanging.item}:1 s0`, `${good.item}:1 s1`],
  });
  const client = await plane.connect();
  void client.request("MGET", plane.keyOn(0), plane.keyOn(1));
  await eventually(() => plane.chunkPool.bytesInUse > MB);
  client.reset();
  await eventually(() => plane.listener.clients.size === 0);
  expect(plane.counters(0).outQueue).toBe(1);
  expect(plane.chunkPool.bytesInUse).toBe(0);
});

test("half a request does not keep the chunk that it came in", async () => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  const client = await plane.connectSettled();
  const half = encodeRequest(["SET", "k", Buffer.alloc(60_000, "x")]).subarray(0, 9000);
  const pings = 16_000;
  await client.send(Buffer.concat([Buffer.from("*1\r\n$4\r\nPING\r\n".repeat(pings)), half]));
  await client.readReplies(pings);
  const [one] = plane.listener.clients;
  const chainOf = () => (one as unknown as { partial: ByteChain | null }).partial;
  await eventually(() => chainOf()?.sizeBytes === half.length);
  for (let s = chainOf()?.head ?? null; s !== null; s = s.next) {
    // How much the last read brought is the kernel's business.
    expect(s.bytes.length).toBeLessThanOrEqual(Math.max(16 * 1024, 8 * (s.end - s.start)));
  }
  client.close();
  await plane.expectIdle();
});

test("a large reply that its client does not want to see is not gathered", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[1] === "large") peer.write(`$40000000\r\n${"x".repeat(20 * MB)}`);
    else peer.write("$-1\r\n");
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  let largest = 0;
  await client.send("CLIENT REPLY OFF\r\nGET large\r\n");
  await eventually(() => {
    largest = Math.max(largest, plane.chunkPool.bytesInUse);
    return plane.counters().responseBytes > 19 * MB;
  });
  expect(largest).toBeLessThan(2 * MB);
  client.close();
});

test("the indexes of a request with many keys", async () => {
  const held: (() => void)[] = [];
  using server = ScriptedServer.start((peer, args) =>
    held.push(() => peer.write(`:${args.length - 1}\r\n`)),
  );
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`, `${server.item.replace("127.0.0.1", "127.0.0.2")}:1 s1`],
  });
  const client = await plane.connect();
  const keys = Array.from({ length: 50_000 }, (_, i) => `k${i}`);
  void client.request("DEL", ...keys);
  await eventually(() => held.length >= 1 && plane.chunkPool.bytesInUse >= keys.length * 8);
  client.reset();
  plane[Symbol.dispose]();
  await eventually(() => plane.chunkPool.bytesInUse === 0);
});
