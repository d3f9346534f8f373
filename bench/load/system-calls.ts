/**
 * What a request costs in system calls, counted by strace, and ours in bytes for the garbage
 * collector, counted by the collector itself.
 *
 *   bun bench/load/system-calls.ts                pipelines 1, 16 and 100, every proxy installed
 *
 * A traced proxy is many times slower, so more requests wait for each of its turns than without
 * strace: calls per request are a lower bound where requests can share a call. Bytes are counted
 * in a run without strace. How to read it: bench/README.md.
 */
import { parseArgs } from "node:util";
import { ChildProcess } from "../../test/support/child-process.ts";
import { eventually } from "../../test/support/eventually.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { allocatedSince, COLLECTOR_LOG } from "./collector-log.ts";
import { drive } from "./drivers.ts";
import { chosenPeers } from "./peers.ts";
import type { Peer } from "./peers.ts";
import type { ProxyProcess } from "./proxy-process.ts";
import { table } from "./results.ts";
import type { BenchmarkScenario } from "./scenarios.ts";
import { Stage } from "./stage.ts";

const USAGE = `Usage: bun bench/load/system-calls.ts [options]
  --ours PATH      dist/nutcracker
  --peers LIST     all that are installed of nutcracker,predixy,haproxy
  --requests N     traced requests of each run: 20000
  --pipelines LIST 1,16,100
  --allocations N  requests whose allocations are counted, ours alone: 1000000
  --json           one line of JSON per row
`;

/** Calls that do the same work, in columns. Whatever is in none of them is named one by one. */
const GROUPS: readonly (readonly [string, RegExp])[] = [
  ["recv", /^(read|readv|recvfrom|recvmsg)$/],
  ["send", /^(write|writev|sendto|sendmsg)$/],
  ["epoll_wait", /^epoll_p?wait2?$/],
];

/** Others than these are set-up or the end of 50 connections. */
const NAMED_CALLS_PER_REQUEST_MIN = 0.005;

interface TracedRow {
  readonly pipeline: number;
  readonly proxy: string;
  /** Calls per request by the name of each system call. */
  readonly calls: Readonly<Record<string, number>>;
}

interface AllocatedRow {
  readonly pipeline: number;
  readonly requests: number;
  readonly bytesPerRequest: number;
  readonly collections: number;
}

function scenarioOf(pipeline: number): BenchmarkScenario {
  return {
    driver: "redis-benchmark",
    protocol: "redis",
    test: "get",
    name: `traced-p${pipeline}`,
    connections: 50,
    pipeline,
    keyCount: 10_000,
    valueSizeBytes: 64,
    requests: 0,
    limits: [],
  };
}

/** Counts the calls of a process and its threads while `work` goes on. */
async function traced(pid: number, work: () => Promise<void>): Promise<Map<string, number>> {
  const folder = temporaryFolder("strace");
  const file = `${folder}/counts.txt`;
  const command = ["strace", "-c", "-f", "-U", "name,calls", "-o", file, "-p", String(pid)];
  const strace = new ChildProcess({ command, folder });
  await eventually(() => !strace.isRunning || strace.stderr.includes("attached"), {
    what: "strace is attached",
  });
  if (!strace.isRunning) throw new Error(`strace ended at once: ${strace.stderr}`);
  await work();
  await strace.stop("SIGINT");
  const rows = (await Bun.file(file).text()).matchAll(/^(\w+) +(\d+)$/gm);
  return new Map([...rows].map(([, name, calls]) => [name ?? "", Number(calls)] as const));
}

async function traceProxy(
  pipeline: number,
  requests: number,
  proxy: ProxyProcess,
): Promise<TracedRow> {
  const scenario = scenarioOf(pipeline);
  await drive(scenario, requests, proxy, 0);
  const counts = await traced(proxy.pid, async () => {
    await drive(scenario, requests, proxy, 0);
  });
  counts.delete("total");
  const calls = Object.fromEntries([...counts].map(([name, count]) => [name, count / requests]));
  return { pipeline, proxy: proxy.name, calls };
}

