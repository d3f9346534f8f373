/**
 * From the rounds of a scenario to rows of a table: medians, ratios with their spread, and whether
 * the limits are kept.
 */
import { figure, median, MEASURES, MEMORY_MEASURES, TRAFFIC_MEASURES } from "./measures.ts";
import type { Measure, Measured } from "./measures.ts";
import type { Round } from "./measure.ts";
import type { Limit, Scenario } from "./scenarios.ts";

/** Median, least and largest of the rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** One proxy in one scenario. */
export interface Row {
  readonly proxy: string;
  /** Medians of the rounds. */
  readonly measured: Measured;
  /** The first proxy's figures over this one's; empty for the first itself. */
  readonly ratios: Readonly<Partial<Record<Measure, Spread>>>;
}

export type Verdict = "met" | "missed" | "undecided" | "not measured";

export interface Judged {
  readonly limit: Limit;
  readonly found: Spread | null;
  readonly verdict: Verdict;
}

export interface Summary {
  readonly scenario: Scenario;
  readonly rows: readonly Row[];
  readonly judged: readonly Judged[];
  readonly rounds: readonly Round[];
}

const NAMES = Object.keys(MEASURES) as readonly Measure[];

/**
 * @param rounds at least one
 * @param proxies the one that is judged first
 * @param isJudged false in a quick run, whose figures are too coarse for a verdict
 */
export function summarize(
  scenario: Scenario,
  rounds: readonly Round[],
  proxies: readonly string[],
  isJudged: boolean,
): Summary {
  const first = proxies[0] ?? "";
  const rows = proxies.map((proxy) => ({
    proxy,
    measured: mediansOf(rounds, proxy),
    ratios: proxy === first ? {} : ratiosOf(rounds, first, proxy),
  }));
  const limits = isJudged ? scenario.limits : [];
  const judged = limits.map((limit) => judge(limit, rows, rounds, first));
  return { scenario, rows, judged, rounds };
}

function valuesOf(rounds: readonly Round[], proxy: string, measure: Measure): number[] {
  return rounds.flatMap((round) => round[proxy]?.[measure] ?? []);
}

function mediansOf(rounds: readonly Round[], proxy: string): Measured {
  const medians = NAMES.map((name) => [name, valuesOf(rounds, proxy, name)] as const)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => [name, median(values)]);
  return Object.fromEntries(medians) as Measured;
}

function ratiosOf(rounds: readonly Round[], first: string, proxy: string): Row["ratios"] {
  const ratios: Partial<Record<Measure, Spread>> = {};
  for (const name of NAMES) {
    const ours = valuesOf(rounds, first, name);
    const theirs = valuesOf(rounds, proxy, name);
    if (ours.length === 0 || ours.length !== theirs.length) continue;
    // A short round may end before the clock of CPU time ticks: nothing has no ratio.
    if (ours.includes(0) || theirs.includes(0)) continue;
    ratios[name] = spreadOf(ours.map((value, index) => value / (theirs[index] ?? NaN)));
  }
  return ratios;
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

function judge(
  limit: Limit,
  rows: readonly Row[],
  rounds: readonly Round[],
  first: string,
): Judged {
  const { measure, over, most } = limit;
  const own = valuesOf(rounds, first, measure);
  const found =
    over === null
      ? own.length > 0 && spreadOf(own)
      : rows.find(({ proxy }) => proxy === over)?.ratios[measure];
  if (!found) return { limit, found: null, verdict: "not measured" };
  const isNear = Math.abs(found.median / most - 1) <= MEASURES[measure].noiseShare;
  const verdict = isNear ? "undecided" : found.median < most ? "met" : "missed";
  return { limit, found, verdict };
}

/** A column: its title, its width on a terminal, and the cell of a row. */
type Column = readonly [string, number, (scenario: Scenario, row: Row) => string];

const FIRST_COLUMNS: readonly Column[] = [
  ["scenario", 13, ({ name }) => name],
  ["proxy", 11, (_, { proxy }) => proxy],
];

const CPU_COLUMNS: readonly Column[] = [
  ["us/req", 9, (_, { measured }) => figure(measured, "cpuUsPerRequest")],
  ["ratio", 7, (_, { ratios }) => ratios.cpuUsPerRequest?.median.toFixed(2) ?? ""],
  ["spread", 12, (_, { ratios }) => range(ratios.cpuUsPerRequest)],
];

function columnOf(measure: Measure): Column {
  const cell = (_: Scenario, { measured, ratios }: Row): string => {
    const ratio = ratios[measure]?.median;
    return `${figure(measured, measure)}${ratio === undefined ? "" : ` (${ratio.toFixed(2)})`}`;
  };
  return [MEASURES[measure].title, 17, cell];
}

const TRAFFIC_COLUMNS = [...FIRST_COLUMNS, ...CPU_COLUMNS, ...TRAFFIC_MEASURES.map(columnOf)];
const MEMORY_COLUMNS = [...FIRST_COLUMNS, ...MEMORY_MEASURES.map(columnOf)];

/** The columns of a scenario's rows. */
export function columnsOf({ driver }: Scenario): readonly Column[] {
  return driver === "idle" ? MEMORY_COLUMNS : TRAFFIC_COLUMNS;
}

export const LIMIT_TITLES = ["scenario", "figure", "over", "found", "spread", "wanted", "verdict"];

/** The rows of the table of limits. */
export function limitRows({ scenario, judged }: Summary): string[][] {
  return judged.map(({ limit, found, verdict }) => [
    scenario.name,
    MEASURES[limit.measure].title,
    limit.over ?? "-",
    found?.median.toFixed(2) ?? "-",
    range(found ?? undefined),
    `<= ${limit.most.toFixed(2)}`,
    verdict,
  ]);
}

function range(spread: Spread | undefined): string {
  return spread === undefined ? "" : `${spread.least.toFixed(2)}-${spread.most.toFixed(2)}`;
}
