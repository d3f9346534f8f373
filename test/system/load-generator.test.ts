/**
 * The load generator of bench/load: it finishes what it starts, and notices a wrong reply.
 */
import { expect, test } from "bun:test";
import { fill, runLoad } from "../../bench/load/load.ts";
import { keyOf } from "../../bench/load/wire.ts";
import { Workload } from "../../bench/load/workload.ts";
import { eventually } from "../support/eventually.ts";
import { MemcachedPool, setOf } from "../support/memcached-pool.ts";
import { ask } from "../support/memcached-replies.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { ScriptedServer } from "../support/scripted-server.ts";

const HOST = "127.0.0.1";

test.each([
  [64, 1],
  [64, 32],
  [100_000, 4],
])("every command, values of %d bytes, pipeline of %d", async (valueSizeBytes, pipeline) => {
  await using pool = await RedisPool.start({ servers: 2 });
  const sizes = {
    protocol: "redis",
    keyCount: 100,
    valueSizeBytes,
    mgetKeys: 7,
    msetKeys: 3,
  } as const;
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
  const sizes = { keyCount: 3, valueSizeBytes: 7, mgetKeys: 2, msetKeys: 2 };
  const workload = new Workload({ protocol: "redis", ...sizes });
  const options = { host: HOST, port: server.port, connections: 2, pipeline: 1 };
  const mix = reply.startsWith("+OK") ? { set: 1 } : { get: 1 };
  const run = runLoad({ ...options, requests: 50, mix, seed: 1 }, workload);
  await expect(run).rejects.toThrow(/wrong reply|nobody asked for/);
  const what = "the run leaves no connection behind";
  await eventually(() => server.openPeers.length === 0, { what });
});

/** A load for memcached: 100 keys with values of 64 bytes. */
function memcachedWorkload(): Workload {
  const sizes = { keyCount: 100, valueSizeBytes: 64, mgetKeys: 20, msetKeys: 1 };
  return new Workload({ protocol: "memcached", ...sizes });
}

test.each([1, 16])("memcached: get, set and get of 20 keys, pipeline of %d", async (pipeline) => {
  await using pool = await MemcachedPool.start({ servers: 2 });
  const target = { host: HOST, port: pool.proxy.port() };
  const workload = memcachedWorkload();
  await fill(target, workload);
  const mix = { get: 40, set: 30, mget: 30 };
  const load = { ...target, connections: 5, pipeline, requests: 1000, mix, seed: 7 };
  expect((await runLoad(load, workload)).requests).toBe(1000);
  const client = await pool.connect();
  const keys = Array.from({ length: 100 }, (_, index) => keyOf(index));
  const reply = await ask(client, `get ${keys.join(" ")}\r\n`);
  const values = keys.map((key, index) => {
    const value = `${index}:${key}|`.repeat(4).slice(0, 64);
    return `VALUE ${key} 0 64\r\n${value}\r\n`;
  });
  expect(reply).toBe(`${values.join("")}END\r\n`);
});

test.each([
  ["a value that belongs to another key", setOf(keyOf(7), `8:${keyOf(8)}|`.repeat(4).slice(0, 64))],
  ["a key that is gone", `delete ${keyOf(7)}\r\n`],
])("memcached: %s ends the run, asked alone or among others", async (_, mistake) => {
  await using pool = await MemcachedPool.start({ servers: 2 });
  const target = { host: HOST, port: pool.proxy.port() };
  const workload = memcachedWorkload();
  await fill(target, workload);
  await ask(await pool.connect(), mistake);
  for (const mix of [{ get: 1 }, { mget: 1 }]) {
    const load = { ...target, connections: 2, pipeline: 4, requests: 2000, mix, seed: 1 };
    await expect(runLoad(load, workload)).rejects.toThrow("wrong reply");
  }
});

test("memcached: several keys cannot be set at once", async () => {
  const workload = memcachedWorkload();
  expect(() => workload.exchange("mset", () => 0)).toThrow("memcached has no request");
});
