/**
 * Runs fuzzers:   bun test/fuzz/fuzz.ts NAME --seed N --runs N
 *
 *   NAME          one of the list, or `all`; without a name, or with --list, shows the list
 *   --seed N      repeats what was made from this seed; without it a fresh one is taken
 *   --runs N      how often; without it 100,000, or as often as in the tests where it is slow
 *   --smoke       as often as the tests do it
 *   --run N       only this run, as a failure tells it
 *   --input HEX   these bytes instead of what is made from the seed
 *   --help        prints this
 *
 * Exit status: 0 if nothing was found, 1 if something was, 2 if the command line is wrong.
 */
import type { Settings } from "./command-line.ts";
import { readCommandLine, USAGE, UsageError } from "./command-line.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { escaped } from "./fuzzer.ts";
import { FUZZERS } from "./registry.ts";
import type { FuzzFailure, FuzzOutcome } from "./run-fuzzer.ts";
import { runFuzzer } from "./run-fuzzer.ts";
import { Watched } from "./watchdog.ts";

const RUNS_DEFAULT = 100_000;
/** A longer input is repeated by its seed only. */
const SHOWN_BYTES_MAX = 400;
const PROGRAM = "bun test/fuzz/fuzz.ts";

process.exitCode = await main(process.argv.slice(2));
// Nothing that a fuzzer left behind may hold up the end.
process.exit();

async function main(words: readonly string[]): Promise<number> {
  try {
    if (words.includes("--help") || words.includes("-h")) {
      print(USAGE);
      return 0;
    }
    const settings = readCommandLine(words);
    if (settings === null) {
      for (const row of FUZZERS) print(`${row.name.padEnd(28)}${row.feeds}: ${row.checks}`);
      return 0;
    }
    let status = 0;
    for (const fuzzer of settings.fuzzers) status |= await runOne(fuzzer, settings);
    return status;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`fuzz: ${error.message}\n`);
    return 2;
  }
}

async function runOne(fuzzer: Fuzzer, settings: Settings): Promise<number> {
  const { name, smokeRuns, keptBytesMax } = fuzzer;
  const { seed, first, input } = settings;
  const isShort = settings.isSmoke || keptBytesMax === null;
  const runs = settings.runs ?? (isShort ? smokeRuns : RUNS_DEFAULT);
  print(`${name}: seed ${seed}, ${runs === 1 ? `run ${first}` : `${runs} runs`}`);
  const replay = `${PROGRAM} ${name} --seed ${seed}`;
  const watched = new Watched(replay);
  const outcome = await runFuzzer(fuzzer, {
    seed,
    first,
    runs,
    input,
    onRun: (run, bytes) => watched.note(run, bytes),
    onProgress: (run) => print(`${name}: at run ${run}`),
  });
  watched.stop();
  return report(fuzzer, outcome, replay);
}

function report(fuzzer: Fuzzer, outcome: FuzzOutcome, replay: string): number {
  const { name, keptBytesMax } = fuzzer;
  const { failure, keptBytes, elapsedMs, tally } = outcome;
  if (tally !== "") print(`${name}: ${tally}`);
  if (failure !== null) {
    printFailure(name, failure, replay);
    return 1;
  }
  const kept = keptBytes === null ? "" : `, ${Math.round(keptBytes / 1024)} KB kept`;
  print(`${name}: nothing found in ${(elapsedMs / 1000).toFixed(1)} s${kept}`);
  if (keptBytes === null || keptBytesMax === null || keptBytes <= keptBytesMax) return 0;
  print(`${name}: FAILED, more than ${keptBytesMax / 1024} KB are kept\n  again: ${replay}`);
  return 1;
}

function printFailure(name: string, failure: FuzzFailure, replay: string): void {
  const { run, input, problem, smallest } = failure;
  print(`${name}: FAILED in run ${run}: ${problem}`);
  print(`  input: ${escaped(input)}`);
  print(`  again: ${replay} --run ${run}`);
  if (smallest !== null) {
    print(`  small: ${escaped(smallest)}`);
    const hex = smallest.toString("hex");
    if (smallest.length <= SHOWN_BYTES_MAX) print(`  again: ${replay} --run ${run} --input ${hex}`);
  } else if (run > 0) {
    print(`  if it does not fail alone, with all runs before it: ${replay} --runs ${run + 1}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
