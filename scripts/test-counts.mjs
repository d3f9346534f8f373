/**
 * Reads what `bun test` prints: how many tests passed, failed and were skipped, from its end, and
 * what each failed test said.
 *
 *    12 pass
 *    1 skip
 *    2 fail
 *    30 expect() calls
 *   Ran 15 tests across 2 files. [61.00ms]
 *
 * The JUnit report is not used: it leaves out files that do not load.
 */

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** Lines that begin with a number (or tell about snapshots), right above the line "Ran …". */
const SUMMARY = /^((?: ?(?:snapshots: )?\+?\d+ .*\n)+)Ran \d+ tests? across/gm;

/**
 * @param {string} output what `bun test` wrote to its error stream, or the last part of it
 * @param {number | null} status its exit status; null: ended by a signal
 * @returns {Counts} at least one failure where the run failed or broke off, or where nothing ran
 */
export function readCounts(output, status) {
  const block = [...output.matchAll(SUMMARY)].at(-1)?.[1] ?? "";
  const count = (name) => Number(new RegExp(`^ ?(\\d+) ${name}$`, "m").exec(block)?.[1] ?? 0);
  const passed = count("pass");
  const isBroken = status !== 0 || block === "" || passed === 0;
  const failed = Math.max(count("fail"), isBroken ? 1 : 0);
  return { passed, failed, skipped: count("skip") + count("todo") };
}

/** @param {Counts[]} all @returns {Counts} */
export function addCounts(all) {
  const sum = (name) => all.reduce((total, counts) => total + counts[name], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** A line that ends the report of a test. */
const TEST_LINE = /^\((pass|skip|todo|fail)\) /;

/** Behind the last test Bun names the failed ones again, without what they said. */
const RECAP = /^\d+ tests? (failed|skipped|todo):$/;

/** The last lines of a report are kept: the error stands right above the test's name. */
const REPORT_LINES_MAX = 60;

/**
 * @param {string} output what `bun test` wrote to its error stream
 * @returns {string[]} for each failed test the lines that belong to it, with its name as the last
 */
export function readFailures(output) {
  const failures = [];
  let report = [];
  for (const line of output.split("\n")) {
    if (RECAP.test(line)) break;
    report.push(line);
    const kind = TEST_LINE.exec(line)?.[1];
    if (kind === "fail") failures.push(report.slice(-REPORT_LINES_MAX).join("\n").trim());
    if (kind !== undefined) report = [];
  }
  return failures;
}
