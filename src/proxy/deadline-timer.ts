/**
 * One timer for many deadlines: it fires at the earliest one, and is told the next one then.
 *
 * Deadlines of a pool are equally long, so a later request cannot expire earlier and asking is one
 * comparison. Time in which the proxy itself stood still is not held against those it waits for.
 * (Bun's own socket timeout counts in steps of 4 s and closes nothing.)
 */
import { nowMs } from "../lib/clock.ts";

/** Longest delay that timers can have. */
const DELAY_MAX_MS = 2 ** 31 - 1;
/** A timer that comes so much too late: the loop was held up, or the whole process. */
const HELD_UP_MS = 50;
/** Then what came meanwhile is read first, and what was held up here gets its chance. */
const GRACE_MS = 40;
/** In a row; a loop that is always late must expire things all the same. */
const GRACES_MAX = 3;

export class DeadlineTimer {
  private atMs = Infinity;
  /** When the timer should fire. */
  private dueMs = 0;
  private graces = 0;
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
    const now = nowMs();
    // Long past at once: asked for in a turn that was held up.
    const least = now - deadlineMs > HELD_UP_MS ? GRACE_MS : 1;
    const delayMs = Math.min(DELAY_MAX_MS, Math.max(least, Math.ceil(deadlineMs - now)));
    this.dueMs = now + delayMs;
    this.timer = setTimeout(this.fire, delayMs);
  }

  private readonly fire = (): void => {
    const now = nowMs();
    if (now - this.dueMs > HELD_UP_MS && this.graces < GRACES_MAX) {
      this.graces++;
      this.dueMs = now + GRACE_MS;
      this.timer = setTimeout(this.fire, GRACE_MS);
      return;
    }
    this.timer = null;
    this.atMs = Infinity;
    this.graces = 0;
    const next = this.expire(now);
    if (next !== Infinity) this.ask(next);
  };
}
