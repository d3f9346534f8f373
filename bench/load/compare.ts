/**
 * Ours and every other proxy that is installed, side by side: CPU of the proxy per request,
 * throughput, latencies, memory, their ratios, and whether the limits are kept.
 *
 * Rounds alternate between the proxies, which stand before the same servers (stage.ts). A ratio is
 * the median of the rounds' ratios; one number alone says little on a machine that others use, too.
 * How to read it: bench/README.md.
 */
import { wallClockMs } from "../../src/lib/clock.ts";
import { machineFacts, versionFacts } from "./machine.ts";
import { peersOf, runScenario } from "./measure.ts";
import { markdownOf, saveResults } from "./results.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Scenario } from "./scenarios.ts";
import { readRunFlags, type RunSettings } from "./run-flags.ts";
import { Stage } from "./stage.ts";
import { columnsOf, LIMIT_TITLES, limitRows, summarize } from "./summary.ts";
import type { Summary } from "./summary.ts";
import { PROTOCOLS } from "./workload.ts";

const USAGE = `Usage: bun bench/load/compare.ts [options] [SCENARIO...]
  --ours PATH      dist/nutcracker
  --peers LIST     all that are installed of nutcracker,predixy,haproxy
  --rounds N       5, with --quick 1
  --quick          a small part of the requests: to see that everything works
  --json           one line of JSON per scenario, with every round
  --save           writes bench/results/DATE-TIME.md and .json
`;
const QUICK_DIVISOR = 40;
const LIMIT_WIDTHS = [14, 10, 12, 8, 14, 10, 14];

interface Settings extends RunSettings {
  readonly scenarios: readonly Scenario[];
}

/** Words to the left, figures to the right. */
function line(cells: readonly string[], widths: readonly number[], words: number): string {
  const padded = cells.map((cell, index) => {
    const width = widths[index] ?? 0;
    return index < words ? cell.padEnd(width) : cell.padStart(width);
  });
  return `${padded.join("").trimEnd()}\n`;
}

function readSettings(): Settings {
  const { common, names } = readRunFlags({ rounds: 5, quickDivisor: QUICK_DIVISOR });
  return {
    ...common,
    scenarios: chosenScenarios(names),
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
    for (const scenario of scenarios) {
      const peers = peersOf(scenario, settings.peers);
      const rounds = await runScenario(scenario, settings, stage, peers);
      const names = peers.map(({ name }) => name);
      const summary = summarize(scenario, rounds, names, settings.divisor === 1);
      print(summary, summaries.at(-1), settings.isJson);
      summaries.push(summary);
    }
  }
  return summaries;
}

/** The rows of a scenario; their titles first where they differ from those above. */
function print(summary: Summary, previous: Summary | undefined, isJson: boolean): void {
  const { scenario, rows, judged, rounds } = summary;
  if (isJson) {
    const data = { scenario: scenario.name, rows, judged, rounds };
    process.stdout.write(`${JSON.stringify(data)}\n`);
    return;
  }
  const columns = columnsOf(scenario);
  const widths = columns.map(([, width]) => width);
  if (previous === undefined || columnsOf(previous.scenario) !== columns) {
    const titles = columns.map(([title]) => title);
    process.stdout.write(line(titles, widths, 2));
  }
  for (const row of rows) {
    const cells = columns.map(([, , cell]) => cell(scenario, row));
    process.stdout.write(line(cells, widths, 2));
  }
}

function printLimits(summaries: readonly Summary[]): void {
  const rows = summaries.flatMap(limitRows);
  if (rows.length === 0) return;
  process.stdout.write("\n");
  for (const cells of [LIMIT_TITLES, ...rows]) process.stdout.write(line(cells, LIMIT_WIDTHS, 3));
  const verdicts = Map.groupBy(rows, (cells) => cells.at(-1) ?? "");
  const counts = [...verdicts].map(([verdict, { length }]) => `${length} ${verdict}`);
  process.stdout.write(`\nlimits: ${counts.join(", ")}\n`);
}

async function main(): Promise<void> {
  const settings = readSettings();
  const run = {
    startedAt: new Date(wallClockMs()),
    machine: machineFacts(),
    versions: versionFacts(settings.peers),
    rounds: settings.rounds,
    divisor: settings.divisor,
  };
  if (!settings.isJson) process.stdout.write(`${JSON.stringify({ ...run }, null, 1)}\n\n`);
  const summaries = await runAll(settings);
  if (!settings.isJson) printLimits(summaries);
  if (!settings.isSaved) return;
  const paths = await saveResults("", run, markdownOf(run, summaries), { summaries });
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
