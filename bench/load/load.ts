/**
 * A load generator that believes nothing: every byte of every reply is checked.
 *
 *   bun bench/load/load.ts --port 22121 --mix get=80,set=20 --connections 50 --pipeline 16
 *
 * Prints one line of JSON: requests, seconds, requests per second, latencies in milliseconds.
 * Closed loop: a request is sent when a reply has come, so latencies are those of a busy proxy.
 */
import { parseArgs } from "node:util";
import { nowMs } from "../../src/lib/clock.ts";
import { LoadConnection } from "./load-connection.ts";
import { LOAD_FLAGS, LOAD_USAGE, readLoad } from "./load-flags.ts";
import type { LoadOptions } from "./load-flags.ts";
import { cpuSecondsOf } from "./process-tree.ts";
import type { Exchange } from "./wire.ts";
import { commandTable } from "./workload.ts";
import type { Command, Workload } from "./workload.ts";

const USAGE = `Usage: bun bench/load/load.ts --port N [options]\n${LOAD_USAGE}`;

/** Connections that are made at once: fewer than fit into anybody's backlog. */
const CONNECTING_MAX = 100;

export type Percentiles = Readonly<Record<"p50" | "p95" | "p99" | "p999" | "max", number>>;

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly latencyMs: Percentiles;
  /** CPU time of the watched process; 0 if none is watched. */
  readonly cpuSeconds: number;
}

/** Runs requests from `nextExchange` until it has no more, over several connections. */
async function drive(
  options: Pick<LoadOptions, "host" | "port" | "connections" | "pipeline" | "isWindow">,
  nextExchange: () => Exchange | null,
  onReply: (latencyMs: number) => void,
  watchedPid: number | null = null,
): Promise<Pick<LoadResult, "seconds" | "cpuSeconds">> {
  const cpuSeconds = (): number => (watchedPid === null ? 0 : cpuSecondsOf(watchedPid));
  const outcome = Promise.withResolvers<void>();
  // It may fail while the last connections are still being made, before anybody waits for it.
  outcome.promise.catch(() => undefined);
  let open = options.connections;
  const owner = {
    next: nextExchange,
    replied: onReply,
    finished: () => {
      open--;
      if (open === 0) outcome.resolve();
    },
    failed: outcome.reject,
  };
  const connections = Array.from(
    { length: options.connections },
    () => new LoadConnection(owner, options.pipeline, options.isWindow ?? false),
  );
  try {
    for (let first = 0; first < connections.length; first += CONNECTING_MAX) {
      const some = connections.slice(first, first + CONNECTING_MAX);
      await Promise.all(some.map((each) => each.connect(options.host, options.port)));
    }
    const before = cpuSeconds();
    const startMs = nowMs();
    for (const connection of connections) connection.start();
    await outcome.promise;
    return { seconds: (nowMs() - startMs) / 1000, cpuSeconds: cpuSeconds() - before };
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Writes every key of a workload once. */
export async function fill(
  options: Pick<LoadOptions, "host" | "port">,
  workload: Workload,
): Promise<void> {
  let index = 0;
  const next = (): Exchange | null =>
    index < workload.options.keyCount ? workload.set(index++) : null;
  await drive({ ...options, connections: 4, pipeline: 16, isWindow: true }, next, () => undefined);
}

/** Runs a load and measures it. @throws Error at the first reply that is not right */
export async function runLoad(options: LoadOptions, workload: Workload): Promise<LoadResult> {
  const random = xorshift(options.seed);
  const table = commandTable(options.mix);
  // A command that the protocol does not have fails here, before anything is connected.
  for (const command of new Set(table)) workload.exchange(command, () => 0);
  const latencies = new Float32Array(options.requests);
  let sent = 0;
  let received = 0;
  const next = (): Exchange | null => {
    if (sent === options.requests) return null;
    sent++;
    return workload.exchange(table[random(table.length)] as Command, random);
  };
  const onReply = (latencyMs: number): void => {
    latencies[received++] = latencyMs;
  };
  const driven = await drive(options, next, onReply, options.watchedPid);
  return {
    requests: received,
    seconds: round(driven.seconds, 3),
    requestsPerSecond: Math.round(received / driven.seconds),
    latencyMs: percentiles(latencies.subarray(0, received)),
    cpuSeconds: driven.cpuSeconds,
  };
}

/** Sorts the values in place. */
export function percentiles(values: Float32Array | Float64Array): Percentiles {
  values.sort();
  const last = values.length - 1;
  const at = (share: number): number =>
    round(values[Math.min(last, Math.floor(values.length * share))] ?? 0, 3);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: at(1) };
}

export function xorshift(seed: number): (limit: number) => number {
  let state = seed >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: LOAD_FLAGS });
  const { options, workload, isFilled } = readLoad(values);
  if (isFilled) await fill(options, workload);
  process.stdout.write(`${JSON.stringify(await runLoad(options, workload))}\n`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`load: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exitCode = 1;
  }
}
