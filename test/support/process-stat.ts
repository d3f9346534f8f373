/** What the lines of /proc/PID/stat and /proc/PID/task/TID/stat say, see proc(5). */

/** The fields behind the name, which may hold blanks and brackets: the state is the first. */
export function statFields(line: string): string[] {
  return line.slice(line.lastIndexOf(")") + 2).split(" ");
}
