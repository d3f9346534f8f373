/**
 * `npm test`: prepare the machine, then types, format, architecture and all tests.
 *
 * The tests start the executable that was just built. Whatever fails, the rest still runs. The very
 * last line is "N passed, N failed", added up from what really ran; the type check and the format
 * check count as one each. What failed tests said is told again before it, since thousands of lines
 * may lie between. The exit status is 0 only if something ran and nothing failed. Words
 * after `--` go to `bun test`, which then runs only what they name.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import {
  CLIENT_LIBRARIES,
  DEBIAN_NUTCRACKER,
  MEMCACHED,
  prepare,
  PrepareError,
  PROJECT_FOLDER,
  REDIS_SERVER,
} from "./prepare.mjs";
import { addCounts, readCounts, readFailures } from "./test-counts.mjs";

/** It tells within a second whether the tree is in order, so it does not wait for the others. */
const ARCHITECTURE_TEST = "test/tidy.test.ts";

/** How much of the end of the output is kept to find summary and failures in. */
const TAIL_LENGTH = 4 * 1024 * 1024;

/** Longest time for a test that sets no other; a busy machine is no reason to fail. */
const TIMEOUT_MS = 30_000;

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

let isStopped = false;

/** What failed tests said. */
const failures = [];

process.exitCode = await main(process.argv.slice(2));

async function main(testArguments) {
  const startedAtMs = Date.now();
  let tools;
  try {
    const packages = [REDIS_SERVER, MEMCACHED, DEBIAN_NUTCRACKER, ...CLIENT_LIBRARIES];
    tools = prepare({ packages, build: true });
    tools.env.NUTCRACKER_BINARY ??= join(PROJECT_FOLDER, "dist", "nutcracker");
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    process.stderr.write(`\ntest: ${error.message}\n`);
    return summarize([{ passed: 0, failed: 1, skipped: 0 }], startedAtMs);
  }
  const runs =
    testArguments.length > 0
      ? [testArguments]
      : [[`./${ARCHITECTURE_TEST}`], [`--path-ignore-patterns=${ARCHITECTURE_TEST}`]];
  const steps = [
    () => runCheck(tools, "types", ["check"]),
    () => runCheck(tools, "format", ["fmt", "--check"]),
    ...runs.map((args) => () => runTests(tools, args)),
  ];
  const counts = [];
  for (const step of steps) {
    if (!isStopped) counts.push(await step());
  }
  return summarize(counts, startedAtMs);
}

function summarize(counts, startedAtMs) {
  const { passed, failed, skipped } = addCounts(counts);
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
  for (const failure of failures) process.stdout.write(`\n${failure}\n`);
  process.stdout.write(`\n${skipped} skipped, ${seconds} s\n${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** Runs one of Bun's checks; its output is only worth reading where it found something. */
async function runCheck(tools, label, args) {
  const { status, output } = await runBun(tools, args, false);
  const isFine = status === 0;
  process.stdout.write(
    `  ${label.padEnd(20)}${isFine ? "as it should be" : "NOT as it should be:"}\n`,
  );
  if (!isFine) process.stdout.write(`${output.trim()}\n`);
  return { passed: isFine ? 1 : 0, failed: isFine ? 0 : 1, skipped: 0 };
}

async function runTests(tools, args) {
  process.stdout.write("\n");
  const { status, output } = await runBun(
    tools,
    ["test", `--timeout=${TIMEOUT_MS}`, ...args],
    true,
  );
  failures.push(...readFailures(output));
  return readCounts(output, status);
}

/**
 * Runs Bun in the project. A signal is handed on, ends it, and lets nothing else begin.
 *
 * @returns its exit status (null: ended by a signal) and what it printed, or the end of that
 */
function runBun({ bun, env }, args, isShown) {
  return new Promise((resolve, reject) => {
    const stdio = ["ignore", isShown ? "inherit" : "pipe", "pipe"];
    const child = spawn(bun, args, { cwd: PROJECT_FOLDER, env, stdio });
    let output = "";
    const collect = (chunk) => {
      output = (output + chunk).slice(-TAIL_LENGTH);
    };
    child.stdout?.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      if (isShown) process.stderr.write(chunk);
      collect(chunk);
    });
    const stop = (signal) => {
      isStopped = true;
      child.kill(signal);
    };
    for (const signal of STOP_SIGNALS) process.on(signal, stop);
    child.on("error", reject);
    child.on("close", (status) => {
      for (const signal of STOP_SIGNALS) process.off(signal, stop);
      resolve({ status, output });
    });
  });
}
