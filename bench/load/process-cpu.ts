/**
 * User and system time of a process and all that it started, from /proc.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Ticks per second in /proc/PID/stat; 100 on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;
/** Fields after the name in brackets: parent, then the four times (proc(5): 4, 14 to 17). */
const PARENT_FIELD = 1;
const FIRST_TIME_FIELD = 11;
const TIME_FIELDS = 4;

/** Seconds of CPU that a process and all below it have used; ended children count. */
export function cpuSecondsOf(pid: number): number {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statFields(entry);
    if (fields === null) continue;
    parents.set(Number(entry), Number(fields[PARENT_FIELD]));
    const times = fields.slice(FIRST_TIME_FIELD, FIRST_TIME_FIELD + TIME_FIELDS);
    ticks.set(
      Number(entry),
      times.map(Number).reduce((sum, time) => sum + time, 0),
    );
  }
  let total = 0;
  for (const [process, used] of ticks) if (isBelow(process, pid, parents)) total += used;
  return total / TICKS_PER_SECOND;
}

function statFields(pid: string): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may hold blanks and brackets: what follows the last bracket is regular.
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

function isBelow(process: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = process; at !== undefined && at > 0; at = parents.get(at)) {
    if (at === ancestor) return true;
  }
  return false;
}
