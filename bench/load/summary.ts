/**
 * From the rounds of a scenario to one row: medians, the spread of the ratios, and whether the
 * ratio is what was wanted.
 */
import type { Measured, Pair } from "./measure.ts";
import type { Scenario } from "./scenarios.ts";

/** A ratio this near to its limit, on either side, may be noise. */
const UNDECIDED_SHARE = 0.07;

export type Verdict = "met" | "missed" | "undecided" | "-";

export interface Summary {
  readonly scenario: Scenario;
  /** Medians of the rounds. */
  readonly ours: Measured;
  readonly theirs: Measured;
  /** CPU per request, ours over theirs: median, least and largest of the rounds' ratios. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly verdict: Verdict;
  readonly pairs: readonly Pair[];
}

/** @param pairs at least one */
export function summarize(scenario: Scenario, pairs: readonly Pair[]): Summary {
  const medians = (side: keyof Pair): Measured => {
    const of = (what: keyof Measured): number => median(pairs.map((pair) => pair[side][what]));
    return {
      cpuUsPerRequest: of("cpuUsPerRequest"),
      requestsPerSecond: of("requestsPerSecond"),
      p99Ms: of("p99Ms"),
    };
  };
  const ratios = pairs.map(({ ours, theirs }) => ours.cpuUsPerRequest / theirs.cpuUsPerRequest);
  const ratio = median(ratios);
  return {
    scenario,
    ours: medians("ours"),
    theirs: medians("theirs"),
    ratio,
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    verdict: verdictOf(ratio, scenario.wanted),
    pairs,
  };
}

function verdictOf(ratio: number, wanted: number | null): Verdict {
  if (wanted === null) return "-";
  if (Math.abs(ratio / wanted - 1) <= UNDECIDED_SHARE) return "undecided";
  return ratio < wanted ? "met" : "missed";
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** The table's columns: title, width on a terminal, and what stands there. */
export const COLUMNS: readonly (readonly [string, number, (summary: Summary) => string])[] = [
  ["scenario", 11, ({ scenario }) => scenario.name],
  ["us/req ours", 12, ({ ours }) => ours.cpuUsPerRequest.toFixed(2)],
  ["theirs", 8, ({ theirs }) => theirs.cpuUsPerRequest.toFixed(2)],
  ["ratio", 7, ({ ratio }) => ratio.toFixed(2)],
  ["spread", 12, ({ ratioMin, ratioMax }) => `${ratioMin.toFixed(2)}-${ratioMax.toFixed(2)}`],
  ["wanted", 7, ({ scenario }) => scenario.wanted?.toFixed(2) ?? "-"],
  ["verdict", 10, ({ verdict }) => verdict],
  ["req/s ours", 11, ({ ours }) => ours.requestsPerSecond.toFixed(0)],
  ["theirs", 8, ({ theirs }) => theirs.requestsPerSecond.toFixed(0)],
  ["p99 ms ours", 12, ({ ours }) => ours.p99Ms.toFixed(2)],
  ["theirs", 8, ({ theirs }) => theirs.p99Ms.toFixed(2)],
];
