/**
 * One client: its bytes -> requests, when it is read from, and how it ends.
 *
 *   received() -> parser -> dispatch -> replies in order (replying-client.ts) -> socket
 *
 *   Open -> Closing (QUIT, FIN, bad framing: reply to what is there) -> Lingering -> Closed
 *   Open <-> Blocked (a request that may wait at its server: those behind it wait, unread)
 *
 * Does not know servers, nor what a command means, nor what the client said about itself
 * (client-session.ts).
 * An idle client owns no buffer and no parser.
 * Twin: nc_client.c, nc_request.c. Differs: a client that does not read is not read from.
 */
import type { Socket } from "bun";
import { ByteChain } from "../lib/byte-chain.ts";
import { MessageBytes } from "../lib/message-bytes.ts";
import type { Peer, RequestParser } from "../protocol/protocol.ts";
import { ParseStatus } from "../protocol/protocol.ts";
import { NO_BUFFER_SPACE } from "../protocol/failure.ts";
import { BlockedRequest, type BlockedClient } from "./blocked-request.ts";
import type { DispatchClient } from "./dispatch.ts";
import { dispatch } from "./dispatch.ts";
import { Silence } from "./idle-sweep.ts";
import { BLOCKED_BYTES_MAX, LINGER_MS } from "./limits.ts";
import { ReplyingClient } from "./replying-client.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { ServerPool } from "./server-pool.ts";
import type { RoomSeeker } from "./waiting-room.ts";

const State = { Open: 0, Closing: 1, Lingering: 2, Closed: 3, Blocked: 4 } as const;
type State = (typeof State)[keyof typeof State];

/** Who started the end of the connection; the stats tell the two apart. */
const EndedBy = { Error: 0, Client: 1 } as const;

/** The message being dispatched; one at a time in the whole process. */
const message = new MessageBytes();

export interface ClientOwner {
  readonly clients: Iterable<ClientConnection>;
  clientClosed(client: ClientConnection): void;
}

