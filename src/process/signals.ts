/**
 * The table of signals: which one does what, and what the log says about it.
 *
 * SIGPIPE is ignored by Bun. Every other signal keeps its default action. Twin: nc_signal.c.
 * Differs: SIGTERM drains; nutcracker dies of it. SIGSEGV keeps Bun's own crash report, because a
 * handler in JavaScript would never get to run after a real fault.
 */

import { constants } from "node:os";

/** What signals can ask of the program. */
export interface SignalTarget {
  /** For the line about the signal. */
  logSignal(text: string): void;
  raiseLogLevel(): void;
  lowerLogLevel(): void;
  reopenLog(): void;
  /** Stop accepting, let requests in flight finish, end. Asked again: end at once. */
  drain(): void;
  endAtOnce(): void;
}

type SignalName = "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGTTIN" | "SIGTTOU" | "SIGUSR1" | "SIGUSR2";

interface SignalRow {
  readonly name: SignalName;
  /** Behind "signal 1 (SIGHUP) received". */
  readonly doing: string;
  readonly act: (target: SignalTarget) => void;
}

export const SIGNAL_ROWS: readonly SignalRow[] = [
  { name: "SIGUSR1", doing: "", act: () => {} },
  { name: "SIGUSR2", doing: "", act: () => {} },
  { name: "SIGTTIN", doing: ", up logging level", act: (target) => target.raiseLogLevel() },
  { name: "SIGTTOU", doing: ", down logging level", act: (target) => target.lowerLogLevel() },
  { name: "SIGHUP", doing: ", reopening log file", act: (target) => target.reopenLog() },
  { name: "SIGTERM", doing: ", draining", act: (target) => target.drain() },
  { name: "SIGINT", doing: ", exiting", act: (target) => target.endAtOnce() },
];

/** From now on the signals of the table do nothing: somebody else has them. */
export function ignoreSignals(): void {
  for (const { name } of SIGNAL_ROWS) process.on(name, () => {});
}

/** From now on signals reach the target, one after another, between two turns of the loop. */
export function handleSignals(target: SignalTarget): void {
  for (const { name, doing, act } of SIGNAL_ROWS) {
    process.on(name, () => {
      target.logSignal(`signal ${constants.signals[name]} (${name}) received${doing}`);
      act(target);
    });
  }
}
