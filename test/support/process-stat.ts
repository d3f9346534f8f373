/** What the lines of /proc/PID/stat and /proc/PID/task/TID/stat say, see proc(5). */
import { readdirSync, readFileSync } from "node:fs";

/** The fields behind the name, which may hold blanks and brackets: the state is the first. */
export function statFields(line: string): string[] {
  return line.slice(line.lastIndexOf(")") + 2).split(" ");
}

/**
 * One letter per thread: `R` runs, `S` sleeps, `T` is stopped; empty for one that has just ended.
 *
 * @throws Error if there is no such process
 */
export function threadStates(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    try {
      return statFields(readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1"))[0] ?? "";
    } catch {
      return "";
    }
  });
}
