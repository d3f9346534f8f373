/**
 * What Redis's suite prints, and the list of its tests that cannot pass, are read rightly. The
 * suite itself is not run here: it needs the sources of Redis.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatKnown, readKnown, reasonOf } from "./known-tests.ts";
import { readOutput } from "./suite-run.ts";

const NOT_PASSING = readFileSync(join(import.meta.dir, "not-passing.txt"), "utf8");

const OUTPUT = [
  "Starting test server at port 21079",
  "[ready]: 123",
  "\x1b[1;37;49mTesting unit/type/list\x1b[0m",
  "[\x1b[0;32;49mok\x1b[0m]: first [one] (of two) (1 ms)",
  "[\x1b[0;31;49merr\x1b[0m]: second in other words in tests/unit/type/list.tcl",
  "ERR 'multi' is not supported by this proxy: ...",
  '    while executing\n"r multi"',
  "[\x1b[0;36;49mignore\x1b[0m]: large one: large memory flag not provided",
  "[\x1b[0;32;49mok\x1b[0m]: again (12 ms)",
  "[\x1b[0;31;49merr\x1b[0m]: again in tests/unit/type/list.tcl",
  "Expected '1' to be equal to '2'",
  "[\x1b[0;33;49mskip\x1b[0m]: skipped",
  "[1/1 \x1b[0;33;49mdone\x1b[0m]: unit/type/list (0 seconds)",
  "\n                   The End\n",
  "*** [\x1b[0;31;49merr\x1b[0m]: second in other words in tests/unit/type/list.tcl",
  "[\x1b[0;31;49merr\x1b[0m]: second in other words in tests/unit/type/list.tcl",
].join("\n");

test("what came of each test is read from the output", () => {
  const { passed, failed } = readOutput(OUTPUT);
  expect(passed).toEqual(["first [one] (of two)", "again"]);
  expect(failed.map((each) => each.name)).toEqual(["second in other words", "again (2)"]);
  expect(failed[0]!.details).toContain('"r multi"');
  expect(failed[1]!.details).toBe("Expected '1' to be equal to '2'\n");
});

test("a failure is explained by the command that was refused, or not at all", () => {
  const [multi, other] = readOutput(OUTPUT).failed;
  expect(reasonOf(multi!)).toBe("transactions");
  expect(reasonOf(other!)).toBeNull();
  for (const [details, reason] of [
    ["ERR 'monitor' is not supported by this proxy", "MONITOR"],
    ["attach_to_replication_stream error.", "the replication stream"],
  ] as const) {
    expect(reasonOf({ name: "x", details })).toBe(reason);
  }
});

test("the list of what cannot pass is written as it was read", () => {
  const known = readKnown(NOT_PASSING);
  expect(known.length).toBeGreaterThan(20);
  expect(known.filter(({ unit, reason }) => !unit.startsWith("unit/") || reason === "")).toEqual(
    [],
  );
  expect(formatKnown(known)).toBe(NOT_PASSING);
});

test("README tells how many cannot pass, and why", () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  const known = readKnown(NOT_PASSING);
  for (const [reason, tests] of Map.groupBy(known, (each) => each.reason)) {
    expect(readme).toMatch(new RegExp(`^\\| ${tests.length} +\\| ${reason} +\\|$`, "m"));
  }
  const [, direct, through] = /Of the (\d+) tests .*?, (\d+) pass\b/s.exec(readme) ?? [];
  expect(Number(direct) - Number(through)).toBe(known.length);
});

test("without the sources of Redis the script says what it needs", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "compare.ts")], {
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toStartWith("compare: --tests needs a folder");
  expect(await child.exited).toBe(1);
});
