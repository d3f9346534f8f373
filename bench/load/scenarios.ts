/**
 * The scenarios of the side-by-side run: one row each, with the driver that makes the load.
 *
 * redis-benchmark drives what its tests can; everything else is driven by load.ts, which also
 * checks every reply.
 */
import type { ProtocolName } from "./workload.ts";

interface Common {
  readonly name: string;
  readonly protocol: ProtocolName;
  readonly connections: number;
  readonly pipeline: number;
  readonly keyCount: number;
  readonly valueSizeBytes: number;
  /** Requests of one round; about a second of work for the slower of the two proxies. */
  readonly requests: number;
  /** Limit of CPU per request, ours over nutcracker's, to be reached; null where none is set. */
  readonly wanted: number | null;
}

/** Driven by redis-benchmark -t. */
export interface BenchmarkScenario extends Common {
  readonly driver: "redis-benchmark";
  readonly test: "get" | "set";
}

/** Driven by load.ts. */
export interface LoadScenario extends Common {
  readonly driver: "load";
  readonly mix: string;
}

export type Scenario = BenchmarkScenario | LoadScenario;

/** What all scenarios with small values have in common. */
const SMALL = { connections: 50, keyCount: 10_000, valueSizeBytes: 64 } as const;

function benchmark(
  test: "get" | "set",
  pipeline: number,
  requests: number,
  wanted: number,
): Scenario {
  const name = `${test}-p${pipeline}`;
  const limits = { pipeline, requests, wanted };
  return { ...SMALL, ...limits, driver: "redis-benchmark", protocol: "redis", name, test };
}

function multi(mix: "mget" | "mset", pipeline: number, requests: number, wanted: number): Scenario {
  const name = `${mix}-p${pipeline}`;
  const limits = { pipeline, requests, wanted };
  return { ...SMALL, ...limits, driver: "load", protocol: "redis", name, mix: `${mix}=100` };
}

function large(
  name: string,
  valueSizeBytes: number,
  connections: number,
  requests: number,
): Scenario {
  const keyCount = Math.min(2000, Math.floor(64_000_000 / valueSizeBytes));
  const load = { mix: "get=100", connections, pipeline: 1, requests, wanted: 1.05 };
  return { driver: "load", protocol: "redis", name, keyCount, valueSizeBytes, ...load };
}

function memcached(
  mix: "get" | "set" | "mget",
  pipeline: number,
  requests: number,
  wanted: number | null,
): Scenario {
  const name = `mc-${mix}-p${pipeline}`;
  const limits = { pipeline, requests, wanted };
  return { ...SMALL, ...limits, driver: "load", protocol: "memcached", name, mix: `${mix}=100` };
}

export const SCENARIOS: readonly Scenario[] = [
  benchmark("get", 1, 80_000, 0.95),
  benchmark("set", 1, 80_000, 0.95),
  benchmark("get", 16, 400_000, 0.4),
  benchmark("set", 16, 400_000, 0.4),
  benchmark("get", 100, 600_000, 0.12),
  benchmark("set", 100, 600_000, 0.12),
  multi("mget", 1, 40_000, 0.9),
  multi("mget", 16, 60_000, 0.5),
  multi("mset", 1, 40_000, 0.9),
  multi("mset", 16, 60_000, 0.5),
  large("get-16k", 16 * 1024, 20, 30_000),
  large("get-256k", 256 * 1024, 20, 6000),
  large("get-1m", 1024 * 1024, 10, 1500),
  memcached("get", 1, 60_000, 0.95),
  memcached("set", 1, 60_000, 0.95),
  memcached("get", 16, 200_000, 0.4),
  memcached("set", 16, 200_000, 0.4),
  memcached("get", 100, 200_000, 0.15),
  memcached("set", 100, 200_000, 0.15),
  memcached("mget", 1, 30_000, null),
];
