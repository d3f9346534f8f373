/**
 * Every fuzzer for a moment, a canary that must fail, and the command line of fuzz.ts.
 *
 * They run twice: with a fixed seed, so that what was found once stays found, and with a new
 * one, which a failure prints.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { chooseSeed } from "../support/seeded-random.ts";
import { readCommandLine, UsageError } from "./command-line.ts";
import { FUZZERS } from "./registry.ts";

const PROGRAM = join(import.meta.dir, "fuzz.ts");
const FIXED_SEED = 4;
const TIMEOUT_MS = 120_000;

const ours = FUZZERS.filter((row) => !row.isCanary);

async function fuzz(...words: string[]): Promise<{ status: number; output: string }> {
  const child = Bun.spawn([process.execPath, PROGRAM, ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
  const output = (await Promise.all(texts)).join("");
  return { status: await child.exited, output };
}

/** The words behind `bun test/fuzz/fuzz.ts` in a line of a failure. */
function wordsOf(output: string, pattern: RegExp): string[] {
  const line = output.split("\n").find((text) => pattern.test(text)) ?? "";
  return line.slice(line.indexOf("fuzz.ts") + "fuzz.ts".length + 1).split(" ");
}

for (const [which, seed] of [
  ["a fixed", FIXED_SEED],
  ["a new", chooseSeed()],
] as const) {
  test(
    `all fuzzers with ${which} seed`,
    async () => {
      const { status, output } = await fuzz("all", "--smoke", "--seed", String(seed));
      if (status !== 0) throw new Error(`seed ${seed}, status ${status}:\n${output}`);
      for (const { name } of ours) {
        expect(output).toMatch(new RegExp(`^${name}: seed ${seed}, \\d+ runs$`, "m"));
        expect(output).toMatch(new RegExp(`^${name}: nothing found`, "m"));
      }
    },
    TIMEOUT_MS,
  );
}

test("a fuzzer can fail: the canary does, and says how to see it again", async () => {
  const { status, output } = await fuzz("canary", "--seed", "1", "--runs", "1000");
  expect(status).toBe(1);
  expect(output).toContain("canary: seed 1, 1000 runs");
  expect(output).toMatch(/canary: FAILED in run \d+: bytewise it reads/);
  const again = await fuzz(...wordsOf(output, /again: .* --run \d+$/));
  expect(again.status).toBe(1);
  expect(again.output).toContain("FAILED");
});

test("what fails is made small", async () => {
  const { output } = await fuzz("canary", "--seed", "1");
  expect(output).toContain('small: "\\r\\n"');
  const words = wordsOf(output, /again: .* --input /);
  expect(words.slice(-2)).toEqual(["--input", "0d0a"]);
  expect((await fuzz(...words)).status).toBe(1);
  expect((await fuzz(...words.slice(0, -1), "0d")).status).toBe(0);
});

test("a seed is taken if none is given, and printed", async () => {
  const { status, output } = await fuzz("router", "--runs", "10");
  expect(status).toBe(0);
  expect(output).toMatch(/^router: seed \d+, 10 runs$/m);
});

test("the list has a line for each", async () => {
  expect(readCommandLine([])).toBeNull();
  expect(readCommandLine(["--list"])).toBeNull();
  const { status, output } = await fuzz("--list");
  expect(status).toBe(0);
  const lines = output.trimEnd().split("\n");
  expect(lines.map((line) => line.split(" ")[0])).toEqual(FUZZERS.map(({ name }) => name));
});

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [["nosuch"], 'no fuzzer "nosuch"'],
  [["all", "--smoke", "--runs", "5"], "--smoke says how often to run"],
  [["router", "config"], "one NAME, not 2"],
  [["router", "--runs", "many"], '--runs is "many", not a number from 0 to 2147483647'],
  [["router", "--runs", "0"], "--runs 0 would find nothing"],
  [["router", "--seed", "4294967296"], '--seed is "4294967296", not a number'],
  [["router", "--run", "1", "--runs", "2"], "--run or --runs, not both"],
  [["router", "--input", "0g"], '--input is no hex: "0g"'],
  [["router", "--colour", "blue"], "--colour"],
  [["--runs", "5"], "no NAME given"],
];

test.each(WRONG)("wrong: %j", (words, message) => {
  expect(() => readCommandLine(words)).toThrow(UsageError);
  expect(() => readCommandLine(words)).toThrow(message);
});

test("a wrong command line ends with status 2", async () => {
  const { status, output } = await fuzz("nosuch");
  expect(output).toStartWith('fuzz: no fuzzer "nosuch"; there are: all, redis-request, ');
  expect(status).toBe(2);
});

test("--help prints the usage and ends well", async () => {
  for (const words of [["--help"], ["-h"], ["all", "--help"]]) {
    const child = Bun.spawn([process.execPath, PROGRAM, ...words], { stdout: "pipe" });
    expect(await child.stdout.text()).toStartWith("usage: bun test/fuzz/fuzz.ts NAME ");
    expect(await child.exited).toBe(0);
  }
});
