/**
 * Ours and Debian's nutcracker side by side: CPU of the proxy per request, throughput, p99, ratios.
 *
 *   core 0: redis-server s0 s1, the load          core 1: the proxy under test
 *
 * Rounds alternate between the two proxies, which stand before the same servers. The ratio is the
 * median of the rounds' ratios; one number alone says little on a machine that others use, too.
 *
 * bun bench/load/compare.ts [--ours PATH] [--theirs PATH] [--rounds N] [--quick] [--json]
 * [NAME...]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { RedisServer } from "../../test/support/redis-server.ts";
import { debianProgram, Proxy } from "../../test/support/run-proxy.ts";
import type { ProxyProgram } from "../../test/support/run-proxy.ts";
import { fill } from "./load.ts";
import { cpuSecondsOf } from "./process-cpu.ts";
import { BENCHMARK_KEYS, BENCHMARK_VALUE_BYTES, SCENARIOS } from "./scenarios.ts";
import type { BenchmarkScenario, LoadScenario, Scenario } from "./scenarios.ts";
import { Workload } from "./workload.ts";

const LOAD_CORE = "0";
const PROXY_CORE = "1";
const LOAD = `${import.meta.dir}/load.ts`;

/** One run of one scenario on one proxy. */
interface Measured {
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

interface Pair {
  readonly ours: Measured;
  readonly theirs: Measured;
}

interface Settings {
  readonly ours: ProxyProgram;
  readonly theirs: ProxyProgram;
  readonly rounds: number;
  /** Divides the requests of each scenario. */
  readonly divisor: number;
  readonly scenarios: readonly Scenario[];
  readonly isJson: boolean;
}

function pinned(core: string, command: readonly string[]): string[] {
  return ["taskset", "-c", core, ...command];
}

function pin(core: string, pid: number): void {
  const { exitCode } = Bun.spawnSync(["taskset", "-a", "-c", "-p", core, String(pid)]);
  if (exitCode !== 0) throw new Error(`taskset cannot move process ${pid} to core ${core}`);
}

async function outputOf(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe" });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0)
    throw new Error(`${command.join(" ")} failed: ${output}${errors}`);
  return output;
}

type Driven = Pick<Measured, "requestsPerSecond" | "p99Ms">;

async function driveBenchmark(
  scenario: BenchmarkScenario,
  requests: number,
  port: number,
): Promise<Driven> {
  const command = ["redis-benchmark", "-p", String(port), "-t", scenario.test, "--csv"];
  const load = ["-n", String(requests), "-c", String(scenario.connections)];
  const shape = ["-P", String(scenario.pipeline), "-d", String(BENCHMARK_VALUE_BYTES)];
  const keys = ["-r", String(BENCHMARK_KEYS)];
  const csv = await outputOf(pinned(LOAD_CORE, [...command, ...load, ...shape, ...keys]));
  const row = csv.trim().split("\n").at(-1)?.replaceAll('"', "").split(",") ?? [];
  const [, requestsPerSecond, , , , , p99Ms] = row;
  if (p99Ms === undefined) throw new Error(`redis-benchmark printed something else:\n${csv}`);
  return { requestsPerSecond: Number(requestsPerSecond), p99Ms: Number(p99Ms) };
}

async function driveLoad(scenario: LoadScenario, requests: number, port: number): Promise<Driven> {
  const options = {
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

async function measure(scenario: Scenario, requests: number, proxy: Proxy): Promise<Measured> {
  const before = cpuSecondsOf(proxy.pid);
  const driven =
    scenario.driver === "load"
      ? await driveLoad(scenario, requests, proxy.port())
      : await driveBenchmark(scenario, requests, proxy.port());
  const used = cpuSecondsOf(proxy.pid) - before;
  return { ...driven, cpuUsPerRequest: (used * 1e6) / requests };
}

async function fillFor(scenario: Scenario, port: number): Promise<void> {
  const isLoad = scenario.driver === "load";
  const workload = new Workload({
    keyCount: isLoad ? scenario.keyCount : BENCHMARK_KEYS,
    valueSizeBytes: isLoad ? scenario.valueSizeBytes : BENCHMARK_VALUE_BYTES,
    mgetKeys: 1,
    msetKeys: 1,
  });
  await fill({ host: "127.0.0.1", port }, workload);
}

/** The rounds of one scenario; which proxy goes first alternates. */
async function runScenario(
  scenario: Scenario,
  settings: Settings,
  ours: Proxy,
  theirs: Proxy,
): Promise<Pair[]> {
  const requests = Math.ceil(scenario.requests / settings.divisor);
  await fillFor(scenario, theirs.port());
  for (const proxy of [ours, theirs]) await measure(scenario, Math.ceil(requests / 4), proxy);
  const pairs: Pair[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    const isOursFirst = round % 2 === 0;
    const first = await measure(scenario, requests, isOursFirst ? ours : theirs);
    const second = await measure(scenario, requests, isOursFirst ? theirs : ours);
    pairs.push(isOursFirst ? { ours: first, theirs: second } : { ours: second, theirs: first });
  }
  return pairs;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

const COLUMNS = [
  ["scenario", 10],
  ["us/req ours", 12],
  ["nutcracker", 11],
  ["ratio", 7],
  ["wanted", 7],
  ["req/s ours", 11],
  ["nutcracker", 11],
  ["p99 ms ours", 12],
  ["nutcracker", 11],
] as const;

function line(cells: readonly string[]): string {
  const padded = COLUMNS.map(([, width], index) => {
    const cell = cells[index] ?? "";
    return index === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return `${padded.join("")}\n`;
}

function report(scenario: Scenario, pairs: readonly Pair[], isJson: boolean): void {
  const of = (side: keyof Pair, what: keyof Measured): number =>
    median(pairs.map((pair) => pair[side][what]));
  const ratio = median(
    pairs.map((pair) => pair.ours.cpuUsPerRequest / pair.theirs.cpuUsPerRequest),
  );
  if (isJson) {
    const row = { scenario: scenario.name, ratio, wanted: scenario.wanted, pairs };
    process.stdout.write(`${JSON.stringify(row)}\n`);
    return;
  }
  process.stdout.write(
    line([
      scenario.name,
      of("ours", "cpuUsPerRequest").toFixed(2),
      of("theirs", "cpuUsPerRequest").toFixed(2),
      ratio.toFixed(2),
      scenario.wanted.toFixed(2),
      of("ours", "requestsPerSecond").toFixed(0),
      of("theirs", "requestsPerSecond").toFixed(0),
      of("ours", "p99Ms").toFixed(2),
      of("theirs", "p99Ms").toFixed(2),
    ]),
  );
}

function readSettings(): Settings {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ours: { type: "string", default: "dist/nutcracker" },
      theirs: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const names = SCENARIOS.map((scenario) => scenario.name);
  for (const name of positionals) {
    if (names.includes(name)) continue;
    throw new Error(`no scenario "${name}"; there are: ${names.join(", ")}`);
  }
  const theirs = values.theirs === undefined ? debianProgram() : [resolve(values.theirs)];
  if (theirs === null) throw new Error("no nutcracker to compare with: apt-get install nutcracker");
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: "${values.rounds}"`);
  const chosen = SCENARIOS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  return {
    ours: [resolve(values.ours)],
    theirs,
    rounds,
    divisor: values.quick ? 8 : 1,
    scenarios: chosen,
    isJson: values.json,
  };
}

async function main(): Promise<void> {
  const settings = readSettings();
  const servers = await RedisServer.startMany(2);
  for (const server of servers) pin(LOAD_CORE, server.pid);
  const items = servers.map((server, index) => `${server.item}:1 s${index}`);
  const start = (program: ProxyProgram): Promise<Proxy> =>
    Proxy.start({
      pools: { alpha: { servers: items } },
      program: pinned(PROXY_CORE, program),
      statsIntervalMs: 30_000,
    });
  const [ours, theirs] = [await start(settings.ours), await start(settings.theirs)];
  try {
    if (!settings.isJson) process.stdout.write(line(COLUMNS.map(([title]) => title)));
    for (const scenario of settings.scenarios) {
      report(scenario, await runScenario(scenario, settings, ours, theirs), settings.isJson);
    }
  } finally {
    await ours[Symbol.asyncDispose]();
    await theirs[Symbol.asyncDispose]();
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`compare: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
