/** What a process has used of the machine, as Linux counts it. */
import { readFileSync } from "node:fs";
import { statFields } from "./process-stat.ts";

/** Linux: USER_HZ, the same on every machine. */
const TICKS_PER_SECOND = 100;
const MS_PER_SECOND = 1000;

/** Milliseconds of processor time of a process, its system calls included. */
export function processorTimeMs(pid: number): number {
  // State is field 3; user and system time are 14 and 15.
  const fields = statFields(readFileSync(`/proc/${pid}/stat`, "latin1"));
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / TICKS_PER_SECOND) * MS_PER_SECOND;
}
