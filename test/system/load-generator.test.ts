/**
 * The load generator of bench/load: it finishes what it starts, and notices a wrong reply.
 */
import { expect, test } from "bun:test";
import { fill, runLoad } from "../../bench/load/load.ts";
import { keyOf, Workload } from "../../bench/load/workload.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { ScriptedServer } from "../support/scripted-server.ts";

const HOST = "127.0.0.1";

test.each([
  [64, 1],
  [64, 32],
  [100_000, 4],
])("every command, values of %d bytes, pipeline of %d", async (valueSizeBytes, pipeline) => {
  await using pool = await RedisPool.start({ servers: 2 });
  const sizes = { keyCount: 100, valueSizeBytes, mgetKeys: 7, msetKeys: 3 };
  const workload = new Workload(sizes);
  const target = { host: HOST, port: pool.proxy.port() };
  await fill(target, workload);
  const result = await runLoad(
    {
      ...target,
      connections: 5,
      pipeline,
      requests: 1000,
      mix: { get: 40, set: 30, mget: 20, mset: 10 },
      seed: 7,
    },
    workload,
  );
  expect(result.requests).toBe(1000);
  expect(result.requestsPerSecond).toBeGreaterThan(0);
  expect(result.latencyMs.p50).toBeLessThanOrEqual(result.latencyMs.max);
  const placed = await Promise.all(pool.servers.map((server) => server.keys()));
  expect(placed.flat().sort()).toEqual(Array.from({ length: 100 }, (_, index) => keyOf(index)));
});

test.each([
  ["a value that belongs to another key", "$7\r\n0:key:0\r\n"],
  ["an error", "-ERR unknown\r\n"],
  ["a reply too many", "+OK\r\n+OK\r\n"],
])("%s ends the run", async (_, reply) => {
  using server = ScriptedServer.start((peer, args) =>
    peer.write(args[0] === "SET" && !reply.startsWith("+OK") ? "+OK\r\n" : reply),
  );
  const workload = new Workload({ keyCount: 3, valueSizeBytes: 7, mgetKeys: 2, msetKeys: 2 });
  const options = { host: HOST, port: server.port, connections: 1, pipeline: 1 };
  const mix = reply.startsWith("+OK") ? { set: 1 } : { get: 1 };
  const run = runLoad({ ...options, requests: 50, mix, seed: 1 }, workload);
  await expect(run).rejects.toThrow(/wrong reply|nobody asked for/);
});
