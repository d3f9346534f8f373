/**
 * The command line of the soak.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ProxyProgram } from "../support/run-proxy.ts";

const REPOSITORY = join(import.meta.dir, "../..");
const MINUTES = 10;
const CLIENTS = 24;

export const USAGE = `Usage: bun run soak [options]
  --minutes N   how long, ${MINUTES} minutes if nothing is said
  --seconds N   the same in seconds
  --seed N      the seed of an earlier run
  --clients N   sessions at a time, ${CLIENTS}
  --workers N   processes of the proxy, 1
  --source      src/main.ts instead of $NUTCRACKER_BINARY or dist/nutcracker
`;

export interface SoakSettings {
  readonly runMs: number;
  readonly seed: number;
  readonly clients: number;
  readonly workers: number;
  readonly program: ProxyProgram;
}

/** @returns null if help is asked for @throws Error for what it does not understand */
export function readSettings(args: readonly string[]): SoakSettings | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      minutes: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      clients: { type: "string" },
      workers: { type: "string" },
      source: { type: "boolean" },
    },
  });
  if (values.help === true) return null;
  const seconds =
    number("seconds", values.seconds) ?? 60 * (number("minutes", values.minutes) ?? MINUTES);
  return {
    runMs: seconds * 1000,
    seed: number("seed", values.seed) ?? Math.floor(Math.random() * 0xffffffff),
    clients: number("clients", values.clients) ?? CLIENTS,
    workers: number("workers", values.workers) ?? 1,
    program: programOf(values.source === true),
  };
}

function programOf(isSource: boolean): ProxyProgram {
  if (isSource) return [process.execPath, join(REPOSITORY, "src/main.ts")];
  return [process.env["NUTCRACKER_BINARY"] || join(REPOSITORY, "dist/nutcracker")];
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === "" || !(value >= 0)) throw new Error(`--${name} is a number, not "${text}"`);
  return value;
}
