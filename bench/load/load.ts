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
import type { Exchange } from "./wire.ts";
import { COMMANDS, PROTOCOLS, Workload } from "./workload.ts";
import type { Command, ProtocolName } from "./workload.ts";

const USAGE = `Usage: bun bench/load/load.ts --port N [options]
  --protocol NAME     redis or memcached: redis
  --host NAME         127.0.0.1
  --connections N     50
  --pipeline N        requests in flight on each connection: 1
  --requests N        100000
  --mix LIST          shares of get, set, mget, mset (not with memcached): get=100
  --keys N            10000
  --value-size N      bytes: 64
  --mget-keys N       keys of one MGET, or get of several: 20
  --mset-keys N       keys of one MSET: 10
  --fill              writes every key once before the measured part
  --seed N            1
`;

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  readonly requests: number;
  readonly mix: Readonly<Partial<Record<Command, number>>>;
  readonly seed: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly latencyMs: Readonly<Record<"p50" | "p95" | "p99" | "p999" | "max", number>>;
}

/** Runs requests from `nextExchange` until it has no more, over several connections. */
async function drive(
  options: Pick<LoadOptions, "host" | "port" | "connections" | "pipeline">,
  nextExchange: () => Exchange | null,
  onReply: (latencyMs: number) => void,
): Promise<number> {
  const outcome = Promise.withResolvers<void>();
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
    () => new LoadConnection(owner, options.pipeline),
  );
  try {
    await Promise.all(connections.map((each) => each.connect(options.host, options.port)));
    const startMs = nowMs();
    for (const connection of connections) connection.start();
    await outcome.promise;
    return (nowMs() - startMs) / 1000;
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
  await drive({ ...options, connections: 4, pipeline: 16 }, next, () => undefined);
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
  const seconds = await drive(options, next, (latencyMs) => {
    latencies[received++] = latencyMs;
  });
  latencies.sort();
  const at = (share: number): number =>
    round(latencies[Math.min(received - 1, Math.floor(received * share))] ?? 0, 3);
  return {
    requests: received,
    seconds: round(seconds, 3),
    requestsPerSecond: Math.round(received / seconds),
    latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: at(1) },
  };
}

/** One entry per hundredth: choosing a command is choosing an entry. */
function commandTable(mix: LoadOptions["mix"]): Command[] {
  const total = Object.values(mix).reduce((sum, share) => sum + share, 0);
  return COMMANDS.flatMap((command) =>
    Array<Command>(Math.round(((mix[command] ?? 0) / total) * 100)).fill(command),
  );
}

function xorshift(seed: number): (limit: number) => number {
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

function parseMix(text: string): LoadOptions["mix"] {
  return Object.fromEntries(
    text.split(",").map((item) => {
      const [command, share] = item.split("=");
      if (!(COMMANDS as readonly string[]).includes(command ?? "")) {
        throw new Error(`--mix: "${command}" is none of ${COMMANDS.join(", ")}`);
      }
      return [command, Number(share)];
    }),
  );
}

function parseProtocol(text: string): ProtocolName {
  const protocol = PROTOCOLS.find((name) => name === text);
  if (protocol !== undefined) return protocol;
  throw new Error(`--protocol: "${text}" is none of ${PROTOCOLS.join(", ")}`);
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: "${text}" is no number`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      protocol: { type: "string", default: "redis" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "" },
      connections: { type: "string", default: "50" },
      pipeline: { type: "string", default: "1" },
      requests: { type: "string", default: "100000" },
      mix: { type: "string", default: "get=100" },
      keys: { type: "string", default: "10000" },
      "value-size": { type: "string", default: "64" },
      "mget-keys": { type: "string", default: "20" },
      "mset-keys": { type: "string", default: "10" },
      fill: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
    },
  });
  const options: LoadOptions = {
    host: values.host,
    port: number("port", values.port),
    connections: number("connections", values.connections),
    pipeline: number("pipeline", values.pipeline),
    requests: number("requests", values.requests),
    mix: parseMix(values.mix),
    seed: number("seed", values.seed),
  };
  const workload = new Workload({
    protocol: parseProtocol(values.protocol),
    keyCount: number("keys", values.keys),
    valueSizeBytes: number("value-size", values["value-size"]),
    mgetKeys: number("mget-keys", values["mget-keys"]),
    msetKeys: number("mset-keys", values["mset-keys"]),
  });
  if (values.fill) await fill(options, workload);
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
