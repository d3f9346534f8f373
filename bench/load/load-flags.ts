/**
 * The command line of the load generators, and what is read from it.
 */
import { COMMANDS, PROTOCOLS, Workload } from "./workload.ts";
import type { Mix, ProtocolName } from "./workload.ts";

export const LOAD_USAGE = `  --protocol NAME     redis or memcached: redis
  --host NAME         127.0.0.1
  --connections N     50
  --pipeline N        requests in flight on each connection: 1
  --window            the next request as soon as there is a reply; else the next N when all are
                      answered, as redis-benchmark does it
  --requests N        100000
  --mix LIST          shares of get, set, mget, mset (not with memcached): get=100
  --keys N            10000
  --value-size N      bytes: 64
  --mget-keys N       keys of one MGET, or get of several: 20
  --mset-keys N       keys of one MSET: 10
  --fill              writes every key once before the measured part
  --watch PID         tells the CPU seconds of that process, too, connecting left out
  --seed N            1
`;

export const LOAD_FLAGS = {
  protocol: { type: "string", default: "redis" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "" },
  connections: { type: "string", default: "50" },
  pipeline: { type: "string", default: "1" },
  window: { type: "boolean", default: false },
  requests: { type: "string", default: "100000" },
  mix: { type: "string", default: "get=100" },
  keys: { type: "string", default: "10000" },
  "value-size": { type: "string", default: "64" },
  "mget-keys": { type: "string", default: "20" },
  "mset-keys": { type: "string", default: "10" },
  fill: { type: "boolean", default: false },
  watch: { type: "string" },
  seed: { type: "string", default: "1" },
} as const;

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  /** A reply makes room for a request; else all have to be answered first. */
  readonly isWindow?: boolean;
  readonly requests: number;
  readonly mix: Mix;
  readonly seed: number;
  /** The process whose CPU time is taken when all are connected, and when all is done. */
  readonly watchedPid?: number | null;
}

/** The values of LOAD_FLAGS, as parseArgs gives them. */
type Values = {
  readonly [Name in keyof Omit<typeof LOAD_FLAGS, "fill" | "window" | "watch">]: string;
} & { readonly fill: boolean; readonly window: boolean; readonly watch?: string | undefined };

export interface ReadLoad {
  readonly options: LoadOptions;
  readonly workload: Workload;
  readonly isFilled: boolean;
}

/** @throws Error that names the first value that is wrong */
export function readLoad(values: Values): ReadLoad {
  const options: LoadOptions = {
    host: values.host,
    port: number("port", values.port),
    connections: number("connections", values.connections),
    pipeline: number("pipeline", values.pipeline),
    isWindow: values.window,
    requests: number("requests", values.requests),
    mix: parseMix(values.mix),
    seed: number("seed", values.seed),
    watchedPid: values.watch === undefined ? null : number("watch", values.watch),
  };
  const workload = new Workload({
    protocol: parseProtocol(values.protocol),
    keyCount: number("keys", values.keys),
    valueSizeBytes: number("value-size", values["value-size"]),
    mgetKeys: number("mget-keys", values["mget-keys"]),
    msetKeys: number("mset-keys", values["mset-keys"]),
  });
  return { options, workload, isFilled: values.fill };
}

function parseMix(text: string): Mix {
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
