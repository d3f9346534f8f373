/**
 * `npm run demo`: prepare the machine, then run demo.ts with Bun in a folder of its own.
 *
 * With `-- --once` it ends when everything was shown: with status 0, or another one if something
 * was not as it should be. The folder is removed in any case. NUTCRACKER_BINARY names another
 * nutcracker to show instead of ours, which is not built then.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MEMCACHED, prepare, PrepareError, PROJECT_FOLDER, REDIS_SERVER } from "./prepare.mjs";

/** Who waits for the demo, npm in most cases; without it nobody could end the demo any more. */
const STARTED_BY = process.ppid;

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  const unknown = args.find((word) => word !== "--once");
  if (unknown !== undefined) {
    process.stderr.write(`demo: unknown option ${unknown}; the only one is --once\n`);
    return 2;
  }
  const otherBinary = process.env.NUTCRACKER_BINARY;
  let tools;
  try {
    tools = prepare({ packages: [REDIS_SERVER, MEMCACHED], build: !otherBinary });
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    process.stderr.write(`\ndemo: ${error.message}\n`);
    return 1;
  }
  const binary = resolve(otherBinary || join(PROJECT_FOLDER, "dist", "nutcracker"));
  const folder = mkdtempSync(join(tmpdir(), "nutcracker-demo-"));
  try {
    return await runDemo(tools, ["--binary", binary, "--folder", folder, ...args]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the Bun part, and hands signals on to it: it has processes to stop. @returns its status */
function runDemo({ bun, env }, args) {
  return new Promise((resolve, reject) => {
    // With --no-orphans nothing outlives the demo, not even where it is killed.
    const script = join(PROJECT_FOLDER, "scripts", "demo.ts");
    const child = spawn(bun, ["--no-orphans", script, ...args], { env, stdio: "inherit" });
    for (const signal of STOP_SIGNALS) process.on(signal, () => child.kill(signal));
    const parentWatch = setInterval(() => {
      if (process.ppid !== STARTED_BY) child.kill("SIGTERM");
    }, 1000);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearInterval(parentWatch);
      resolve(status ?? 128 + constants.signals[signal]);
    });
  });
}
