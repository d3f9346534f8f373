/**
 * The replies of one client, in the order of its requests, and how much they hold.
 *
 *   enqueue(request) -> [requests: oldest ... youngest] -> output
 *                             requestDone(request)
 *
 * Does not read from the client, nor end it: that is client-connection.ts.
 * Invariant: `requests` holds every request that has not been replied to, oldest first.
 * A reply for which there is no room (max_buffer_memory) becomes an error; one that is half out
 * when the room ends takes the client with it.
 */
import type { Socket } from "bun";
import type { ByteChain } from "../lib/byte-chain.ts";
import { RingQueue } from "../lib/ring-queue.ts";
import { NO_BUFFER_SPACE } from "../protocol/failure.ts";
import type { Peer, PeersReply } from "../protocol/protocol.ts";
import type { Request, RequestOwner } from "../protocol/request.ts";
import { giveRequest, RequestState, takeRequest } from "../protocol/request.ts";
import type { SplitRequest } from "../protocol/split-request.ts";
import { giveSplitRequest } from "../protocol/split-request.ts";
import { PoolSession } from "./client-session.ts";
import {
  CLIENT_OUTPUT_BYTES_MAX,
  CLIENT_REPLIES_BYTES_MAX,
  CLIENT_REQUESTS_MAX,
  FIRST_REPLY_BYTES,
  ROOM_ALWAYS_BYTES,
} from "./limits.ts";
import type { ServerPool } from "./server-pool.ts";
import type { OutputOwner } from "./socket-output.ts";
import { SocketOutput } from "./socket-output.ts";

/** `replyFilter` of a request whose reply the client has asked not to see. */
const HIDDEN = -1;

export abstract class ReplyingClient extends PoolSession implements RequestOwner, OutputOwner {
  protected readonly requests = new RingQueue<Request>();
  protected readonly output: SocketOutput;
  /** Other workers are asked: nothing more is taken from the client until they have answered. */
  private isAskingElsewhere = false;
  /** Clients of other workers; known while the reply to a request about them is made. */
  protected distantPeers: readonly Peer[] = [];
  /** Replies that came before their turn. */
  private heldBytes = 0;
  /** What a reply to this client is expected to weigh; each one halves the error. */
  private replyBytesExpected = FIRST_REPLY_BYTES;
  /** Of the oldest reply, what has gone on already. */
  private streamedBytes = 0;

  constructor(pool: ServerPool, socket: Socket<unknown>) {
    super(pool, socket);
    this.output = new SocketOutput(this, pool.turn, pool.chunkPool);
    this.output.open(socket);
  }

  abstract outputWritten(): void;

  abstract outputFailed(): void;

  /** Half of a reply is out, and the rest will not come. */
  protected abstract replyCutOff(): void;

  abstract closeAfterReplies(): void;

  enqueue(request: Request): void {
    if (this.hiddenReplies > 0) {
      this.hiddenReplies--;
      request.replyFilter = HIDDEN;
    }
    this.requests.push(request);
  }

  answer(reply: Buffer): void {
    if (this.hiddenReplies > 0) {
      this.hiddenReplies--;
      return;
    }
    if (this.requests.length === 0) {
      this.output.chain.append(reply, 0, reply.length);
      this.output.schedule();
      return;
    }
    const request = takeRequest(this);
    request.setReply(reply, 0, reply.length);
    request.state = RequestState.Done;
    this.holdReply(request);
    this.requests.push(request);
  }

  answerWithPeers(reply: PeersReply, sizeBytes: number): void {
    const request = takeRequest(this);
    this.enqueue(request);
    if (this.hasRoomFor(sizeBytes)) {
      void this.answerKnowingPeers(request, reply, sizeBytes);
    } else {
      request.failure = NO_BUFFER_SPACE;
      this.requestDone(request);
    }
  }

  /** Large replies go on as they come, when it is their turn: they need not lie here whole. */
  replyArriving(request: Request, part: ByteChain): boolean {
    if (request.replyFilter === HIDDEN) {
      part.clear();
      return true;
    }
    // One that has begun may take all of the share: there is no good way to stop in the middle.
    const hasRoom = this.hasRoomFor(part.sizeBytes, request.isStreamed ? 1 : 2);
    if (this.requests.peek() !== request || request.replyFilter !== 0 || request.isSplit) {
      return hasRoom;
    }
    if (!hasRoom && request.isStreamed) {
      this.logNoRoom("is closed in the middle of a reply");
      this.terminate();
      return true;
    }
    if (!hasRoom) return false;
    request.isStreamed = true;
    this.streamedBytes += part.sizeBytes;
    this.output.chain.appendChain(part);
    this.output.schedule();
    return true;
  }

  requestDone(done: Request): void {
    const { requests } = this;
    done.state = RequestState.Done;
    if (done.isStreamed && done.failure !== null) {
      this.replyCutOff();
      return;
    }
    if (requests.peek() !== done) {
      this.holdReply(done);
      return;
    }
    // Parts of a large reply are no sign of a server that answers piece by piece.
    if (!this.output.isScheduled) this.pool.turn.pace?.clientTold();
    let request: Request | null = done;
    do {
      requests.shift();
      this.reply(request);
      request = requests.peek();
    } while (request !== null && request.state === RequestState.Done);
    this.output.schedule();
  }

