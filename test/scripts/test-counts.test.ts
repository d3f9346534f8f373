/**
 * The numbers that `npm test` ends with, read from what Bun prints.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";

// The file is JavaScript, because it has to run before anything is installed.
const { addCounts, readCounts, readFailures } = await import(
  join(import.meta.dir, "../../scripts/test-counts.mjs") as string
);

const RUN =
  " 12 pass\n 1 skip\n 2 todo\n 4 fail\n 30 expect() calls\nRan 19 tests across 2 files. [6ms]\n";

describe("counts of a run", () => {
  test("come from the lines before the last one", () => {
    expect(readCounts(RUN, 1)).toEqual({ passed: 12, failed: 4, skipped: 3 });
    expect(readCounts(RUN.replaceAll("\n ", "\n").trimStart(), 1).passed).toBe(12);
    const quiet = "\n 2 pass\n 0 fail\nRan 2 tests across 1 file. [1.00ms]\n";
    expect(readCounts(quiet, 0)).toEqual({ passed: 2, failed: 0, skipped: 0 });
  });

  test("are not taken from what a test prints", () => {
    const printed = " 99 pass\n 99 fail\nRan 198 tests across 1 file.\n(pass) prints\n";
    expect(readCounts(`${printed}\n${RUN}`, 1).passed).toBe(12);
    expect(readCounts(" 99 pass\n", 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test("know snapshots and files that do not load", () => {
    const run =
      " 5 pass\n 2 fail\n 1 error\nsnapshots: +1 added\n 5 expect() calls\nRan 7 tests across 3 files. [1ms]\n";
    expect(readCounts(run, 1)).toEqual({ passed: 5, failed: 2, skipped: 0 });
  });

  test("hold a failure where the run failed, broke off or ran nothing", () => {
    const good = " 5 pass\n 0 fail\nRan 5 tests across 3 files. [1ms]\n";
    expect(readCounts(good, 1).failed).toBe(1);
    expect(readCounts(good, null).failed).toBe(1);
    expect(readCounts("(pass) a\n", 0).failed).toBe(1);
    expect(
      readCounts(" 0 pass\n 4 skip\n 0 fail\nRan 4 tests across 1 file. [1ms]\n", 0).failed,
    ).toBe(1);
    expect(readCounts("", 0).failed).toBe(1);
  });
});

test("counts add up", () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  expect(addCounts([one, one, { passed: 0, failed: 0, skipped: 1 }])).toEqual({
    passed: 2,
    failed: 4,
    skipped: 7,
  });
});

test("what a failed test said goes with its name, and nothing else does", () => {
  const run = `a.test.ts:\n(pass) x [1ms]\n1 | code\nerror: boo\n(fail) y > z [2ms]\n(skip) w\n`;
  const recap = "\n1 tests failed:\n(fail) y > z [2ms]\n\n";
  expect(readFailures(run + recap + RUN)).toEqual(["1 | code\nerror: boo\n(fail) y > z [2ms]"]);
  expect(readFailures(RUN)).toEqual([]);
  const long = readFailures(`${"line\n".repeat(1000)}(fail) long\n`)[0];
  expect(long.split("\n")).toHaveLength(60);
  expect(long).toEndWith("line\n(fail) long");
});
