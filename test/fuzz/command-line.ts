/**
 * The command line of fuzz.ts: words -> which fuzzers, from which seed, how often.
 */
import { parseArgs } from "node:util";
import type { Fuzzer } from "./fuzzer.ts";
import { FUZZERS } from "./registry.ts";

const SEED_MAX = 0xffff_ffff;
const RUNS_MAX = 2 ** 31 - 1;

export const USAGE = `usage: bun test/fuzz/fuzz.ts NAME [--seed N] [--runs N]
  NAME          one of the list, or all; without a name, or with --list, shows the list
  --seed N      repeats what was made from this seed; without it a fresh one is taken
  --runs N      how often; without it 100,000, or as often as in the tests where it is slow
  --smoke       as often as the tests do it
  --run N       only this run, as a failure tells it
  --input HEX   these bytes instead of what is made from the seed
  --help        prints this`;

export class UsageError extends Error {}

export interface Settings {
  readonly fuzzers: readonly Fuzzer[];
  readonly seed: number;
  readonly first: number;
  /** Null: as many as is usual for each, or as in the tests. */
  readonly runs: number | null;
  readonly isSmoke: boolean;
  readonly input: Buffer | null;
}

/**
 * @returns null if the list is wanted
 * @throws UsageError
 */
export function readCommandLine(words: readonly string[]): Settings | null {
  const { values, positionals } = readWords(words);
  if (values.list || positionals.length === 0) {
    if (Object.keys(values).some((name) => name !== "list")) throw new UsageError("no NAME given");
    return null;
  }
  if (positionals.length > 1) throw new UsageError(`one NAME, not ${positionals.length}`);
  const run = values.run === undefined ? null : readNumber("run", values.run, RUNS_MAX);
  if (run !== null && values.runs !== undefined) throw new UsageError("--run or --runs, not both");
  const input = values.input === undefined ? null : readHex(values.input);
  const isOne = run !== null || input !== null;
  const random = Math.floor(Math.random() * SEED_MAX);
  const runs = values.runs === undefined ? null : readNumber("runs", values.runs, RUNS_MAX);
  const isSmoke = values.smoke ?? false;
  if (isSmoke && (isOne || runs !== null)) throw new UsageError("--smoke says how often to run");
  if (runs === 0) throw new UsageError("--runs 0 would find nothing");
  return {
    fuzzers: findFuzzers(positionals[0]!),
    seed: values.seed === undefined ? random : readNumber("seed", values.seed, SEED_MAX),
    first: run ?? 0,
    runs: isOne ? 1 : runs,
    isSmoke,
    input,
  };
}

function readWords(words: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    const flag = { type: "boolean" } as const;
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { seed: text, runs: text, run: text, input: text, list: flag, smoke: flag },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readNumber(option: string, text: string, max: number): number {
  const isNumber = /^\d{1,10}$/.test(text) && Number(text) <= max;
  if (!isNumber) throw new UsageError(`--${option} is "${text}", not a number from 0 to ${max}`);
  return Number(text);
}

function readHex(text: string): Buffer {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new UsageError(`--input is no hex: "${text}"`);
  return Buffer.from(text, "hex");
}

function findFuzzers(name: string): readonly Fuzzer[] {
  if (name === "all") return FUZZERS.filter((row) => !row.isCanary);
  const found = FUZZERS.find((row) => row.name === name);
  if (found !== undefined) return [found];
  const names = FUZZERS.map((row) => row.name).join(", ");
  throw new UsageError(`no fuzzer "${name}"; there are: all, ${names}`);
}
