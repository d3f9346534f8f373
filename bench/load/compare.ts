/**
 * Ours and Debian's nutcracker side by side: CPU of the proxy per request, throughput, p99, ratios.
 *
 * Rounds alternate between the two proxies, which stand before the same servers (stage.ts). The
 * ratio is the median of the rounds' ratios; one number alone says little on a machine that others
 * use, too. How to read it: bench/README.md.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { wallClockMs } from "../../src/lib/clock.ts";
import { debianProgram } from "../../test/support/run-proxy.ts";
import type { ProxyProgram } from "../../test/support/run-proxy.ts";
import { machineFacts, versionFacts } from "./machine.ts";
import { runScenario } from "./measure.ts";
import type { Rounds } from "./measure.ts";
import { saveResults } from "./results.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Scenario } from "./scenarios.ts";
import { Stage } from "./stage.ts";
import { COLUMNS, summarize } from "./summary.ts";
import type { Summary } from "./summary.ts";
import { PROTOCOLS } from "./workload.ts";

const USAGE = `Usage: bun bench/load/compare.ts [options] [SCENARIO...]
  --ours PATH      dist/nutcracker
  --theirs PATH    Debian's nutcracker
  --rounds N       5, with --quick 1
  --quick          an eighth of the requests: to see that everything works
  --json           one line of JSON per scenario, with every round
  --save           writes bench/results/DATE-TIME.md and .json
`;
const QUICK_DIVISOR = 8;

interface Settings extends Rounds {
  readonly ours: ProxyProgram;
  readonly theirs: ProxyProgram;
  readonly scenarios: readonly Scenario[];
  readonly isJson: boolean;
  readonly isSaved: boolean;
}

function line(cells: readonly string[]): string {
  const padded = COLUMNS.map(([, width], index) => {
    const cell = cells[index] ?? "";
    return index === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return `${padded.join("")}\n`;
}

function jsonOf({ scenario, ratio, pairs }: Summary): string {
  return JSON.stringify({ scenario: scenario.name, ratio, wanted: scenario.wanted, pairs });
}

function readSettings(): Settings {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ours: { type: "string", default: "dist/nutcracker" },
      theirs: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
    },
  });
  const theirs = values.theirs === undefined ? debianProgram() : [resolve(values.theirs)];
  if (theirs === null) throw new Error("no nutcracker to compare with: apt-get install nutcracker");
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: "${values.rounds}"`);
  return {
    ours: [resolve(values.ours)],
    theirs,
    rounds,
    divisor: values.quick ? QUICK_DIVISOR : 1,
    scenarios: chosenScenarios(positionals),
    isJson: values.json,
    isSaved: values.save,
  };
}

/** All scenarios where none is named. */
function chosenScenarios(wanted: readonly string[]): readonly Scenario[] {
  const names = SCENARIOS.map((scenario) => scenario.name);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`no scenario "${unknown}"; there are: ${names.join(", ")}`);
  }
  return wanted.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => wanted.includes(name));
}

/** Runs the scenarios, those of one protocol together, and prints each row as it comes. */
async function runAll(settings: Settings): Promise<Summary[]> {
  const summaries: Summary[] = [];
  for (const protocol of PROTOCOLS) {
    const scenarios = settings.scenarios.filter((scenario) => scenario.protocol === protocol);
    if (scenarios.length === 0) continue;
    await using stage = await Stage.start(protocol);
    const ours = await stage.startProxy(settings.ours);
    const theirs = await stage.startProxy(settings.theirs);
    for (const scenario of scenarios) {
      const summary = summarize(scenario, await runScenario(scenario, settings, ours, theirs));
      summaries.push(summary);
      const text = settings.isJson
        ? `${jsonOf(summary)}\n`
        : line(COLUMNS.map(([, , cell]) => cell(summary)));
      process.stdout.write(text);
    }
  }
  return summaries;
}

async function main(): Promise<void> {
  const settings = readSettings();
  const run = {
    startedAt: new Date(wallClockMs()),
    machine: machineFacts(),
    versions: versionFacts(settings.ours, settings.theirs),
    rounds: settings.rounds,
    divisor: settings.divisor,
  };
  if (!settings.isJson) process.stdout.write(line(COLUMNS.map(([title]) => title)));
  const summaries = await runAll(settings);
  if (!settings.isSaved) return;
  const paths = await saveResults(run, summaries);
  process.stderr.write(`saved: ${paths.join(", ")}\n`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`compare: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exitCode = 1;
  }
}
