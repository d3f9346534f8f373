/** What a process has used of the machine, as Linux counts it. */
import { readFileSync } from "node:fs";

/** Linux: USER_HZ, the same on every machine. */
const TICKS_PER_SECOND = 100;
const MS_PER_SECOND = 1000;

/** Milliseconds of processor time of a process, its system calls included. */
export function processorTimeMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Behind the name, which may hold blanks: state is field 3; user and system time are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / TICKS_PER_SECOND) * MS_PER_SECOND;
}
