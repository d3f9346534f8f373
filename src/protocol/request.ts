/**
 * One request in flight: who waits for it, what became of it, and where its reply lies.
 *
 *   client queue  -> Request <-  sent queue of a server connection
 *                       ^
 *                       +- SplitRequest (split-request.ts): one that was divided; its fragments are
 *                          Requests whose owner it is
 *
 * The bytes of the request are not here: they were handed to a server connection when the request
 * had arrived whole. Records are used again; take and give are the only way to get and return one.
 * Twin: struct msg (nc_message.h), of which this keeps what a finished parser no longer knows.
 */
import { type ByteChain, SHARE_BYTES_MIN } from "../lib/byte-chain.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import type { KeptPage } from "../lib/kept-bytes.ts";
import { keepBytes, letGo, PAGE_BYTES } from "../lib/kept-bytes.ts";
import type { FailureReason } from "./failure.ts";

/**
 * Waiting -> Done. A request that nobody waits for any more has no owner (it is swallowed); an
 * Expired one is such a request, too, and its reply is late.
 */
export const RequestState = { Waiting: 0, Done: 1, Expired: 2 } as const;
export type RequestState = (typeof RequestState)[keyof typeof RequestState];

/** The only word that the server side can say to the client side. */
export interface RequestOwner {
  /** The request has its reply or its failure. The owner gives the record back when it used it. */
  requestDone(request: Request): void;
  /**
   * A part of a large reply is there. The owner may take it out of `part`, and must not if it
   * cannot use it before the rest has come.
   * @returns false: it has no room for the reply, and wants NO_BUFFER_SPACE instead
   */
  replyArriving(request: Request, part: ByteChain): boolean;
  /** The reply of this finished request has to wait: keep it, or let it fail for want of room. */
  holdReply(request: Request): void;
}

export const NO_BYTES = Buffer.alloc(0);

export class Request {
  state: RequestState = RequestState.Waiting;
  /** Null: swallow the reply. */
  owner: RequestOwner | null = null;
  /** Monotonic milliseconds; 0 = no deadline. */
  deadlineMs = 0;
  /** Bytes sent to the server, for the queue gauges. */
  sizeBytes = 0;
  /** Not 0: the protocol decides whether the client sees the reply. */
  replyFilter = 0;
  /** True in a SplitRequest only. */
  readonly isSplit: boolean = false;

  /** The reply in one piece of a socket's chunk or of a constant; shared, never changed. */
  replyBytes: Buffer = NO_BYTES;
  replyStart = 0;
  replyEnd = 0;
  /** The reply when it came in several chunks; then replyBytes is empty. */
  replyChain: ByteChain | null = null;
  /** The owner has taken a part of the reply already. */
  isStreamed = false;
  /** Why there is no reply, or none to the end; else null. */
  failure: FailureReason | null = null;
  /** What its owner holds because of it while it waits for its turn. */
  heldBytes = 0;
  /** Where the held bytes are counted that are in no chain. */
  private countedIn: ChunkPool | null = null;
  /** Where a small reply lies that left its chunk. */
  private page: KeptPage | null = null;

  setReply(bytes: Buffer, start: number, end: number): void {
    this.replyBytes = bytes;
    this.replyStart = start;
    this.replyEnd = end;
  }

  /** Of what has come and is not handed on. */
  get replySizeBytes(): number {
    return this.replyChain === null ? this.replyEnd - this.replyStart : this.replyChain.sizeBytes;
  }

  /** Nobody waits for it any more: its reply is to be swallowed. */
  abandon(): void {
    this.owner = null;
  }

  /** There will be no reply, and what has come of it goes. */
  fail(failure: FailureReason): void {
    this.failure = failure;
    this.dropReply();
  }

  /** The reply has to wait; it counts in `pool` until `dropReply`. */
  keepReply(pool: ChunkPool): void {
    this.heldBytes = this.replySizeBytes;
    if (this.replyChain !== null) return;
    if (this.heldBytes === 0) {
      this.setReply(NO_BYTES, 0, 0);
      return;
    }
    this.countedIn = pool;
    pool.bytesInUse += this.heldBytes;
    this.leaveLargeChunk();
  }

  dropReply(): void {
    this.setReply(NO_BYTES, 0, 0);
    if (this.replyChain !== null) {
      this.replyChain.clear();
      this.replyChain = null;
    }
    if (this.heldBytes === 0) return;
    if (this.countedIn !== null) this.countedIn.bytesInUse -= this.heldBytes;
    this.countedIn = null;
    this.heldBytes = 0;
    if (this.page !== null) letGo(this.page);
    this.page = null;
  }

  /**
   * A small reply leaves the chunk it came in, which may be a hundred thousand times as large. At
   * most a page or eight times its size stay in memory because of it.
   */
  private leaveLargeChunk(): void {
    const { replyBytes, replyStart, replyEnd } = this;
    const size = replyEnd - replyStart;
    if (replyBytes.length <= PAGE_BYTES || size * 8 > replyBytes.length) return;
    if (size >= SHARE_BYTES_MIN) {
      // Chains hand on such a piece without a copy, so it cannot lie in a page.
      this.setReply(Buffer.from(replyBytes.subarray(replyStart, replyEnd)), 0, size);
      return;
    }
    const page = keepBytes(replyBytes, replyStart, replyEnd);
    this.setReply(page.bytes, page.end - size, page.end);
    this.page = page;
  }
}

/** Records kept for reuse: what a busy proxy has in flight, small beside its buffers. */
const FREE_MAX = 16384;
const free: Request[] = [];

export function takeRequest(owner: RequestOwner | null): Request {
  const request = free.pop() ?? new Request();
  request.owner = owner;
  return request;
}

/** Gives a record back that is no SplitRequest. Nobody may hold it any more. */
export function giveRequest(request: Request): void {
  request.state = RequestState.Waiting;
  request.owner = null;
  request.deadlineMs = 0;
  request.replyFilter = 0;
  request.isStreamed = false;
  request.failure = null;
  request.dropReply();
  if (free.length < FREE_MAX) free.push(request);
}
