/**
 * One timer for many deadlines: it fires at the earliest one, and is told the next one then.
 *
 * Deadlines of a pool are equally long, so a later request cannot expire earlier and asking is one
 * comparison. (Bun's own socket timeout counts in steps of 4 s and closes nothing.)
 */
import { nowMs } from "../lib/clock.ts";

/** Longest delay that timers can have. */
const DELAY_MAX_MS = 2 ** 31 - 1;

export class DeadlineTimer {
  private atMs = Infinity;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** @param expire closes what is due at `nowMs`; returns the next deadline, or Infinity */
  constructor(private readonly expire: (nowMs: number) => number) {}

  /** Something expires at `deadlineMs`. */
  ask(deadlineMs: number): void {
    if (deadlineMs < this.atMs) this.arm(deadlineMs);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.atMs = Infinity;
  }

  private arm(deadlineMs: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.atMs = deadlineMs;
    const delayMs = Math.min(DELAY_MAX_MS, Math.max(1, Math.ceil(deadlineMs - nowMs())));
    this.timer = setTimeout(this.fire, delayMs);
  }

  private readonly fire = (): void => {
    this.timer = null;
    this.atMs = Infinity;
    const next = this.expire(nowMs());
    if (next !== Infinity) this.ask(next);
  };
}
