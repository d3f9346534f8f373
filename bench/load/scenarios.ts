/**
 * The scenarios of the side-by-side run: one row each, with the driver that makes the load.
 *
 * redis-benchmark drives what its tests can; everything else is driven by load.ts, which also
 * checks every reply.
 */

interface Common {
  readonly name: string;
  readonly connections: number;
  readonly pipeline: number;
  /** Requests of one round; about a second of work for the slower of the two proxies. */
  readonly requests: number;
  /** Limits of CPU per request, ours over nutcracker's, that the project wants to reach. */
  readonly wanted: number;
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
  readonly keyCount: number;
  readonly valueSizeBytes: number;
}

export type Scenario = BenchmarkScenario | LoadScenario;

/** Bytes of the values that redis-benchmark reads and writes, and the number of its keys. */
export const BENCHMARK_VALUE_BYTES = 64;
export const BENCHMARK_KEYS = 10_000;

function benchmark(
  test: "get" | "set",
  pipeline: number,
  requests: number,
  wanted: number,
): Scenario {
  const name = `${test}-p${pipeline}`;
  return { driver: "redis-benchmark", name, test, connections: 50, pipeline, requests, wanted };
}

function multi(mix: "mget" | "mset", pipeline: number, requests: number, wanted: number): Scenario {
  const name = `${mix}-p${pipeline}`;
  const keys = { keyCount: BENCHMARK_KEYS, valueSizeBytes: BENCHMARK_VALUE_BYTES };
  return {
    driver: "load",
    name,
    mix: `${mix}=100`,
    connections: 50,
    pipeline,
    requests,
    wanted,
    ...keys,
  };
}

function large(
  name: string,
  valueSizeBytes: number,
  connections: number,
  requests: number,
): Scenario {
  const keyCount = Math.min(2000, Math.floor(64_000_000 / valueSizeBytes));
  const load = { mix: "get=100", connections, pipeline: 1, requests, wanted: 1.05 };
  return { driver: "load", name, keyCount, valueSizeBytes, ...load };
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
];
