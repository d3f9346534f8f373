/**
 * One turn of the event loop: what is to be written at its end, and what time it is.
 *
 *   data, data, data, ...  ->  setImmediate: each socket with output writes once
 *
 * setImmediate runs after all sockets that were ready had their say, and before the loop waits
 * again, so that the requests of many clients to one server leave in one write, at no extra wait.
 * A microtask would run after each callback and undo that. In a rush a rest follows, for more to
 * gather (turn-pace.ts).
 */
import { nowMs } from "../lib/clock.ts";
import type { TurnPace } from "./turn-pace.ts";

/** Something that has output to write at the end of the turn. */
export interface TurnMember {
  endTurn(): void;
}

export class Turn {
  private members: TurnMember[] = [];
  private isEndScheduled = false;
  private timeMs = 0;

  /** @param pace null: turns follow each other without a rest */
  constructor(readonly pace: TurnPace | null = null) {}

  /** The member's `endTurn` is called once at the end of this turn. */
  add(member: TurnMember): void {
    this.members.push(member);
    this.scheduleEnd();
  }

  /** Monotonic milliseconds, asked once per turn. */
  now(): number {
    if (this.timeMs === 0) {
      this.timeMs = nowMs();
      this.scheduleEnd();
    }
    return this.timeMs;
  }

  private scheduleEnd(): void {
    if (this.isEndScheduled) return;
    this.isEndScheduled = true;
    setImmediate(this.end);
  }

  private readonly end = (): void => {
    const { members } = this;
    // Members that are added while others write are written in this turn, too.
    for (let i = 0; i < members.length; i++) members[i]!.endTurn();
    members.length = 0;
    const beganMs = this.timeMs;
    this.timeMs = 0;
    this.isEndScheduled = false;
    if (beganMs > 0) this.pace?.turnEnded(beganMs);
  };
}
