/**
 * The scenarios of the side-by-side run: one row each, with the driver that makes the load and the
 * limits to be reached.
 *
 * redis-benchmark drives what its tests can; load.ts and open-loop.ts, which check every reply,
 * drive the rest. `idle` sends nothing at all.
 */
import type { Measure } from "./measures.ts";
import type { PeerName } from "./peers.ts";
import type { ProtocolName } from "./workload.ts";

/** A ratio to be reached, ours over another's; with `over` null a figure of ours itself. */
export interface Limit {
  readonly measure: Measure;
  readonly over: PeerName | null;
  readonly most: number;
}

interface Common {
  readonly name: string;
  readonly protocol: ProtocolName;
  readonly connections: number;
  readonly pipeline: number;
  readonly keyCount: number;
  readonly valueSizeBytes: number;
  /** Requests of one round; about a second of work for the slowest of the proxies. */
  readonly requests: number;
  readonly limits: readonly Limit[];
  /** Who takes part, the one that is judged first; all ordinary peers if there is no such list. */
  readonly proxies?: readonly PeerName[];
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
  /** Keys of one MGET; 20 if not given. */
  readonly mgetKeys?: number;
  /** Each reply makes room for a request, instead of all for as many. */
  readonly isWindow?: boolean;
}

/** Driven by open-loop.ts, at a share of the rate that a closed loop has just reached. */
export interface OpenScenario extends Common {
  readonly driver: "open";
  readonly mix: string;
  readonly saturationShare: number;
}

/** Connections to fresh proxies; measured are the memory of each, silent and used once. */
export interface IdleScenario extends Common {
  readonly driver: "idle";
}

export type DrivenScenario = BenchmarkScenario | LoadScenario | OpenScenario;
export type Scenario = DrivenScenario | IdleScenario;

/** What all scenarios with small values have in common. */
const SMALL = { connections: 50, keyCount: 10_000, valueSizeBytes: 64 } as const;

/** Limits of CPU per request over nutcracker and over predixy; null where none is set. */
function cpuLimits(nutcracker: number | null, predixy: number | null): Limit[] {
  const measure = "cpuUsPerRequest" as const;
  const limits: Limit[] = [];
  if (nutcracker !== null) limits.push({ measure, over: "nutcracker", most: nutcracker });
  if (predixy !== null) limits.push({ measure, over: "predixy", most: predixy });
  return limits;
}

function benchmark(
  test: "get" | "set",
  pipeline: number,
  requests: number,
  limits: readonly Limit[],
): Scenario {
  const name = `${test}-p${pipeline}`;
  const shape = { pipeline, requests, limits };
  return { ...SMALL, ...shape, driver: "redis-benchmark", protocol: "redis", name, test };
}

function multi(
  mix: "mget" | "mset",
  pipeline: number,
  requests: number,
  limits: readonly Limit[],
): Scenario {
  const name = `${mix}-p${pipeline}`;
  const shape = { pipeline, requests, limits };
  return { ...SMALL, ...shape, driver: "load", protocol: "redis", name, mix: `${mix}=100` };
}

function large(
  name: string,
  valueSizeBytes: number,
  connections: number,
  requests: number,
): Scenario {
  const keyCount = Math.min(2000, Math.floor(64_000_000 / valueSizeBytes));
  const shape = { keyCount, valueSizeBytes, connections, requests };
  const load = { mix: "get=100", pipeline: 1, limits: cpuLimits(1.05, 1) };
  return { driver: "load", protocol: "redis", name, ...shape, ...load };
}

function many(connections: number, requests: number): Scenario {
  const load = { mix: "get=100", pipeline: 1, limits: [] };
  const name = `get-c${connections}`;
  return { ...SMALL, ...load, driver: "load", protocol: "redis", name, connections, requests };
}

function memcached(
  mix: "get" | "set" | "mget",
  pipeline: number,
  requests: number,
  wanted: number | null,
): Scenario {
  const name = `mc-${mix}-p${pipeline}`;
  const shape = { pipeline, requests, limits: cpuLimits(wanted, null) };
  return { ...SMALL, ...shape, driver: "load", protocol: "memcached", name, mix: `${mix}=100` };
}

/** Requests trickle in and replies trickle out, so that a proxy has little to put together. */
function windowed(name: string, protocol: ProtocolName): Scenario {
  const load = { mix: "get=100", isWindow: true, pipeline: 100, requests: 200_000, limits: [] };
  return { ...SMALL, ...load, driver: "load", protocol, name };
}

function open(name: string, protocol: ProtocolName): Scenario {
  const others =
    protocol === "redis" ? (["nutcracker", "predixy"] as const) : ["nutcracker" as const];
  const limits = others.flatMap((over) => [
    { measure: "p99Ms" as const, over, most: 1 },
    { measure: "p999Ms" as const, over, most: 1 },
  ]);
  const load = { mix: "get=100", pipeline: 1, requests: 60_000, saturationShare: 0.3, limits };
  return { ...SMALL, ...load, driver: "open", protocol, name };
}

function workers(pipeline: number, requests: number): Scenario {
  const limit = { measure: "cpuUsPerRequest", over: "ours", most: 1.1 } as const;
  const shape = { name: `workers-p${pipeline}`, pipeline, requests, limits: [limit] };
  const proxies = ["ours-w2", "ours"] as const;
  return { ...SMALL, ...shape, driver: "load", protocol: "redis", mix: "get=100", proxies };
}

const IDLE: IdleScenario = {
  ...SMALL,
  driver: "idle",
  protocol: "redis",
  name: "idle",
  connections: 10_000,
  pipeline: 1,
  requests: 10_000,
  limits: [{ measure: "idleKb", over: null, most: 4 }],
};

export const SCENARIOS: readonly Scenario[] = [
  benchmark("get", 1, 80_000, cpuLimits(0.95, 1)),
  benchmark("set", 1, 80_000, cpuLimits(0.95, 1)),
  benchmark("get", 16, 400_000, cpuLimits(0.4, 1)),
  benchmark("set", 16, 400_000, cpuLimits(0.4, 1)),
  benchmark("get", 100, 600_000, cpuLimits(0.12, 0.6)),
  benchmark("set", 100, 600_000, cpuLimits(0.12, 0.6)),
  multi("mget", 1, 40_000, cpuLimits(0.9, 0.8)),
  multi("mget", 16, 60_000, cpuLimits(0.5, 0.7)),
  multi("mset", 1, 40_000, cpuLimits(0.9, 0.8)),
  multi("mset", 16, 60_000, cpuLimits(0.5, 0.7)),
  windowed("get-w100", "redis"),
  open("open-get", "redis"),
  large("get-16k", 16 * 1024, 20, 30_000),
  large("get-256k", 256 * 1024, 20, 6000),
  large("get-1m", 1024 * 1024, 10, 1500),
  many(500, 60_000),
  many(1000, 60_000),
  many(10_000, 60_000),
  workers(1, 60_000),
  workers(16, 200_000),
  IDLE,
  memcached("get", 1, 60_000, 0.95),
  memcached("set", 1, 60_000, 0.95),
  memcached("get", 16, 200_000, 0.4),
  memcached("set", 16, 200_000, 0.4),
  memcached("get", 100, 200_000, 0.15),
  memcached("set", 100, 200_000, 0.15),
  memcached("mget", 1, 30_000, null),
  windowed("mc-get-w100", "memcached"),
  open("mc-open-get", "memcached"),
];
