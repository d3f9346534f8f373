/**
 * The open loop of bench/load: it checks every reply, and counts from the moment when a request
 * should have been sent.
 */
import { expect, test } from "bun:test";
import { fill } from "../../bench/load/load.ts";
import { Workload } from "../../bench/load/workload.ts";
import { outputOf } from "../../bench/load/run.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { RedisServer } from "../support/redis-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";

const PROGRAM = `${import.meta.dir}/../../bench/load/open-loop.ts`;
const SIZES = { keyCount: 100, valueSizeBytes: 64, mgetKeys: 20, msetKeys: 10 };

interface Result {
  readonly requests: number;
  readonly latencyMs: Record<string, number>;
}

/** In a process of its own, as the loop blocks the one it runs in. */
async function openLoop(port: number, options: Record<string, string | number>): Promise<Result> {
  const all = { port, keys: SIZES.keyCount, connections: 5, ...options };
  const words = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return JSON.parse(await outputOf([process.execPath, PROGRAM, ...words])) as Result;
}

const SERVERS = { redis: RedisServer, memcached: MemcachedServer };

test.each(["redis", "memcached"] as const)("every reply of %s is compared", async (protocol) => {
  await using server = await SERVERS[protocol].start();
  await fill({ host: "127.0.0.1", port: server.port }, new Workload({ protocol, ...SIZES }));
  const mix = protocol === "redis" ? "get=40,set=30,mget=20,mset=10" : "get=40,set=30,mget=30";
  const load = { protocol, rate: 20_000, requests: 2000 };
  expect((await openLoop(server.port, { ...load, mix })).requests).toBe(2000);
  const wrong = openLoop(server.port, { ...load, "value-size": 63 });
  await expect(wrong).rejects.toThrow("wrong reply");
});

test("requests are sent without waiting, and latencies count from when they should be", async () => {
  const held = 500;
  let asked = 0;
  const waiting: (() => void)[] = [];
  // No reply before 500 requests have come, which takes half a second at this rate.
  using server = ScriptedServer.start((peer) => {
    waiting.push(() => peer.write("+OK\r\n"));
    if (++asked >= held) for (const answer of waiting.splice(0)) answer();
  });
  const load = { mix: "set=1", rate: 1000, requests: 2 * held };
  const { latencyMs } = await openLoop(server.port, load);
  expect(asked).toBe(2 * held);
  expect(latencyMs["max"]).toBeGreaterThan(held * 0.8);
});

test("nobody listens", async () => {
  const server = await RedisServer.start();
  const { port } = server;
  await server.kill();
  await expect(openLoop(port, { rate: 1000, requests: 10 })).rejects.toThrow("refused");
});
