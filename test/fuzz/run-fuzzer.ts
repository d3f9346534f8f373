/**
 * Runs a fuzzer many times, and makes a failure small and repeatable.
 *
 *   seed, run -> generator -> input -> check; fails? -> again with a fresh target -> minimise
 *
 * Each run has a generator of its own, so that any run can be repeated without those before it.
 */
import { heapStats } from "bun:jsc";
import { nowMs } from "../../src/lib/clock.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import type { Fuzzer, FuzzTarget } from "./fuzzer.ts";
import { spliced } from "./mutate.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** The number of the first run. */
  readonly first: number;
  readonly runs: number;
  /** To check instead of what is made from the seed. */
  readonly input: Buffer | null;
  /** Told before each check: the run, and its input. */
  readonly onRun: (run: number, input: Buffer) => void;
  /** Told once every few seconds. */
  readonly onProgress: (run: number) => void;
}

export interface FuzzFailure {
  readonly run: number;
  readonly input: Buffer;
  readonly problem: string;
  /** The smallest input found that fails alone; null if this one fails only after others. */
  readonly smallest: Buffer | null;
}

export interface FuzzOutcome {
  readonly failure: FuzzFailure | null;
  /** What the runs after the first few have left in the heap; null: too few runs to say. */
  readonly keptBytes: number | null;
  readonly elapsedMs: number;
  readonly tally: string;
}

/** Fewer runs than this say nothing of memory. */
const MEASURED_RUNS_MIN = 2000;
const WARM_UP_RUNS_MAX = 20_000;
const MEASUREMENTS_MAX = 5;
const PROGRESS_MS = 10_000;
const MINIMISE_MS = 5000;

/** A generator for one run: neighbours must have nothing in common. */
function generatorOf(seed: number, run: number): SeededRandom {
  return new SeededRandom(Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) + Math.imul(run, 0x85ebca6b));
}

export async function runFuzzer(fuzzer: Fuzzer, options: FuzzOptions): Promise<FuzzOutcome> {
  const { seed, first, runs } = options;
  const startMs = nowMs();
  const target = await fuzzer.start();
  const isMeasured = fuzzer.keptBytesMax !== null && runs >= MEASURED_RUNS_MIN;
  const warmRun = first + Math.min(WARM_UP_RUNS_MAX, Math.floor(runs / 2));
  let nextReportMs = startMs + PROGRESS_MS;
  let before = 0;
  let failure: FuzzFailure | null = null;
  for (let run = first; run < first + runs && failure === null; run++) {
    if (isMeasured && run === warmRun) before = await heapBytes();
    const random = generatorOf(seed, run);
    const input = options.input ?? target.make(random);
    const checkSeed = random.next();
    options.onRun(run, input);
    const problem = await problemOf(target, input, checkSeed);
    if (problem !== null) {
      const found = { run, input, problem };
      failure = await examine(fuzzer, found, checkSeed, (tried) => options.onRun(run, tried));
    }
    // The clock is looked at now and then only: most checks take microseconds.
    if ((run & 0xff) === 0 && nowMs() > nextReportMs) {
      options.onProgress(run);
      nextReportMs = nowMs() + PROGRESS_MS;
    }
  }
  const most = isMeasured && failure === null ? fuzzer.keptBytesMax : null;
  const keptBytes = most === null ? null : await measureKept(before, most);
  const tally = target.tally?.() ?? "";
  const last = first + runs - 1;
  options.onRun(last, Buffer.alloc(0));
  const problem = await finish(target, last);
  failure ??= problem;
  return { failure, keptBytes, elapsedMs: nowMs() - startMs, tally };
}

async function finish(target: FuzzTarget, run: number): Promise<FuzzFailure | null> {
  try {
    await target.finish?.();
    return null;
  } catch (error) {
    const problem = `at the end: ${messageOf(error)}`;
    return { run, input: Buffer.alloc(0), problem, smallest: null };
  }
}

async function problemOf(
  target: FuzzTarget,
  input: Buffer,
  checkSeed: number,
): Promise<string | null> {
  try {
    const checked = target.check(input, new SeededRandom(checkSeed));
    if (checked !== undefined) await checked;
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : "";
  // Where an unexpected exception comes from is worth more than its words.
  const place = error.constructor === Error ? "" : `\n${error.stack ?? ""}`;
  return `${error.name === "Error" ? "" : `${error.name}: `}${error.message}${cause}${place}`;
}

/** What a used heap holds. */
async function heapBytes(): Promise<number> {
  // Buffers are freed some turns after they were found to be garbage.
  for (let i = 0; i < 3; i++) {
    Bun.gc(true);
    await Bun.sleep(1);
  }
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}

/** What is kept beyond `before`; more than `most` is looked at again, as garbage goes slowly. */
async function measureKept(before: number, most: number): Promise<number> {
  let keptBytes = (await heapBytes()) - before;
  for (let left = MEASUREMENTS_MAX; left > 0 && keptBytes > most; left--) {
    await Bun.sleep(20);
    keptBytes = (await heapBytes()) - before;
  }
  return keptBytes;
}

/** Does the input fail alone? Then it is made as small as it gets. */
async function examine(
  fuzzer: Fuzzer,
  found: Omit<FuzzFailure, "smallest">,
  checkSeed: number,
  onTry: (input: Buffer) => void,
): Promise<FuzzFailure> {
  // Where processes are behind it each attempt would take seconds.
  if (fuzzer.keptBytesMax === null) return { ...found, smallest: null };
  const fails = async (input: Buffer) => {
    onTry(input);
    const target = await fuzzer.start();
    const problem = await problemOf(target, input, checkSeed);
    await target.finish?.();
    return problem !== null;
  };
  if (!(await fails(found.input))) return { ...found, smallest: null };
  return { ...found, smallest: await minimise(found.input, fails) };
}

/** Leaves out parts, from halves down to single bytes, as long as what is left fails. */
async function minimise(
  input: Buffer,
  fails: (input: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  let smallest = input;
  const endMs = nowMs() + MINIMISE_MS;
  for (let size = Math.ceil(input.length / 2); size > 0; size = size === 1 ? 0 : size >> 1) {
    for (let at = 0; at < smallest.length && nowMs() < endMs;) {
      const end = Math.min(at + size, smallest.length);
      const smaller = spliced(smallest, at, end, Buffer.alloc(0));
      if (await fails(smaller)) smallest = smaller;
      else at += size;
    }
  }
  return smallest;
}
