/**
 * Result files: bench/results/DATE-TIME.md for people, and the same with every round as .json.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Facts } from "./machine.ts";
import { outputOf } from "./run.ts";
import { COLUMNS } from "./summary.ts";
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
export async function saveResults(run: Run, summaries: readonly Summary[]): Promise<string[]> {
  mkdirSync(FOLDER, { recursive: true });
  const name = run.startedAt.toISOString().slice(0, 16).replace("T", "-").replace(":", "");
  const texts = { md: markdownOf(run, summaries), json: JSON.stringify({ ...run, summaries }) };
  const paths = Object.entries(texts).map(([extension, text]) => {
    const path = join(FOLDER, `${name}.${extension}`);
    writeFileSync(path, text);
    return path;
  });
  await outputOf([process.execPath, "fmt", ...paths]);
  return paths.map((path) => relative(PROJECT, path));
}

function markdownOf(run: Run, summaries: readonly Summary[]): string {
  const shape =
    run.divisor > 1
      ? "A quick run: it shows that everything works, its figures are coarse."
      : "How to read it: bench/README.md.";
  return [
    `# Ours and nutcracker, ${run.startedAt.toISOString().slice(0, 10)}`,
    `CPU of the proxy per request, median of the rounds (${run.rounds}). ${shape}`,
    "## Results",
    table(
      COLUMNS.map(([title]) => title),
      summaries.map((summary) => COLUMNS.map(([, , cell]) => cell(summary))),
    ),
    "## Scenarios",
    table(
      [
        "scenario",
        "protocol",
        "load",
        "connections",
        "pipeline",
        "keys",
        "value bytes",
        "requests",
      ],
      summaries.map(({ scenario }) => [
        scenario.name,
        scenario.protocol,
        scenario.driver === "load" ? `load.ts ${scenario.mix}` : "redis-benchmark",
        ...[scenario.connections, scenario.pipeline].map(String),
        ...[scenario.keyCount, scenario.valueSizeBytes].map(String),
        String(Math.ceil(scenario.requests / run.divisor)),
      ]),
    ),
    "## Machine and versions",
    table(["what", "value"], Object.entries({ ...run.machine, ...run.versions })),
  ].join("\n\n");
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}
