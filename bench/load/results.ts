/**
 * Result files: bench/results/NAME.md for people, and the same with every round as .json.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Facts } from "./machine.ts";
import { requestsOf } from "./measure.ts";
import { outputOf } from "./run.ts";
import { columnsOf, LIMIT_TITLES, limitRows } from "./summary.ts";
import type { Summary } from "./summary.ts";

const PROJECT = join(import.meta.dir, "../..");
const FOLDER = join(PROJECT, "bench/results");

export interface Run {
  readonly startedAt: Date;
  readonly machine: Facts;
  readonly versions: Facts;
  readonly rounds: number;
  /** Divides the requests of each scenario: more than 1 in a quick run. */
  readonly divisor: number;
}

/** Writes both files, formatted as the project is. @returns their paths within the project */
export async function saveResults(
  prefix: string,
  run: Run,
  markdown: string,
  data: Readonly<Record<string, unknown>>,
): Promise<string[]> {
  mkdirSync(FOLDER, { recursive: true });
  const moment = run.startedAt.toISOString().slice(0, 16).replace("T", "-").replace(":", "");
  const texts = { md: markdown, json: JSON.stringify({ ...run, ...data }) };
  const paths = Object.entries(texts).map(([extension, text]) => {
    const path = join(FOLDER, `${prefix}${moment}.${extension}`);
    writeFileSync(path, text);
    return path;
  });
  await outputOf([process.execPath, "fmt", ...paths]);
  return paths.map((path) => relative(PROJECT, path));
}

/** What stands above each table of a saved run. */
export function introductionOf(title: string, run: Run): string {
  const shape =
    run.divisor > 1
      ? "A quick run: it shows that everything works, its figures are coarse."
      : "How to read it: bench/README.md.";
  const date = run.startedAt.toISOString().slice(0, 10);
  return `# ${title}, ${date}\n\nMedian of the rounds (${run.rounds}). ${shape}`;
}

export function factsOf(run: Run): string {
  const facts = Object.entries({ ...run.machine, ...run.versions });
  return `## Machine and versions\n\n${table(["what", "value"], facts)}`;
}

export function markdownOf(run: Run, summaries: readonly Summary[]): string {
  const limits = summaries.flatMap(limitRows);
  const isIdle = ({ scenario }: Summary): boolean => scenario.driver === "idle";
  return [
    introductionOf("Ours beside other proxies", run),
    ...resultTable(
      "Results",
      summaries.filter((summary) => !isIdle(summary)),
    ),
    ...resultTable("Idle connections", summaries.filter(isIdle)),
    ...(limits.length === 0 ? [] : ["## Limits", table(LIMIT_TITLES, limits)]),
    "## Scenarios",
    scenarioTable(run, summaries),
    factsOf(run),
  ].join("\n\n");
}

function resultTable(title: string, summaries: readonly Summary[]): string[] {
  const [first] = summaries;
  if (first === undefined) return [];
  const columns = columnsOf(first.scenario);
  const rows = summaries.flatMap(({ scenario, rows }) =>
    rows.map((row) => columns.map(([, , cell]) => cell(scenario, row))),
  );
  const titles = columns.map(([name]) => name);
  return [`## ${title}`, table(titles, rows)];
}

function scenarioTable(run: Run, summaries: readonly Summary[]): string {
  const titles = ["scenario", "protocol", "load", "connections", "pipeline", "keys"];
  return table(
    [...titles, "value bytes", "requests"],
    summaries.map(({ scenario }) => [
      scenario.name,
      scenario.protocol,
      "mix" in scenario ? `${scenario.driver} ${scenario.mix}` : scenario.driver,
      ...[scenario.connections, scenario.pipeline].map(String),
      ...[scenario.keyCount, scenario.valueSizeBytes].map(String),
      String(requestsOf(scenario, run.divisor)),
    ]),
  );
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}
