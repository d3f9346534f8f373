/**
 * One scenario on two proxies in alternation: CPU of the proxy, throughput and p99 of each round.
 */
import { fill } from "./load.ts";
import { cpuSecondsOf } from "./process-cpu.ts";
import type { BenchmarkScenario, LoadScenario, Scenario } from "./scenarios.ts";
import { LOAD_CORE, outputOf, pinned } from "./run.ts";
import { Workload } from "./workload.ts";

const LOAD = `${import.meta.dir}/load.ts`;

/** One run of one scenario on one proxy. */
export interface Measured {
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** One round. */
export interface Pair {
  readonly ours: Measured;
  readonly theirs: Measured;
}

/** A proxy under test. */
export interface Target {
  readonly pid: number;
  readonly port: number;
}

export interface Rounds {
  readonly rounds: number;
  /** Divides the requests of each scenario. */
  readonly divisor: number;
}

type Driven = Pick<Measured, "requestsPerSecond" | "p99Ms">;

async function driveBenchmark(
  scenario: BenchmarkScenario,
  requests: number,
  port: number,
): Promise<Driven> {
  const command = ["redis-benchmark", "-p", String(port), "-t", scenario.test, "--csv"];
  const load = ["-n", String(requests), "-c", String(scenario.connections)];
  const shape = ["-P", String(scenario.pipeline), "-d", String(scenario.valueSizeBytes)];
  const keys = ["-r", String(scenario.keyCount)];
  const csv = await outputOf(pinned(LOAD_CORE, [...command, ...load, ...shape, ...keys]));
  const row = csv.trim().split("\n").at(-1)?.replaceAll('"', "").split(",") ?? [];
  const [, requestsPerSecond, , , , , p99Ms] = row;
  if (p99Ms === undefined) throw new Error(`redis-benchmark printed something else:\n${csv}`);
  return { requestsPerSecond: Number(requestsPerSecond), p99Ms: Number(p99Ms) };
}

async function driveLoad(scenario: LoadScenario, requests: number, port: number): Promise<Driven> {
  const options = {
    protocol: scenario.protocol,
    port,
    requests,
    connections: scenario.connections,
    pipeline: scenario.pipeline,
    mix: scenario.mix,
    keys: scenario.keyCount,
    "value-size": scenario.valueSizeBytes,
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const text = await outputOf(pinned(LOAD_CORE, [process.execPath, LOAD, ...words]));
  const result = JSON.parse(text) as { requestsPerSecond: number; latencyMs: { p99: number } };
  return { requestsPerSecond: result.requestsPerSecond, p99Ms: result.latencyMs.p99 };
}

async function measure(scenario: Scenario, requests: number, proxy: Target): Promise<Measured> {
  const before = cpuSecondsOf(proxy.pid);
  const driven =
    scenario.driver === "load"
      ? await driveLoad(scenario, requests, proxy.port)
      : await driveBenchmark(scenario, requests, proxy.port);
  const used = cpuSecondsOf(proxy.pid) - before;
  return { ...driven, cpuUsPerRequest: (used * 1e6) / requests };
}

/** Writes every key, warms both proxies, and runs the rounds; who goes first alternates. */
export async function runScenario(
  scenario: Scenario,
  { rounds, divisor }: Rounds,
  ours: Target,
  theirs: Target,
): Promise<Pair[]> {
  const requests = Math.ceil(scenario.requests / divisor);
  const workload = new Workload({ ...scenario, mgetKeys: 1, msetKeys: 1 });
  await fill({ host: "127.0.0.1", port: theirs.port }, workload);
  for (const proxy of [ours, theirs]) await measure(scenario, Math.ceil(requests / 4), proxy);
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    const isOursFirst = round % 2 === 0;
    const first = await measure(scenario, requests, isOursFirst ? ours : theirs);
    const second = await measure(scenario, requests, isOursFirst ? theirs : ours);
    pairs.push(isOursFirst ? { ours: first, theirs: second } : { ours: second, theirs: first });
  }
  return pairs;
}
