/**
 * Runs a load on one proxy: redis-benchmark, load.ts or open-loop.ts as a process on the core of
 * the load, and reads what it prints.
 */
import type { OpenLoopResult } from "./open-loop.ts";
import type { LoadResult } from "./load.ts";
import type { Measured } from "./measures.ts";
import { cpuSecondsOf, memoryOf } from "./process-tree.ts";
import { LOAD_CORE, outputOf, pinned, withDescriptors } from "./run.ts";
import type { BenchmarkScenario, DrivenScenario, LoadScenario, OpenScenario } from "./scenarios.ts";

/** A proxy under test. */
export interface Target {
  readonly pid: number;
  readonly port: number;
}

function onLoadCore(command: readonly string[]): Promise<string> {
  return outputOf(pinned(LOAD_CORE, withDescriptors(command)));
}

/**
 * One run.
 *
 * @param rate requests per second, for an open loop alone
 * @throws Error with what the driver printed: a wrong reply, a refused connection
 */
export async function drive(
  scenario: DrivenScenario,
  requests: number,
  proxy: Target,
  rate: number,
): Promise<Measured> {
  const before = cpuSecondsOf(proxy.pid);
  const driven = await driveWith(scenario, requests, proxy, rate);
  const used = driven.cpuSeconds ?? cpuSecondsOf(proxy.pid) - before;
  return {
    ...driven.measured,
    cpuUsPerRequest: (used * 1e6) / requests,
    residentMb: memoryOf(proxy.pid).residentKb / 1024,
  };
}

interface Driven {
  readonly measured: Measured;
  /** CPU time of the proxy, where the driver takes it without the time of connecting. */
  readonly cpuSeconds?: number;
}

function driveWith(
  scenario: DrivenScenario,
  requests: number,
  proxy: Target,
  rate: number,
): Promise<Driven> {
  switch (scenario.driver) {
    case "redis-benchmark":
      return driveBenchmark(scenario, requests, proxy);
    case "load":
      return driveLoad(scenario, requests, proxy);
    case "open":
      return driveOpen(scenario, requests, proxy, rate);
  }
}

async function driveBenchmark(
  scenario: BenchmarkScenario,
  requests: number,
  { port }: Target,
): Promise<Driven> {
  const command = ["redis-benchmark", "-p", String(port), "-t", scenario.test];
  const load = ["-n", String(requests), "-c", String(scenario.connections)];
  const shape = ["-P", String(scenario.pipeline), "-d", String(scenario.valueSizeBytes)];
  const keys = ["-r", String(scenario.keyCount)];
  return { measured: readBenchmark(await onLoadCore([...command, ...load, ...shape, ...keys])) };
}

/** Its long form: the only one that tells more than p99. */
export function readBenchmark(text: string): Measured {
  const rate = /throughput summary: ([\d.]+) requests/.exec(text)?.[1];
  const summary = /avg +min +p50 +p95 +p99 +max\s+([\d. ]+)/.exec(text)?.[1];
  const [, , p50, , p99] = summary?.trim().split(/ +/) ?? [];
  const shares = [...text.matchAll(/^([\d.]+)% <= ([\d.]+) milliseconds/gm)];
  const p999 = shares.find(([, share]) => Number(share) >= 99.9)?.[2];
  if (rate === undefined || p99 === undefined || p999 === undefined) {
    throw new Error(`redis-benchmark printed something else:\n${text}`);
  }
  const latencies = { p50Ms: Number(p50), p99Ms: Number(p99), p999Ms: Number(p999) };
  return { requestsPerSecond: Number(rate), ...latencies };
}

async function driveLoad(scenario: LoadScenario, requests: number, proxy: Target): Promise<Driven> {
  const { pipeline, mgetKeys = 20, isWindow = false } = scenario;
  const more = { pipeline, "mget-keys": mgetKeys, ...portOf(proxy) };
  const flags = isWindow ? ["--window"] : [];
  const text = await runOwn("load.ts", scenario, requests, more, flags);
  const { requestsPerSecond, latencyMs, cpuSeconds } = JSON.parse(text) as LoadResult;
  return { measured: { requestsPerSecond, ...percentilesOf(latencyMs) }, cpuSeconds };
}

async function driveOpen(
  scenario: OpenScenario,
  requests: number,
  proxy: Target,
  rate: number,
): Promise<Driven> {
  const text = await runOwn("open-loop.ts", scenario, requests, { rate, ...portOf(proxy) });
  const { latencyMs, lateMs } = JSON.parse(text) as OpenLoopResult;
  const latencies = { ...percentilesOf(latencyMs), lateP99Ms: lateMs.p99 };
  return { measured: { requestsPerSecond: rate, ...latencies } };
}

function portOf({ port, pid }: Target): Record<string, number> {
  return { port, watch: pid };
}

function runOwn(
  program: "load.ts" | "open-loop.ts",
  scenario: LoadScenario | OpenScenario,
  requests: number,
  more: Readonly<Record<string, number>>,
  flags: readonly string[] = [],
): Promise<string> {
  const options = {
    protocol: scenario.protocol,
    requests,
    connections: scenario.connections,
    mix: scenario.mix,
    keys: scenario.keyCount,
    "value-size": scenario.valueSizeBytes,
    ...more,
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return onLoadCore([process.execPath, `${import.meta.dir}/${program}`, ...words, ...flags]);
}

function percentilesOf({ p50, p99, p999 }: LoadResult["latencyMs"]): Measured {
  return { p50Ms: p50, p99Ms: p99, p999Ms: p999 };
}
