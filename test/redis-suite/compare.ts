/**
 * Redis's own test suite, `tests/unit/type` of Redis 7.0, directly and through the proxy.
 *
 *   suite -> redis-server                          which tests pass at all
 *   suite -> proxy -> redis-server                 which of them still do
 *
 *   bun test/redis-suite/compare.ts --tests DIR    all files of unit/type
 *   ... --unit unit/type/list                      this file only, may be repeated
 *   ... --fresh                                    finds anew what cannot pass (ten minutes)
 *   ... --write                                    and writes it to not-passing.txt
 *
 * DIR holds `tests/` as it is in the sources of Redis 7.0; `tclsh` runs it, and nothing is built.
 * The pool has one server and `redis_server_commands: true`, because the suite empties it all the
 * time. Tests are compared by name, and only those count that pass directly. One that cannot pass
 * is not run through the proxy, as it leaves its connection in a state that makes the next ones
 * fail, too; it counts as failed. Ends with 1 if others fail than those that are known.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { RedisServer } from "../support/redis-server.ts";
import { Proxy } from "../support/run-proxy.ts";
import type { FailedTest, SuiteResult } from "./suite-run.ts";
import { runSuite } from "./suite-run.ts";
import type { KnownTest } from "./known-tests.ts";
import { formatKnown, readKnown, reasonOf } from "./known-tests.ts";

const UNITS = "string incr list list-2 list-3 set zset hash stream stream-cgroups"
  .split(" ")
  .map((name) => `unit/type/${name}`);

const KNOWN_FILE = join(import.meta.dir, "not-passing.txt");

/** As Redis itself starts a server for its suite. */
const SERVER_ARGUMENTS = ["--enable-protected-configs", "yes", "--proto-max-bulk-len", "512mb"];

interface UnitReport {
  readonly unit: string;
  readonly direct: number;
  readonly through: number;
  /** Pass directly and not through the proxy. */
  readonly lost: readonly KnownTest[];
}

const { values: options } = parseArgs({
  options: {
    tests: { type: "string" },
    unit: { type: "string", multiple: true, default: UNITS },
    fresh: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const folder = resolve(options.tests ?? "");
if (options.tests === undefined || !existsSync(join(folder, "tests/test_helper.tcl"))) {
  process.stderr.write("compare: --tests needs a folder with tests/ of the sources of Redis\n");
  process.exit(1);
}

const listed = readKnown(readFileSync(KNOWN_FILE, "utf8"));
const known = options.fresh ? [] : listed;
const reports: UnitReport[] = [];
for (const unit of options.unit) reports.push(await compare(unit));
process.stdout.write(`${describe(reports)}\n`);
const lost = reports.flatMap((report) => report.lost);
if (options.write) {
  const others = listed.filter((test) => !options.unit.includes(test.unit));
  writeFileSync(KNOWN_FILE, formatKnown([...others, ...lost]));
}
const isKnown = (test: KnownTest) =>
  known.some(({ unit, name }) => unit === test.unit && name === test.name);
process.exit(options.fresh || lost.every(isKnown) ? 0 : 1);

async function compare(unit: string): Promise<UnitReport> {
  const direct = await runDirectly(unit);
  const sameUnit = (tests: readonly KnownTest[]) => tests.filter((test) => test.unit === unit);
  const { result, refused } = await runThroughProxy(unit, sameUnit(known));
  const passed = new Set(result.passed);
  const reasons = new Map(result.failed.map((test) => [test.name, firstLine(test)]));
  for (const { name, reason } of [...sameUnit(listed), ...refused]) reasons.set(name, reason);
  const lost = direct.passed
    .filter((name) => !passed.has(name))
    .map((name) => ({ unit, name, reason: reasons.get(name) ?? "not run" }));
  const report = {
    unit,
    direct: direct.passed.length,
    through: direct.passed.length - lost.length,
  };
  process.stderr.write(`${unit}: ${report.direct} directly, ${report.through} through\n`);
  return { ...report, lost };
}

function firstLine(test: FailedTest): string {
  return test.details.split("\n")[0]?.slice(0, 100) ?? "";
}

async function runDirectly(unit: string): Promise<SuiteResult> {
  await using server = await RedisServer.start({ args: SERVER_ARGUMENTS });
  return await runSuite(folder, unit, server.port, []);
}

/** Runs it until no test is left whose failure the proxy explains: those spoil the next ones. */
async function runThroughProxy(
  unit: string,
  knownOfUnit: readonly KnownTest[],
): Promise<{ result: SuiteResult; refused: readonly KnownTest[] }> {
  const refused = [...knownOfUnit];
  for (;;) {
    await using server = await RedisServer.start({ args: SERVER_ARGUMENTS });
    const pool = { servers: [`127.0.0.1:${server.port}:1`], redis_server_commands: true };
    await using proxy = await Proxy.start({ pools: { alpha: pool } });
    const skipped = refused.map((test) => test.name);
    const result = await runSuite(folder, unit, proxy.port(), skipped);
    const found = result.failed.flatMap((test) => {
      const reason = reasonOf(test);
      return reason === null ? [] : [{ unit, name: test.name, reason }];
    });
    if (found.length === 0) return { result, refused };
    refused.push(...found);
  }
}

function describe(all: readonly UnitReport[]): string {
  const line = (name: string, direct: number, through: number) =>
    `${name.padEnd(26)}${String(direct).padStart(10)}${String(through).padStart(10)}` +
    `${((100 * through) / direct).toFixed(1).padStart(10)} %`;
  const sum = (count: (report: UnitReport) => number) =>
    all.reduce((total, report) => total + count(report), 0);
  const direct = sum((report) => report.direct);
  const through = sum((report) => report.through);
  return [
    `${"file".padEnd(26)}${"directly".padStart(10)}${"through".padStart(10)}`,
    ...all.filter((r) => r.direct > 0).map((r) => line(r.unit, r.direct, r.through)),
    line("all", direct, through),
    "",
    formatKnown(all.flatMap((report) => report.lost)),
  ].join("\n");
}
