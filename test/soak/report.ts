/**
 * What the soak prints: a line now and then, the summary, the verdict.
 */
import type { FaultDiary } from "./fault-diary.ts";
import type { CheckResult } from "./final-checks.ts";
import type { ProxyWatch, Trend, Usage } from "./proxy-watch.ts";
import { shownCounts, type Tally, type Wrong, WRONGS } from "./tally.ts";
import type { WellProbe } from "./well-probe.ts";

export interface Results {
  readonly tally: Tally;
  readonly diary: FaultDiary;
  readonly watch: ProxyWatch;
  readonly probe: WellProbe;
  /** Before the first client, and some seconds after the last. */
  readonly idle: Usage;
  readonly rest: Usage;
  readonly checks: readonly CheckResult[];
  readonly isInterrupted: boolean;
  readonly elapsedMs: number;
}

/** The last quarter may have so much more than the first, as the clients are never the same. */
const GROWTH_MAX_MB = 40;
const GROWTH_MAX_SHARE = 0.2;
/** Some seconds after the last client there may be so much more than before the first. */
const REST_MAX_MB = 40;
/** In less time there is no telling growth from warming up. */
const JUDGED_FROM_MS = 60_000;
const COURSE_PARTS = 12;

const mb = (value: number) => `${value.toFixed(0)}`;

export function lineOf(
  elapsedMs: number,
  tally: Tally,
  diary: FaultDiary,
  usage: Usage,
  wellP99Ms: number,
): string {
  const wrongs = Object.entries(tally.wrongs).map(([kind, count]) => `${kind} ${count}`);
  return [
    `${(elapsedMs / 1000).toFixed(0).padStart(4)} s`,
    `requests ${tally.requests}`,
    `right ${tally.values}`,
    `errors ${tally.errors}`,
    ...wrongs,
    `rss ${mb(usage.residentMb)} MB (${mb(usage.anonymousMb)} anonymous)`,
    `fds ${usage.descriptors}`,
    `well p99 ${wellP99Ms.toFixed(1)} ms`,
    `faults now: ${diary.current.join(" ") || "none"}`,
  ].join("  ");
}

/** @returns null if memory is flat, or the run too short to tell */
export function growthTrouble({ firstMb, lastMb }: Trend, elapsedMs: number): string | null {
  if (elapsedMs < JUDGED_FROM_MS) return null;
  const limitMb = firstMb + Math.max(GROWTH_MAX_MB, firstMb * GROWTH_MAX_SHARE);
  if (lastMb <= limitMb) return null;
  return `anonymous memory grew from ${mb(firstMb)} to ${mb(lastMb)} MB, over ${mb(limitMb)} MB`;
}

/** @returns null if memory went back to the system, or the run was too short to tell */
export function restTrouble(idleMb: number, restMb: number, elapsedMs: number): string | null {
  if (elapsedMs < JUDGED_FROM_MS || restMb <= idleMb + REST_MAX_MB) return null;
  return `anonymous memory at rest is ${mb(restMb)} MB, and was ${mb(idleMb)} MB`;
}

export function summaryOf(results: Results): string {
  const { tally, diary, watch, probe, idle, rest, checks, elapsedMs } = results;
  const trend = watch.trend();
  const rows: [string, string][] = [
    ["time", `${(elapsedMs / 1000).toFixed(0)} s${results.isInterrupted ? ", interrupted" : ""}`],
    ["sessions", `${tally.sessions}: ${shownCounts(tally.sessionsByKind)}`],
    ["requests", `${tally.requests}, right replies ${tally.values}, ${tally.cuts} cut off`],
    ["errors", `${tally.errors}: ${shownCounts(tally.errorsByReason)}`],
    ["non-readers closed", String(tally.closedNonReaders)],
    ["faults", shownCounts(diary.countsByKind)],
    ["a well server", `${probe.summary} (this process was up to ${mb(probe.latestMs)} ms late)`],
    ["resident size", `${watch.course(COURSE_PARTS).map(mb).join(" ")} MB`],
    [
      "anonymous memory",
      `idle ${mb(idle.anonymousMb)}, first quarter ${mb(trend.firstMb)}, ` +
        `last quarter ${mb(trend.lastMb)}, most ${mb(trend.mostMb)}, ` +
        `at rest ${mb(rest.anonymousMb)} MB`,
    ],
    ...checks.map(({ what, trouble }): [string, string] => [what, trouble ?? "yes"]),
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(32)}${text}`).join("\n");
}

export function verdictOf(results: Results): { readonly isFine: boolean; readonly text: string } {
  const { tally, watch, idle, rest, checks, elapsedMs, isInterrupted } = results;
  const troubles: string[] = [];
  for (const [kind, count] of Object.entries(tally.wrongs)) {
    if (count > 0) troubles.push(`${count} ${WRONGS[kind as Wrong]}`);
  }
  if (tally.values === 0 && !isInterrupted) troubles.push("no reply was right");
  for (const trouble of [
    growthTrouble(watch.trend(), elapsedMs),
    restTrouble(idle.anonymousMb, rest.anonymousMb, elapsedMs),
  ]) {
    if (trouble !== null) troubles.push(trouble);
  }
  for (const { what, trouble } of checks) if (trouble !== null) troubles.push(`not: ${what}`);
  if (troubles.length > 0) return { isFine: false, text: `soak: FAILED: ${troubles.join("; ")}` };
  const text = `soak: fine: ${tally.values} replies checked, none mixed up, none lost`;
  return { isFine: true, text };
}
