/**
 * A request that may wait at its server (BLPOP, XREAD BLOCK), over a connection lent for it alone.
 *
 *   start()    -> private connection -> requestDone() -> connection given back, client goes on
 *   leave()    -> no more is asked of the server: it replies or closes -> the same
 *   abandon()  -> the connection is closed, which ends the block at the server -> the same
 *
 * What the client sends meanwhile is kept in `behind`, unread. One that was left or abandoned has
 * no reply, but for CLIENT UNBLOCK. Whether its turn has come, and what the client does next, is
 * client-connection.ts.
 */
import { ByteChain } from "../lib/byte-chain.ts";
import type { MessageBytes } from "../lib/message-bytes.ts";
import { TOO_MANY_BLOCKED, UNUSED } from "../protocol/failure.ts";
import type { Request, RequestOwner } from "../protocol/request.ts";
import { NO_BYTES, takeRequest } from "../protocol/request.ts";
import type { Lane } from "./lane.ts";
import { UNBLOCK_MS } from "./limits.ts";
import type { ServerConnection } from "./server-connection.ts";
import { ConnectionState } from "./server-connection.ts";
import type { ServerPool } from "./server-pool.ts";
import type { Server } from "./server.ts";

/** Whose request it is. */
export interface BlockedClient extends RequestOwner {
  readonly pool: ServerPool;
  readonly lane: Lane;
  /** The request is over; `requestDone` follows. @param isLeft it has no reply */
  unblocked(isLeft: boolean): void;
}

const State = { Queued: 0, Sent: 1, Done: 2 } as const;
type State = (typeof State)[keyof typeof State];

export class BlockedRequest implements RequestOwner {
  readonly request: Request;
  /** What came behind it. */
  readonly behind: ByteChain;
  private state: State = State.Queued;
  private isLeft = false;
  /** Instead of the server's, when it was left. */
  private ownReply: Buffer = NO_BYTES;
  private readonly bytes: ByteChain;
  private readonly server: Server;
  private connection: ServerConnection | null = null;

  /** @param message its bytes are taken over */
  constructor(
    private readonly client: BlockedClient,
    private readonly target: number,
    message: MessageBytes,
    private readonly timeoutReply: Buffer,
  ) {
    const { chunkPool, targets } = client.pool;
    this.request = takeRequest(this);
    this.behind = new ByteChain(chunkPool);
    this.bytes = new ByteChain(chunkPool);
    this.server = targets[target]!;
    message.moveTo(this.bytes);
  }

  /** All requests before it are replied to. May be called again. */
  start(): void {
    if (this.state !== State.Queued) return;
    const { request, client, server } = this;
    const lane = server.failsFast ? null : client.pool.laneAt(this.target, client.lane);
    const connection = lane === null ? null : server.privates.take(lane);
    if (connection === null) {
      request.failure = lane === null ? client.pool.refusalOf(this.target) : TOO_MANY_BLOCKED;
      this.requestDone(request);
      return;
    }
    this.state = State.Sent;
    this.connection = connection;
    connection.beginRequest().appendChain(this.bytes);
    connection.queued(request);
  }

  /**
   * Ends the block, but not so that an element is lost which the server has just taken out: that
   * one still comes, unless a Redis reads the push and our end of the connection in the same turn.
   */
  leave(): void {
    if (this.isLeft) return;
    if (this.connection?.state !== ConnectionState.Open) {
      this.abandon();
      return;
    }
    this.isLeft = true;
    this.connection.finish();
    setTimeout(() => this.abandon(), UNBLOCK_MS).unref();
  }

  get isWaiting(): boolean {
    return this.state === State.Sent && !this.isLeft;
  }

  /** @returns false if it does not wait at the server, or no more */
  unblock(error: Buffer | null): boolean {
    if (!this.isWaiting) return false;
    this.ownReply = error ?? this.timeoutReply;
    this.leave();
    return true;
  }

  /** Ends the block at once, as the client is gone. */
  abandon(): void {
    if (this.state === State.Done) return;
    this.isLeft = true;
    if (this.connection !== null) {
      this.connection.close(UNUSED);
      return;
    }
    this.request.failure = UNUSED;
    this.requestDone(this.request);
  }

  replyArriving(request: Request, part: ByteChain): boolean {
    return this.client.replyArriving(request, part);
  }

  holdReply(request: Request): void {
    this.client.holdReply(request);
  }

  requestDone(request: Request): void {
    this.state = State.Done;
    this.bytes.clear();
    // One that is half closed is of no use to anybody.
    if (this.isLeft) this.connection?.close(UNUSED);
    else if (this.connection !== null) this.server.privates.give(this.connection);
    const isLeft = this.isLeft && request.failure !== null;
    // Half of a reply is worse than none: that one ends the client by its failure.
    if (isLeft && !request.isStreamed) {
      request.failure = null;
      request.setReply(this.ownReply, 0, this.ownReply.length);
    }
    this.client.unblocked(isLeft && this.ownReply === NO_BYTES);
    this.client.requestDone(request);
  }
}
