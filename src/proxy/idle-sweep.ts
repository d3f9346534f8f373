/**
 * Ends clients that say nothing: one that wants nothing (client_idle_timeout), and one that has
 * sent half a request and not the rest.
 *
 *   client added -> timer -> look at every client -> timer at the next moment that can matter
 *
 * One timer for all clients of a listener, which runs only while there are some; a client notes
 * when something was last heard of it, and nothing else. So it may end a quarter too late, but
 * never too early. One that we do not read from, or that waits for replies, is not silent.
 */
import { DeadlineTimer } from "./deadline-timer.ts";

/** What a client's silence means. */
export const Silence = {
  /** It has a reason to say nothing. */
  Waiting: 0,
  /** Nothing is owed by anybody. */
  Idle: 1,
  /** It owes us the rest of a request. */
  Unfinished: 2,
  /** The same, and nothing is in flight for it. */
  UnfinishedAlone: 3,
} as const;
export type Silence = (typeof Silence)[keyof typeof Silence];

export interface SweptClient {
  readonly silence: Silence;
  /** When it was last heard of; monotonic milliseconds. */
  readonly lastActiveMs: number;
}

export interface SweepLimits {
  /** 0 = no limit. */
  readonly idleMs: number;
  readonly unfinishedMs: number;
}

const STEPS = 4;

export class IdleSweep<Client extends SweptClient> {
  private readonly timer = new DeadlineTimer((nowMs) => this.sweep(nowMs));
  /** By the number of each Silence. */
  private readonly limitsMs: readonly number[];
  private readonly shortestMs: number;

  /** @param expired is called for each client that was silent for too long */
  constructor(
    private readonly clients: ReadonlySet<Client>,
    { idleMs, unfinishedMs }: SweepLimits,
    private readonly expired: (client: Client, silence: Silence, silentMs: number) => void,
  ) {
    const idleLimitMs = idleMs === 0 ? Infinity : idleMs;
    this.shortestMs = Math.min(idleLimitMs, unfinishedMs);
    this.limitsMs = [Infinity, idleLimitMs, unfinishedMs, this.shortestMs];
  }

  /** A client has come. */
  clientAdded(nowMs: number): void {
    this.timer.ask(nowMs + this.shortestMs);
  }

  stop(): void {
    this.timer.stop();
  }

  private sweep(nowMs: number): number {
    // Whoever has no deadline now will be heard of before it has one.
    let nextMs = nowMs + this.shortestMs;
    for (const client of this.clients) {
      const { silence, lastActiveMs } = client;
      const deadlineMs = lastActiveMs + (this.limitsMs[silence] ?? Infinity);
      if (deadlineMs <= nowMs) this.expired(client, silence, nowMs - lastActiveMs);
      else nextMs = Math.min(nextMs, deadlineMs);
    }
    if (this.clients.size === 0) return Infinity;
    return Math.max(nextMs, nowMs + this.shortestMs / STEPS);
  }
}
