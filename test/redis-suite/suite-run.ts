/**
 * One run of one file of Redis's own test suite against a server that is up already, and what came
 * of each test in it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";

export interface SuiteResult {
  /** Names of tests; one that appears again has " (2)" behind it, and so on. */
  readonly passed: readonly string[];
  readonly failed: readonly FailedTest[];
}

export interface FailedTest {
  readonly name: string;
  /** What the suite says about it. */
  readonly details: string;
}

/** Longest time for one file; a test that blocks waits for seconds before it gives up. */
const RUN_MS_MAX = 15 * 60 * 1000;
/** The suite ends itself if no test ends for so long. */
const IDLE_SECONDS_MAX = 120;
/** The suite takes a port so far below the one it is told. */
const BASE_PORT_DISTANCE = 32;

/**
 * Runs the tests of `unit`, such as "unit/type/list", but for those named in `skipped`.
 *
 * @param folder with `tests/` of the sources of Redis
 * @throws Error if the suite does not come to its end
 */
export async function runSuite(
  folder: string,
  unit: string,
  port: number,
  skipped: readonly string[],
): Promise<SuiteResult> {
  const temporary = mkdtempSync(join(tmpdir(), "redis-suite-"));
  const skipFile = join(temporary, "skipped.txt");
  writeFileSync(skipFile, `${skipped.join("\n")}\n`);
  const child = Bun.spawn(
    [
      ...["tclsh", "tests/test_helper.tcl", "--host", "127.0.0.1", "--port", String(port)],
      // An exception in one test does not end the others.
      ...["--durable", "--timeout", String(IDLE_SECONDS_MAX)],
      ...["--single", unit, "--skipfile", skipFile],
      // Where the two processes of the suite meet.
      ...["--baseport", String(freePort() + BASE_PORT_DISTANCE)],
    ],
    { cwd: folder, stdin: "ignore", stderr: "inherit", timeout: RUN_MS_MAX },
  );
  const output = await new Response(child.stdout).text();
  await child.exited;
  rmSync(temporary, { recursive: true });
  if (!output.includes("The End")) {
    throw new Error(`${unit} did not come to its end:\n${output.slice(-2000)}`);
  }
  return readOutput(output);
}

const COLOURS = /\x1b\[[0-9;]*m/g;
const PASSED = /^\[ok\]: (.*) \(\d+ ms\)$/;
const FAILED = /^\[err\]: (.*) in tests\/\S+$/;
/** Behind it the failures are told once more. */
const SUMMARY = "The End";

/** What the suite has printed -> what came of each test. */
export function readOutput(output: string): SuiteResult {
  const names = new Names();
  const passed: string[] = [];
  const failed: { name: string; details: string }[] = [];
  let last: { name: string; details: string } | null = null;
  const body = output.replace(COLOURS, "").split(SUMMARY)[0] ?? "";
  for (const line of body.split("\n")) {
    const passedName = PASSED.exec(line)?.[1];
    const failedName = FAILED.exec(line)?.[1];
    if (passedName !== undefined) {
      passed.push(names.next(passedName));
      last = null;
    } else if (failedName !== undefined) {
      last = { name: names.next(failedName), details: "" };
      failed.push(last);
    } else if (/^\[(skip|ignore|\d+\/\d+ done)\]: /.test(line)) {
      last = null;
    } else if (last !== null) {
      last.details += `${line}\n`;
    }
  }
  return { passed, failed };
}

/** Tells tests of the same name apart. */
class Names {
  private readonly counts = new Map<string, number>();

  next(name: string): string {
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  }
}
