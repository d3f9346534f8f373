/**
 * The deadlines of the requests that one server connection has sent.
 *
 *   sent: [expired, expired, waiting, waiting]   oldest first, so deadlines only grow
 *          ^ its late reply has `timeout` more to come, or the connection ends
 *
 * A request that times out fails at once, and another one stays in its place to swallow the late
 * reply, so that those behind it still get theirs. A reply that flows is not late: the oldest
 * request is spared while parts of its reply come in time, those behind it are not.
 */
import type { RingQueue } from "../lib/ring-queue.ts";
import type { FailureReason } from "../protocol/failure.ts";
import { TIMED_OUT } from "../protocol/failure.ts";
import type { Request } from "../protocol/request.ts";
import { RequestState } from "../protocol/request.ts";
import { EXPIRED_REQUESTS_MAX } from "./limits.ts";

/** The connection. */
export interface DeadlinesOwner {
  readonly sent: RingQueue<Request>;
  /** The request at `index` fails, and one that swallows its reply takes its place. */
  giveUp(index: number, failure: FailureReason): void;
  /** A first request timed out; those behind it that do so, too, are part of the same trouble. */
  timedOut(): void;
}

export class RequestDeadlines {
  /** When something came last. */
  lastReceivedMs = 0;
  /** A part of a reply has come. */
  isMidReply = false;
  /** How many of `sent` have timed out: the oldest, but for one whose reply flows. */
  private expiredCount = 0;
  /** Until then nothing is given up for a reply that flowed lately, as all others waited for it. */
  private sparedUntilMs = 0;

  /** @param timeoutMs 0: requests have no deadlines */
  constructor(
    private readonly owner: DeadlinesOwner,
    private readonly timeoutMs: number,
  ) {}

  /** An expired request has had its reply. */
  lateReply(): void {
    this.expiredCount--;
  }

  /**
   * Fails what has timed out at `nowMs`; `sent` is not empty.
   * @returns when to be called again, or Infinity; 0: the connection is to be closed
   * @cost linear in what has timed out
   */
  expire(nowMs: number): number {
    if (this.timeoutMs === 0) return Infinity;
    const { sent } = this.owner;
    const wasLate = this.expiredCount > 0;
    const isFlowing = this.spare(sent.peek()!, nowMs);
    if (!this.expireOldest(sent.peek()!, nowMs)) return 0;
    const oldest = sent.peek()!;
    const isExpired = oldest.state === RequestState.Expired;
    let place = this.expiredCount + (isExpired ? 0 : 1);
    while (place < sent.length && sent.at(place).deadlineMs <= nowMs) this.expireAt(place++);
    // A server at work on a large reply has not failed those behind it.
    if (!wasLate && this.expiredCount > 0 && !isFlowing) this.owner.timedOut();
    if (this.expiredCount > EXPIRED_REQUESTS_MAX) return 0;
    const dueMs = isExpired ? Math.max(oldest.deadlineMs, this.sparedUntilMs) : oldest.deadlineMs;
    return place < sent.length ? Math.min(dueMs, sent.at(place).deadlineMs) : dueMs;
  }

  /** @returns true if a reply is coming in these moments; then its request is not late */
  private spare(oldest: Request, nowMs: number): boolean {
    const flowsUntilMs = this.lastReceivedMs + this.timeoutMs;
    if (!this.isMidReply || flowsUntilMs <= nowMs) return false;
    if (oldest.deadlineMs <= nowMs) oldest.deadlineMs = this.sparedUntilMs = flowsUntilMs;
    return true;
  }

  /** @returns false if only the end of the connection helps: half a reply is out, or none came */
  private expireOldest(oldest: Request, nowMs: number): boolean {
    if (oldest.deadlineMs > nowMs) return true;
    if (oldest.state === RequestState.Expired) return this.sparedUntilMs > nowMs;
    if (oldest.isStreamed) return false;
    this.expireAt(0);
    return true;
  }

  private expireAt(place: number): void {
    const { owner } = this;
    if (owner.sent.at(place).owner !== null) owner.giveUp(place, TIMED_OUT);
    const late = owner.sent.at(place);
    late.state = RequestState.Expired;
    late.deadlineMs += this.timeoutMs;
    this.expiredCount++;
  }
}
