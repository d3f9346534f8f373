/**
 * Clients that are not read from, because there is no buffer memory for what they send.
 *
 *   enter -> every 50 ms: room? read on : 5 s over? the one that holds most is refused
 *
 * One is refused at a time, as its memory is room for the others.
 */
import { nowMs } from "../lib/clock.ts";
import { ROOM_WAIT_MS } from "./limits.ts";

const LOOK_INTERVAL_MS = 50;

export interface RoomSeeker {
  readonly heldForRoomBytes: number;
  /** Goes on if there is room now, or if it has ended. */
  hasFoundRoom(): boolean;
  /** Waited too long: ends with an error. */
  refuseRoom(): void;
}

export class WaitingRoom {
  /** With the monotonic milliseconds of their coming. */
  private readonly seekers = new Map<RoomSeeker, number>();
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly waitMs = ROOM_WAIT_MS) {}

  get size(): number {
    return this.seekers.size;
  }

  enter(seeker: RoomSeeker): void {
    if (!this.seekers.has(seeker)) this.seekers.set(seeker, nowMs());
    this.timer ??= setInterval(this.look, LOOK_INTERVAL_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.seekers.clear();
  }

  private readonly look = (): void => {
    for (const seeker of [...this.seekers.keys()]) {
      if (seeker.hasFoundRoom()) this.seekers.delete(seeker);
    }
    const longestAgoMs = nowMs() - this.waitMs;
    let largest: RoomSeeker | null = null;
    for (const [seeker, sinceMs] of this.seekers) {
      if (sinceMs > longestAgoMs) continue;
      if (largest === null || seeker.heldForRoomBytes > largest.heldForRoomBytes) largest = seeker;
    }
    if (largest !== null) {
      this.seekers.delete(largest);
      largest.refuseRoom();
    }
    if (this.seekers.size === 0) this.stop();
  };
}
