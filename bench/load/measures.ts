/**
 * What is measured: the name of each figure, its title in a table, and how far it can be trusted.
 */

interface MeasureRow {
  readonly title: string;
  readonly digits: number;
  /** A ratio this near to its limit, on either side, may be noise. */
  readonly noiseShare: number;
}

export const MEASURES = {
  cpuUsPerRequest: { title: "us/req", digits: 2, noiseShare: 0.07 },
  requestsPerSecond: { title: "req/s", digits: 0, noiseShare: 0.07 },
  p50Ms: { title: "p50 ms", digits: 2, noiseShare: 0.1 },
  p99Ms: { title: "p99 ms", digits: 2, noiseShare: 0.25 },
  p999Ms: { title: "p99.9 ms", digits: 2, noiseShare: 0.25 },
  /** How late an open loop itself sent, at p99: latencies of this size say nothing of a proxy. */
  lateP99Ms: { title: "late p99 ms", digits: 2, noiseShare: 0.25 },
  residentMb: { title: "MB", digits: 0, noiseShare: 0.1 },
  idleKb: { title: "KB silent", digits: 2, noiseShare: 0.1 },
  usedKb: { title: "KB used", digits: 2, noiseShare: 0.1 },
} as const satisfies Record<string, MeasureRow>;

export type Measure = keyof typeof MEASURES;

/** The figures of one run of one scenario on one proxy; not every scenario has every figure. */
export type Measured = Readonly<Partial<Record<Measure, number>>>;

/** Columns beside CPU per request, which has three of its own. */
export const TRAFFIC_MEASURES: readonly Measure[] = [
  "requestsPerSecond",
  "p50Ms",
  "p99Ms",
  "p999Ms",
  "residentMb",
];

export const MEMORY_MEASURES: readonly Measure[] = ["idleKb", "usedKb", "residentMb"];

/** A figure as a table shows it, `-` where there is none. */
export function figure(measured: Measured, measure: Measure): string {
  return measured[measure]?.toFixed(MEASURES[measure].digits) ?? "-";
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}