  holdReply(request: Request): void {
    if (request.isSplit) {
      // Only the last of its fragments is not held yet.
      for (const fragment of (request as SplitRequest).fragments) {
        if (fragment.heldBytes === 0) (request as SplitRequest).holdReply(fragment);
      }
    } else if (this.hasRoomFor(request.replySizeBytes)) {
      request.keepReply(this.pool.chunkPool);
      this.heldBytes += request.heldBytes;
    } else {
      request.fail(NO_BUFFER_SPACE);
    }
  }

  /** Those in flight are swallowed when they are answered. */
  protected dropRequests(): void {
    for (let request = this.requests.shift(); request !== null; request = this.requests.shift()) {
      if (request.state === RequestState.Done) give(request);
      else request.abandon();
    }
    this.heldBytes = 0;
  }

  /**
   * True if as much waits for this client, or is expected to, as `1 / share` of the limits. One
   * request may always be in flight.
   */
  protected isReplyLimitReached(share: number): boolean {
    const count = this.requests.length * share;
    const outputBytes = this.output.chain.sizeBytes * share;
    const expectedBytes = count * this.replyBytesExpected;
    return (
      count >= CLIENT_REQUESTS_MAX ||
      outputBytes > CLIENT_OUTPUT_BYTES_MAX ||
      (expectedBytes > CLIENT_REPLIES_BYTES_MAX && count > 0) ||
      (this.pool.chunkPool.isShort &&
        Math.max(outputBytes, expectedBytes) > this.pool.chunkPool.shareBytes) ||
      this.isAskingElsewhere
    );
  }

  /** May this client hold so much more, if it may have `1 / part` of its share? */
  protected hasRoomFor(sizeBytes: number, part = 1): boolean {
    const wantedBytes = this.output.chain.sizeBytes + this.heldBytes + sizeBytes;
    if (wantedBytes <= ROOM_ALWAYS_BYTES) return true;
    return wantedBytes * part <= this.pool.chunkPool.shareBytes;
  }

  protected logNoRoom(end: string): void {
    const { bytesInUse, bytesMax } = this.pool.chunkPool;
    this.pool.log.warn(
      "replying-client.ts:1",
      `client ${this.identity.address} ${end}: buffers hold ${bytesInUse} bytes of ${bytesMax} ` +
        `(max_buffer_memory), ${this.output.chain.sizeBytes + this.heldBytes} for this client`,
    );
  }

  /** @param sizeBytes of what `reply` keeps of the request */
  private async answerKnowingPeers(
    request: Request,
    reply: PeersReply,
    sizeBytes: number,
  ): Promise<void> {
    const { chunkPool, askElsewhere } = this.pool;
    this.isAskingElsewhere = true;
    chunkPool.bytesInUse += sizeBytes;
    const found = await askElsewhere!();
    chunkPool.bytesInUse -= sizeBytes;
    if (request.owner !== null) {
      this.distantPeers = found.peers;
      const bytes = reply(this);
      this.distantPeers = [];
      request.setReply(bytes, 0, bytes.length);
      // Nothing that comes behind the reply may still reach a client that it calls killed.
      if (found.hasOrders) await askElsewhere!();
    }
    if (request.owner === null) {
      giveRequest(request);
      return;
    }
    this.isAskingElsewhere = false;
    this.requestDone(request);
    if (this.isQuitting) this.closeAfterReplies();
  }

  /** Appends the reply to the output, and gives the request back. */
  private reply(request: Request): void {
    const { protocol } = this.pool;
    const sizeBytes = request.replySizeBytes;
    this.heldBytes -= request.heldBytes;
    // No shift: a reply may have more than 2 GB.
    const error = sizeBytes + this.streamedBytes - this.replyBytesExpected;
    this.replyBytesExpected += Math.trunc(error / 2);
    this.streamedBytes = 0;
    if (!request.isStreamed && !this.hasRoomFor(sizeBytes)) request.failure = NO_BUFFER_SPACE;
    if (request.replyFilter === 0 || !this.hidesReply(request)) {
      if (request.failure !== null) this.replyFailure(protocol.failureReply(request.failure));
      else if (request.isSplit) this.coalesce(request as SplitRequest);
      else if (request.replyChain !== null) this.output.chain.appendChain(request.replyChain);
      else this.output.chain.append(request.replyBytes, request.replyStart, request.replyEnd);
    }
    give(request);
  }

  private hidesReply(request: Request): boolean {
    if (request.replyFilter === HIDDEN) return true;
    return !request.isSplit && this.pool.protocol.hidesReply(request);
  }

  private replyFailure(reply: Buffer): void {
    this.output.chain.append(reply, 0, reply.length);
    this.pool.counters.forwardError++;
  }

  private coalesce(request: SplitRequest): void {
    const isAnswered = this.pool.protocol.coalesce(request, this.output.chain);
    if (!isAnswered) this.pool.counters.forwardError++;
  }
}

function give(request: Request): void {
  if (request.isSplit) giveSplitRequest(request as SplitRequest);
  else giveRequest(request);
}