export class ClientConnection
  extends ReplyingClient
  implements DispatchClient, BlockedClient, RoomSeeker
{
  private state: State = State.Open;
  private endedBy: number = EndedBy.Error;
  /** The peer has sent its FIN. */
  private isHalfClosed = false;
  /** What was read is the last. */
  private isFinishing = false;
  /** Not null while a request is half there. */
  private parser: RequestParser | null = null;
  private partial: ByteChain | null = null;
  private isPaused = false;
  /** When something came from it or went to it last. */
  lastActiveMs: number;
  /** What came but is not parsed: too many requests are in flight, or one blocks. */
  private unparsed: Buffer | null = null;
  /** Its youngest request, while it is Blocked. */
  private blocked: BlockedRequest | null = null;
  /** There was no room for the request that is half there. */
  private isWaitingForRoom = false;
  /** A server connection that has too much to write because of this client. */
  private busyConnection: ServerConnection | null = null;

  constructor(
    pool: ServerPool,
    private readonly socket: Socket<ClientConnection>,
    private readonly owner: ClientOwner,
  ) {
    super(pool, socket as Socket<unknown>);
    this.lastActiveMs = pool.turn.now();
  }

  peers(): Iterable<Peer> {
    return [...this.owner.clients, ...this.distantPeers];
  }

  get isBlocked(): boolean {
    return this.blocked?.isWaiting ?? false;
  }

  get silence(): Silence {
    if (this.state !== State.Open || this.isPaused) return Silence.Waiting;
    const isWaiting = this.requests.length > 0 || this.output.chain.sizeBytes > 0;
    if (this.parser !== null) return isWaiting ? Silence.Unfinished : Silence.UnfinishedAlone;
    return isWaiting ? Silence.Waiting : Silence.Idle;
  }

  received(chunk: Buffer): void {
    const { turn } = this.pool;
    const now = turn.now();
    turn.pace?.heardAfter(now - this.lastActiveMs);
    this.lastActiveMs = now;
    if (this.blocked !== null) {
      this.blocked.behind.append(chunk, 0, chunk.length);
      this.updateReading();
      return;
    }
    // More can come after a pause only from a read that was under way.
    this.parseFrom(this.unparsed === null ? chunk : Buffer.concat([this.unparsed, chunk]));
    this.updateReading();
  }

  /** Parses and dispatches requests until the chunk is used up, or enough are in flight. */
  private parseFrom(chunk: Buffer): void {
    const { pool } = this;
    const parser = this.parser ?? pool.takeParser();
    this.parser = null;
    this.setUnparsed(null);
    const end = chunk.length;
    let at = 0;
    // What comes after QUIT or broken framing is read and thrown away.
    while (at < end && this.state === State.Open) {
      if (this.partial === null && this.isAtLimit(1)) {
        this.setUnparsed(chunk.subarray(at));
        break;
      }
      const start = at;
      at = parser.parse(chunk, start, end);
      switch (parser.status) {
        case ParseStatus.Complete:
          this.completed(parser, chunk, start, at);
          break;
        case ParseStatus.Incomplete:
          this.partial ??= new ByteChain(pool.chunkPool);
          this.partial.append(chunk, start, end);
          // What stood before it in the chunk may be far larger.
          if (start > 0) this.partial.detach();
          this.parser = parser;
          this.isWaitingForRoom = !this.seekRoom();
          break;
        case ParseStatus.Rewritten:
          this.dropPartial();
          parser.parse(parser.rewritten, 0, parser.rewritten.length);
          this.completed(parser, parser.rewritten, 0, parser.rewritten.length);
          break;
        case ParseStatus.Nothing:
          this.dropPartial();
          break;
        default:
          this.answer(pool.protocol.framingErrorReply(parser));
          this.closeAfterReplies();
      }
    }
    if (this.blocked !== null && at < end) this.setUnparsed(chunk.subarray(at));
    message.release();
    if (this.parser === null) {
      parser.reset();
      pool.giveParser(parser);
    }
  }

  /**
   * The peer will send nothing more; it still gets its replies. If it is blocked it is gone, as
   * Redis sees it: better no reply than an element that is taken out for nobody.
   */
  ended(): void {
    this.isHalfClosed = true;
    if (this.state === State.Open || this.blocked !== null) this.endedBy = EndedBy.Client;
    if (this.blocked !== null) this.closeAfterReplies();
    else this.finish();
    if (this.state === State.Lingering) this.socket.end();
  }

  /** Reads no more; closes when all that was read is replied to. */
  finish(): void {
    this.isFinishing = true;
    if (this.blocked !== null) this.blocked.leave();
    else if (this.unparsed === null) this.closeAfterReplies();
  }

  block(target: number, bytes: MessageBytes, timeoutReply: Buffer): void {
    if (this.isFinishing) {
      this.closeAfterReplies();
      return;
    }
    this.state = State.Blocked;
    this.blocked = new BlockedRequest(this, target, bytes, timeoutReply);
    this.enqueue(this.blocked.request);
    if (this.requests.length === 1) this.blocked.start();
  }

  unblock(error: Buffer | null): boolean {
    return this.blocked?.unblock(error) ?? false;
  }

  /** What came behind the request is parsed when its reply is written. */
  unblocked(isLeft: boolean): void {
    if (this.state === State.Blocked) this.state = State.Open;
    const { behind } = this.blocked!;
    this.blocked = null;
    if (behind.sizeBytes > 0) {
      const start = this.unparsed?.length ?? 0;
      const all = Buffer.allocUnsafeSlow(start + behind.sizeBytes);
      this.unparsed?.copy(all);
      behind.copyOut(0, behind.sizeBytes, all, start);
      behind.clear();
      this.setUnparsed(all);
    }
    if (isLeft || (this.isFinishing && this.unparsed === null)) this.closeAfterReplies();
  }

  drained(): void {
    this.output.drained();
  }

  protected override replyCutOff(): void {
    // Only the end of the connection still tells the truth.
    this.blocked?.abandon();
    this.dropRequests();
    this.closeAfterReplies();
    this.output.schedule();
  }

  /** What waits for buffer memory: half a request, and what is not parsed. */
  get heldForRoomBytes(): number {
    const partialBytes = (this.partial?.sizeBytes ?? 0) + (this.parser?.keptBytes ?? 0);
    return partialBytes + (this.unparsed?.length ?? 0);
  }

  hasFoundRoom(): boolean {
    if (this.state === State.Open && !this.hasRoomFor(this.heldForRoomBytes)) return false;
    if (this.isWaitingForRoom) {
      this.isWaitingForRoom = false;
      this.updateReading();
    }
    return !this.isWaitingForRoom;
  }

  refuseRoom(): void {
    this.logNoRoom("is closed with its request half there");
    this.answer(this.pool.protocol.failureReply(NO_BUFFER_SPACE));
    this.closeAfterReplies();
  }

  holdBack(connection: ServerConnection): void {
    if (this.busyConnection !== null) return;
    this.busyConnection = connection;
    connection.holdBack(this);
  }

  serverDrained(): void {
    this.busyConnection = null;
    this.updateReading();
  }

  outputWritten(): void {
    this.lastActiveMs = this.pool.turn.now();
    if (this.blocked !== null && this.requests.length === 1) this.blocked.start();
    if (this.isPaused || this.unparsed !== null) this.updateReading();
    if (this.state === State.Closing) this.closeIfReplied();
  }

  /**
   * The write has taken the error off the socket, so that Bun sees a FIN where a reset was, and
   * keeps it back from a client that is not read from.
   */
  outputFailed(): void {
    this.terminate();
  }

  /** Takes no more requests; closes when those in flight are replied to. */
  closeAfterReplies(): void {
    this.blocked?.abandon();
    if (this.state !== State.Open) return;
    this.state = State.Closing;
    this.setUnparsed(null);
    this.parser = null;
    this.dropPartial();
    if (this.isPaused) this.updateReading();
    this.closeIfReplied();
  }

  /** Closes at once. Requests in flight are swallowed: their place at the servers is kept. */
  terminate(): void {
    this.closed();
    this.socket.terminate();
  }

  /** The socket is closed. */
  closed(): void {
    if (this.state === State.Closed) return;
    this.state = State.Closed;
    this.blocked?.abandon();
    const { counters } = this.pool;
    if (this.endedBy === EndedBy.Client || this.isQuitting) counters.clientEof++;
    else counters.clientErr++;
    this.leaveLane();
    this.dropRequests();
    this.setUnparsed(null);
    this.dropPartial();
    this.output.close();
    this.owner.clientClosed(this);
  }

  private completed(parser: RequestParser, chunk: Buffer, start: number, end: number): void {
    if (this.partial === null) {
      message.usePiece(chunk, start, end);
      dispatch(this, parser, message);
    } else {
      this.partial.append(chunk, start, end);
      message.useChain(this.partial);
      dispatch(this, parser, message);
      this.dropPartial();
    }
    if (this.isQuitting) this.closeAfterReplies();
  }

  /** @returns true if there is room for what is held; else it is waited for */
  private seekRoom(): boolean {
    if (this.hasRoomFor(this.heldForRoomBytes)) return true;
    this.pool.waitingRoom.enter(this);
    return false;
  }

  private setUnparsed(bytes: Buffer | null): void {
    const { chunkPool } = this.pool;
    if (this.unparsed !== null) chunkPool.bytesInUse -= this.unparsed.buffer.byteLength;
    if (bytes !== null) chunkPool.bytesInUse += bytes.buffer.byteLength;
    this.unparsed = bytes;
    // Whether it goes on depends on other limits; but it may hold too much for too long.
    if (bytes !== null) this.seekRoom();
  }

  private dropPartial(): void {
    this.partial?.clear();
    this.partial = null;
  }

  /** True if as much waits for this client, or because of it, as `1 / share` of the limits. */
  private isAtLimit(share: number): boolean {
    return this.isReplyLimitReached(share) || this.busyConnection !== null || this.isWaitingForRoom;
  }

  /**
   * True if more is not wanted now. A blocked client must be read from, or nobody hears that it
   * has left, and an element goes to it all the same: so one that sends too much behind its
   * request is in danger of just that.
   */
  private get isFull(): boolean {
    const share = this.isPaused ? 2 : 1;
    if (this.blocked === null) return this.state === State.Open && this.isAtLimit(share);
    const sizeBytes = (this.unparsed?.length ?? 0) + this.blocked.behind.sizeBytes;
    return sizeBytes * share > BLOCKED_BYTES_MAX || !this.hasRoomFor(sizeBytes);
  }

  /** Stops and starts reading by the limits; half of a limit must be free to start again. */
  private updateReading(): void {
    if (this.state === State.Closed) return;
    if (this.isFull) {
      this.stopReading();
      return;
    }
    if (this.unparsed !== null && this.state === State.Open) {
      this.parseFrom(this.unparsed);
      if (this.unparsed !== null && this.isFull) {
        this.stopReading();
        return;
      }
      const isLast = this.isFinishing && this.unparsed === null;
      if (isLast && this.blocked === null) this.closeAfterReplies();
    }
    if (!this.isPaused) return;
    this.isPaused = false;
    this.lastActiveMs = this.pool.turn.now();
    this.socket.resume();
  }

  private stopReading(): void {
    if (!this.isPaused) this.socket.pause();
    this.isPaused = true;
  }

  private closeIfReplied(): void {
    if (this.requests.length > 0 || this.output.chain.sizeBytes > 0) return;
    this.state = State.Lingering;
    if (this.isHalfClosed) {
      this.socket.end();
      return;
    }
    // Closing with unread bytes would reset the connection and might lose our last reply.
    this.socket.shutdown();
    setTimeout(() => this.endLingering(), LINGER_MS).unref();
  }

  /** No reset: the kernel may still have replies for a client that reads slowly. */
  private endLingering(): void {
    if (this.state === State.Lingering) this.socket.end();
  }
}
