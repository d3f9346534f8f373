/**
 * What a process and all that it started have used: CPU time and memory, from /proc.
 */
import { readdirSync, readFileSync } from "node:fs";
import { statFields } from "../../test/support/process-stat.ts";

/** Ticks per second in /proc/PID/stat; 100 on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;
/** Fields after the name in brackets: parent, then the four times (proc(5): 4, 14 to 17). */
const PARENT_FIELD = 1;
const FIRST_TIME_FIELD = 11;
const TIME_FIELDS = 4;

export interface Memory {
  /** All that is in memory, files and libraries included. */
  readonly residentKb: number;
  /** What belongs to no file: heap, stacks, buffers. */
  readonly anonymousKb: number;
}

/** Seconds of CPU that a process and all below it have used; ended children count. */
export function cpuSecondsOf(pid: number): number {
  let ticks = 0;
  for (const fields of treeOf(pid).values()) {
    const times = fields.slice(FIRST_TIME_FIELD, FIRST_TIME_FIELD + TIME_FIELDS);
    for (const time of times) ticks += Number(time);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Memory of a process and all below it, now. Pages that several of them share count for each. */
export function memoryOf(pid: number): Memory {
  let residentKb = 0;
  let anonymousKb = 0;
  for (const process of treeOf(pid).keys()) {
    const status = textOf(`/proc/${process}/status`) ?? "";
    residentKb += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    anonymousKb += Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return { residentKb, anonymousKb };
}

/** The fields of /proc/PID/stat, from the state on, of a process and all below it. */
function treeOf(pid: number): Map<number, readonly string[]> {
  const all = new Map<number, readonly string[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const text = textOf(`/proc/${entry}/stat`);
    if (text !== null) all.set(Number(entry), statFields(text));
  }
  const isBelow = (process: number): boolean => {
    for (let at = process; at > 0; at = Number(all.get(at)?.[PARENT_FIELD] ?? 0)) {
      if (at === pid) return true;
    }
    return false;
  };
  return new Map([...all].filter(([process]) => isBelow(process)));
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