function cellsOf({ pipeline, proxy, calls }: TracedRow): string[] {
  const all = Object.entries(calls);
  const sums = GROUPS.map(([, names]) =>
    all.reduce((sum, [name, count]) => (names.test(name) ? sum + count : sum), 0),
  );
  const others = all
    .filter(([name]) => GROUPS.every(([, names]) => !names.test(name)))
    .filter(([, count]) => count >= NAMED_CALLS_PER_REQUEST_MIN)
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count.toFixed(3)}`);
  const text = [...sums.map((sum) => sum.toFixed(3)), others.join(", ") || "-"];
  return [String(pipeline), proxy, ...text];
}

/** Bytes that ours asks of the garbage collector, per request. */
async function allocations(
  pipeline: number,
  requests: number,
  stage: Stage,
  ours: Peer,
): Promise<AllocatedRow> {
  await using proxy = await stage.startProxy(ours, COLLECTOR_LOG);
  await drive(scenarioOf(pipeline), Math.ceil(requests / 4), proxy, 0);
  const from = proxy.stderr.length;
  await drive(scenarioOf(pipeline), requests, proxy, 0);
  const { bytes, collections } = allocatedSince(proxy.stderr, from);
  return { pipeline, requests, bytesPerRequest: bytes / requests, collections };
}

interface Settings {
  readonly peers: readonly Peer[];
  readonly requests: number;
  readonly pipelines: readonly number[];
  readonly allocationRequests: number;
  readonly isJson: boolean;
}

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      ours: { type: "string" },
      peers: { type: "string" },
      requests: { type: "string", default: "20000" },
      pipelines: { type: "string", default: "1,16,100" },
      allocations: { type: "string", default: "1000000" },
      json: { type: "boolean", default: false },
    },
  });
  if (values.ours !== undefined) process.env["BENCH_OURS"] = values.ours;
  const count = (name: string, text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new Error(`--${name}: "${text}" is no number`);
  };
  return {
    peers: chosenPeers(values.peers),
    requests: count("requests", values.requests),
    pipelines: values.pipelines.split(",").map((text) => count("pipelines", text)),
    allocationRequests: count("allocations", values.allocations),
    isJson: values.json,
  };
}

async function main(): Promise<void> {
  const settings = readSettings();
  if (Bun.which("strace") === null) throw new Error("no strace: apt-get install strace");
  await using stage = await Stage.start("redis");
  await stage.fill(scenarioOf(1));
  const tracedRows: TracedRow[] = [];
  const allocatedRows: AllocatedRow[] = [];
  for (const pipeline of settings.pipelines) {
    for (const peer of settings.peers) {
      const proxy = await stage.proxy(peer);
      tracedRows.push(await traceProxy(pipeline, settings.requests, proxy));
    }
    const [ours] = settings.peers;
    if (ours === undefined) continue;
    allocatedRows.push(await allocations(pipeline, settings.allocationRequests, stage, ours));
  }
  if (settings.isJson) {
    for (const row of [...tracedRows, ...allocatedRows]) {
      process.stdout.write(`${JSON.stringify(row)}\n`);
    }
    return;
  }
  const titles = ["pipeline", "proxy", ...GROUPS.map(([name]) => name), "others"];
  const calls = table(titles, tracedRows.map(cellsOf));
  const bytes = table(
    ["pipeline", "requests", "bytes allocated per request", "collections"],
    allocatedRows.map((row) => [
      ...[row.pipeline, row.requests].map(String),
      ...[row.bytesPerRequest.toFixed(1), String(row.collections)],
    ]),
  );
  process.stdout.write(`## System calls per request\n\n${calls}\n\n## Allocations\n\n${bytes}\n`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(
      `system-calls: ${error instanceof Error ? error.message : error}\n${USAGE}`,
    );
    process.exitCode = 1;
  }
}
