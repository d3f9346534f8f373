/**
 * One client: bytes -> requests; finished requests -> replies, in the order of the requests.
 *
 *   received() -> parser -> dispatch -> [requests: oldest ... youngest] -> output -> socket
 *                                            requestDone()
 *
 *   Open -> Closing (QUIT, FIN, bad framing: reply to what is there) -> Lingering -> Closed
 *
 * Does not know servers, nor what a command means, nor what the client said about itself
 * (client-session.ts).
 * Invariant: `requests` holds every request that has not been replied to, oldest first.
 * An idle client owns no buffer and no parser.
 * Twin: nc_client.c, nc_request.c. Differs: a client that does not read is not read from.
 */
import type { Socket } from "bun";
import { ByteChain } from "../lib/byte-chain.ts";
import { MessageBytes } from "../lib/message-bytes.ts";
import { RingQueue } from "../lib/ring-queue.ts";
import type { RequestParser } from "../protocol/protocol.ts";
import { ParseStatus } from "../protocol/protocol.ts";
import type { Request } from "../protocol/request.ts";
import { giveRequest, RequestState, takeRequest } from "../protocol/request.ts";
import type { SplitRequest } from "../protocol/split-request.ts";
import { giveSplitRequest } from "../protocol/split-request.ts";
import { PoolSession } from "./client-session.ts";
import type { DispatchClient } from "./dispatch.ts";
import { dispatch } from "./dispatch.ts";
import { CLIENT_OUTPUT_BYTES_MAX, CLIENT_REQUESTS_MAX, LINGER_MS } from "./limits.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { ServerPool } from "./server-pool.ts";
import type { OutputOwner } from "./socket-output.ts";
import { SocketOutput } from "./socket-output.ts";

const State = { Open: 0, Closing: 1, Lingering: 2, Closed: 3 } as const;
type State = (typeof State)[keyof typeof State];

/** Who started the end of the connection; the stats tell the two apart. */
const EndedBy = { Error: 0, Client: 1 } as const;

/** `replyFilter` of a request whose reply the client has asked not to see. */
const HIDDEN = -1;

/** The message being dispatched; one at a time in the whole process. */
const message = new MessageBytes();

export interface ClientOwner {
  readonly clients: Iterable<ClientConnection>;
  clientClosed(client: ClientConnection): void;
}

export class ClientConnection extends PoolSession implements DispatchClient, OutputOwner {
  private state: State = State.Open;
  private endedBy: number = EndedBy.Error;
  /** The peer has sent its FIN. */
  private isHalfClosed = false;
  private readonly requests = new RingQueue<Request>();
  private readonly output: SocketOutput;
  /** Not null while a request is half there. */
  private parser: RequestParser | null = null;
  private partial: ByteChain | null = null;
  private isPaused = false;
  /** What came but is not parsed, as too many requests were in flight; then reading is paused. */
  private unparsed: Buffer | null = null;
  /** A server connection that has too much to write because of this client. */
  private busyConnection: ServerConnection | null = null;

  constructor(
    pool: ServerPool,
    private readonly socket: Socket<ClientConnection>,
    private readonly owner: ClientOwner,
  ) {
    super(pool, socket);
    this.output = new SocketOutput(this, pool.turn, pool.chunkPool);
    this.output.open(socket as Socket<unknown>);
  }

  peers(): Iterable<ClientConnection> {
    return this.owner.clients;
  }

  received(chunk: Buffer): void {
    // More can come after a pause only from a read that was under way.
    this.parseFrom(this.unparsed === null ? chunk : Buffer.concat([this.unparsed, chunk]));
    this.updateReading();
  }

