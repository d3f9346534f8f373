/**
 * Whoever started the program and wants to know how the start went: a person at a terminal who sees
 * our stderr, or the foreground half of --daemonize, which waits for the answer (daemon.ts).
 */

import { printStderr } from "../log/stderr.ts";

export interface Starter {
  /** One line that nutcracker prints on stderr, whatever the log is. Without line feed. */
  print(line: string): void;
  /** A reason why the start fails, which stands in the log too. Without line feed. */
  explain(line: string): void;
  /** All listeners are open. */
  ready(): void;
}

/** Reasons are not repeated here: as with nutcracker, they are in the log. */
export const foregroundStarter: Starter = {
  print: (line) => printStderr(`${line}\n`),
  explain: () => {},
  ready: () => {},
};