  /** Parses and dispatches requests until the chunk is used up, or enough are in flight. */
  private parseFrom(chunk: Buffer): void {
    const { pool } = this;
    const parser = this.parser ?? pool.takeParser();
    this.parser = null;
    this.unparsed = null;
    const end = chunk.length;
    let at = 0;
    // What comes after QUIT or broken framing is read and thrown away.
    while (at < end && this.state === State.Open) {
      if (this.partial === null && this.isAtLimit(1)) {
        this.unparsed = chunk.subarray(at);
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
          this.parser = parser;
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
    message.release();
    if (this.parser === null) {
      parser.reset();
      pool.giveParser(parser);
    }
  }

  /** The peer will send nothing more; it still gets its replies. */
  ended(): void {
    this.isHalfClosed = true;
    if (this.state === State.Open) this.endedBy = EndedBy.Client;
    if (this.unparsed !== null) return;
    this.closeAfterReplies();
    if (this.state === State.Lingering) this.socket.end();
  }

  drained(): void {
    this.output.drained();
  }

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
    this.requests.push(request);
  }

  /** Large replies go on as they come, when it is their turn: they need not lie here whole. */
  replyArriving(request: Request, part: ByteChain): void {
    if (this.requests.peek() !== request || request.replyFilter !== 0) return;
    request.isStreamed = true;
    this.output.chain.appendChain(part);
    this.output.schedule();
  }

  requestDone(done: Request): void {
    const { requests } = this;
    done.state = RequestState.Done;
    if (done.isStreamed && done.failure !== null) {
      // Half of a reply is out: only the end of the connection still tells the truth.
      this.dropRequests();
      this.closeAfterReplies();
      this.output.schedule();
      return;
    }
    if (requests.peek() !== done) {
      done.keepReply();
      return;
    }
    let request: Request | null = done;
    do {
      requests.shift();
      this.reply(request);
      request = requests.peek();
    } while (request !== null && request.state === RequestState.Done);
    this.output.schedule();
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
    if (this.isPaused) this.updateReading();
    if (this.state === State.Closing) this.closeIfReplied();
  }

  /**
   * The write has taken the error off the socket, so that Bun sees a FIN where a reset was, and
   * keeps it back from a client that is not read from.
   */
  outputFailed(): void {
    this.terminate();
  }

  /** Reads no more requests; closes when those that came are replied to. */
  closeAfterReplies(): void {
    if (this.state !== State.Open) return;
    this.state = State.Closing;
    this.unparsed = null;
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
    const { counters } = this.pool;
    if (this.endedBy === EndedBy.Client || this.isQuitting) counters.clientEof++;
    else counters.clientErr++;
    this.leaveLane();
    this.dropRequests();
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

  private reply(request: Request): void {
    const { chain } = this.output;
    if (request.isSplit) {
      const isAnswered =
        request.replyFilter === HIDDEN ||
        this.pool.protocol.coalesce(request as SplitRequest, chain);
      if (!isAnswered) this.pool.counters.forwardError++;
      giveSplitRequest(request as SplitRequest);
      return;
    }
    if (request.replyFilter !== 0 && this.pool.protocol.hidesReply(request)) {
      giveRequest(request);
      return;
    }
    if (request.failure !== null) {
      const reply = this.pool.protocol.failureReply(request.failure);
      chain.append(reply, 0, reply.length);
      this.pool.counters.forwardError++;
    } else if (request.replyChain !== null) {
      chain.appendChain(request.replyChain);
    } else {
      chain.append(request.replyBytes, request.replyStart, request.replyEnd);
    }
    giveRequest(request);
  }

  /** Those in flight are swallowed when they are answered. */
  private dropRequests(): void {
    for (let request = this.requests.shift(); request !== null; request = this.requests.shift()) {
      if (request.state !== RequestState.Done) request.owner = null;
      else if (request.isSplit) giveSplitRequest(request as SplitRequest);
      else giveRequest(request);
    }
  }

  private dropPartial(): void {
    this.partial?.clear();
    this.partial = null;
  }

  /** True if as much waits for this client, or because of it, as `1 / share` of the limits. */
  private isAtLimit(share: number): boolean {
    return (
      this.requests.length * share >= CLIENT_REQUESTS_MAX ||
      this.output.chain.sizeBytes * share > CLIENT_OUTPUT_BYTES_MAX ||
      this.busyConnection !== null
    );
  }

  /** Stops and starts reading by the limits; half of a limit must be free to start again. */
  private updateReading(): void {
    if (this.state === State.Closed) return;
    if (this.state === State.Open && this.isAtLimit(this.isPaused ? 2 : 1)) {
      if (!this.isPaused) this.socket.pause();
      this.isPaused = true;
      return;
    }
    if (!this.isPaused) return;
    if (this.unparsed !== null && this.state === State.Open) {
      this.parseFrom(this.unparsed);
      if (this.unparsed !== null) return;
      if (this.isHalfClosed) this.closeAfterReplies();
    }
    this.isPaused = false;
    this.socket.resume();
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
