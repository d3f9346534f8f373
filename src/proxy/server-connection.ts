/**
 * One connection to a server: requests out, responses in, in the same order.
 *
 *   send() -> output (waiting) --write--> [sent] --response--> request.owner.requestDone()
 *
 *   Connecting -> Handshaking -> Open -> Closed; any state -> Closed on error
 *
 * Does not choose the server (routing/), read keys (protocol/) or decide on ejection (server.ts).
 * Invariant: `sent` holds every request of this connection that has no response, oldest first.
 * Responses are matched by position, so a request never leaves `sent` early: one whose client left
 * stays, and its response is swallowed. One that timed out leaves another in its place
 * (request-deadlines.ts).
 * Twin: nc_server.c, nc_response.c (in_q and out_q are one queue; written bytes tell them apart).
 */
import type { Socket, SocketHandler } from "bun";
import { ByteChain } from "../lib/byte-chain.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import { RingQueue } from "../lib/ring-queue.ts";
import type { FailureReason } from "../protocol/failure.ts";
import {
  BAD_RESPONSE,
  failureOf,
  NO_BUFFER_SPACE,
  refusedConnection,
  refusedHandshake,
  SERVER_CLOSED,
  TIMED_OUT,
  UNUSED,
} from "../protocol/failure.ts";
import { ParseStatus, type ResponseParser } from "../protocol/protocol.ts";
import { giveRequest, type Request, RequestState, takeRequest } from "../protocol/request.ts";
import type { ServerCounters } from "../stats/counters.ts";
import type { ServerDescriptor } from "./descriptor-budget.ts";
import { type Lane, LANE_IDLE_MS } from "./lane.ts";
import { SERVER_OUTPUT_BYTES_MAX, STREAM_BYTES_MIN } from "./limits.ts";
import { RequestDeadlines } from "./request-deadlines.ts";
import { type OutputOwner, SocketOutput } from "./socket-output.ts";
import type { Turn } from "./turn.ts";

export const ConnectionState = { Connecting: 0, Handshaking: 1, Open: 2, Closed: 3 } as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

/** What a connection needs from its server. */
export interface ServerConnectionOwner {
  readonly counters: ServerCounters;
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  /** 0 = requests wait for ever. */
  readonly timeoutMs: number;
  createResponseParser(): ResponseParser;
  /** Starts to connect; the handlers of this file report to `connection`. */
  connect(connection: ServerConnection, handlers: SocketHandler<ServerConnection>): void;
  connected(connection: ServerConnection, socket: Socket<ServerConnection>): void;
  /** A request was given to the connection, and has a deadline. */
  requestQueued(deadlineMs: number): void;
  /** @param wasInUse requests waited, or the connection had never become usable */
  connectionClosed(
    connection: ServerConnection,
    failure: FailureReason,
    wasEstablished: boolean,
    wasInUse: boolean,
  ): void;
  /** A response came in time: the server works. */
  replyReceived(connection: ServerConnection): void;
  /** A first request timed out; those behind it that do so, too, are part of the same trouble. */
  requestTimedOut(connection: ServerConnection): void;
  /** A mistake of ours. */
  handlerFailed(error: Error): void;
}

/** A client that is not read from while a server connection has too much to write. */
export interface HeldBack {
  serverDrained(): void;
}

export class ServerConnection implements OutputOwner {
  state: ConnectionState = ConnectionState.Connecting;
  readonly sent = new RingQueue<Request>();
  readonly output: SocketOutput;
  /** When the attempt to connect is given up; monotonic milliseconds. */
  connectDeadlineMs = 0;
  /** When a request was queued last; kept only in lanes that close when unused. */
  lastUsedMs = 0;
  /** See ServerHealth. */
  incident = 0;

  /** What its socket takes; null if there is none. */
  descriptor: ServerDescriptor | null = null;

  private socket: Socket<ServerConnection> | null = null;
  private readonly parser: ResponseParser;
  /** What came of a response that is not over. */
  private partial: ByteChain | null = null;
  private handshakeReplies = 0;
  /** Of the requests in `sent`; those not yet written are in `output`. */
  private sentBytes = 0;
  private heldBack: HeldBack[] = [];
  /** Size of `output` before the request that is being written. */
  private beforeBytes = 0;
  private readonly deadlines: RequestDeadlines;
  private readonly timeoutMs: number;
  /** Nothing more is asked: the server may close it. */
  private isFinished = false;

  /** @param isPrivate lent to one client at a time, whose request may wait for ever */
  constructor(
    private readonly owner: ServerConnectionOwner,
    readonly lane: Lane,
    readonly isPrivate = false,
  ) {
    this.timeoutMs = isPrivate ? 0 : owner.timeoutMs;
    this.output = new SocketOutput(this, owner.turn, owner.chunkPool);
    this.parser = owner.createResponseParser();
    this.deadlines = new RequestDeadlines(this, this.timeoutMs);
  }

  connect(): void {
    this.owner.connect(this, HANDLERS);
  }

  get isBusy(): boolean {
    return this.output.chain.sizeBytes > SERVER_OUTPUT_BYTES_MAX;
  }

  /** Where the bytes of the next request go; then it is to be `queued`. */
  beginRequest(): ByteChain {
    const { chain } = this.output;
    this.beforeBytes = chain.sizeBytes;
    return chain;
  }

  /**
   * Counts the request whose bytes were appended since `beginRequest`; it is written at the end of
   * the turn, or when the connection is open.
   */
  queued(request: Request): void {
    const { owner } = this;
    const sizeBytes = this.output.chain.sizeBytes - this.beforeBytes;
    request.sizeBytes = sizeBytes;
    if (this.lane.index > 0) this.lastUsedMs = owner.turn.now();
    if (this.timeoutMs > 0) {
      request.deadlineMs = owner.turn.now() + this.timeoutMs;
      owner.requestQueued(request.deadlineMs);
    }
    owner.counters.requests++;
    owner.counters.requestBytes += sizeBytes;
    this.sent.push(request);
    this.sentBytes += sizeBytes;
    this.output.schedule();
  }

  /** The client hears of it when there is room again, or no connection any more. */
  holdBack(client: HeldBack): void {
    this.heldBack.push(client);
  }

  opened(socket: Socket<ServerConnection>): void {
    if (this.state === ConnectionState.Closed) {
      socket.terminate();
      return;
    }
    this.socket = socket;
    this.owner.connected(this, socket);
    const { handshake } = this.lane;
    if (handshake === null) {
      this.becomeOpen();
      return;
    }
    this.state = ConnectionState.Handshaking;
    this.handshakeReplies = handshake.replyCount;
    // A fresh socket takes so few bytes whole.
    socket.write(handshake.bytes, 0, handshake.bytes.length);
  }

  received(chunk: Buffer): void {
    const { parser } = this;
    const end = chunk.length;
    let at = 0;
    if (this.timeoutMs > 0) this.deadlines.lastReceivedMs = this.owner.turn.now();
    while (at < end && this.state !== ConnectionState.Closed) {
      const start = at;
      at = parser.parse(chunk, start, end);
      if (parser.status === ParseStatus.Complete) {
        if (this.state === ConnectionState.Open) this.responded(chunk, start, at);
        else this.handshakeReplied(chunk, start, at);
      } else if (parser.status === ParseStatus.Incomplete && this.isOutOfPlace) {
        // Else what is asked next would be answered with the rest of it.
        this.close(BAD_RESPONSE);
      } else if (parser.status === ParseStatus.Incomplete) {
        this.partial ??= new ByteChain(this.owner.chunkPool);
        this.partial.append(chunk, start, end);
        if (this.partial.sizeBytes >= STREAM_BYTES_MIN) this.stream(this.partial);
      } else if (parser.status === ParseStatus.Nothing) {
        this.partial?.clear();
        this.partial = null;
      } else {
        this.close(BAD_RESPONSE);
      }
    }
    this.deadlines.isMidReply = parser.status === ParseStatus.Incomplete;
  }

  /**
   * Does what is due at `nowMs`: gives up connecting, closes when unused, fails requests that have
   * timed out (request-deadlines.ts).
   * @returns when to be called again, or Infinity
   */
  expire(nowMs: number): number {
    const oldest = this.sent.peek();
    if (this.state !== ConnectionState.Open) {
      const waitsUntilMs = oldest === null ? 0 : oldest.deadlineMs;
      const deadlineMs = Math.min(waitsUntilMs || Infinity, this.connectDeadlineMs);
      return this.closeAt(deadlineMs, nowMs, TIMED_OUT);
    }
    if (oldest === null) {
      return this.isKept ? Infinity : this.closeAt(this.lastUsedMs + LANE_IDLE_MS, nowMs, UNUSED);
    }
    const next = this.deadlines.expire(nowMs);
    if (next === 0) return this.closeAt(0, nowMs, TIMED_OUT);
    // Nothing else may ask to be looked at again when the connection is unused.
    return this.isKept ? next : Math.min(next, nowMs + LANE_IDLE_MS);
  }

  outputWritten(): void {
    if (this.heldBack.length > 0 && this.output.chain.sizeBytes * 2 < SERVER_OUTPUT_BYTES_MAX) {
      this.letGo();
    }
  }

  /** Its last words may still have to be read: the end comes behind them. */
  outputFailed(): void {}

  /** Asks for nothing more: a server that keeps back a reply closes instead of it. */
  finish(): void {
    this.isFinished = true;
    this.socket?.shutdown();
  }

  /** Ends the connection; every request that waits for it fails. */
  close(failure: FailureReason): void {
    if (this.state === ConnectionState.Closed) return;
    if (this.isFinished) failure = UNUSED;
    const wasOpen = this.state === ConnectionState.Open;
    this.state = ConnectionState.Closed;
    const wasInUse = !wasOpen || this.sent.length > 0;
    this.output.close();
    this.partial?.clear();
    this.owner.connectionClosed(this, failure, this.socket !== null, wasInUse);
    if (this.socket === null) this.descriptor?.abandon();
    this.socket?.terminate();
    this.socket = null;
    for (let request = this.sent.shift(); request !== null; request = this.sent.shift()) {
      request.failure = failure;
      if (request.owner === null) giveRequest(request);
      else request.owner.requestDone(request);
    }
    this.letGo();
  }

  handlerFailed(error: Error): void {
    this.owner.handlerFailed(error);
    this.close(BAD_RESPONSE);
  }

  /** Number and bytes of the requests not yet written, for the gauges. */
  waiting(): { count: number; bytes: number } {
    const bytes = this.output.chain.sizeBytes;
    let count = 0;
    for (let left = bytes, i = this.sent.length - 1; left > 0 && i >= 0; i--, count++) {
      left -= this.sent.at(i).sizeBytes;
    }
    return { count, bytes };
  }

  private closeAt(deadlineMs: number, nowMs: number, failure: FailureReason): number {
    if (deadlineMs > nowMs) return deadlineMs;
    this.close(failure);
    return Infinity;
  }

  timedOut(): void {
    this.owner.requestTimedOut(this);
  }

  /** It stays open when nobody uses it. */
  private get isKept(): boolean {
    return this.lane.index === 0 && !this.isPrivate;
  }

  /** Nobody asked for a reply: no request waits, or not a byte of the oldest one is written. */
  private get isUnasked(): boolean {
    return this.sentBytes <= this.output.chain.sizeBytes;
  }

  /** A part of a reply has come that nobody asked for. */
  private get isOutOfPlace(): boolean {
    return this.state === ConnectionState.Open && this.isUnasked && !this.parser.isPush;
  }

  private becomeOpen(): void {
    this.state = ConnectionState.Open;
    this.output.open(this.socket!);
  }

  private responded(chunk: Buffer, start: number, end: number): void {
    if (this.isUnasked) {
      const isRefusal = this.parser.isError;
      this.close(isRefusal ? refusedConnection(this.takeReply(chunk, start, end)) : BAD_RESPONSE);
      return;
    }
    const request = this.sent.shift()!;
    this.sentBytes -= request.sizeBytes;
    let sizeBytes = end - start;
    if (this.partial === null || this.partial.sizeBytes === 0) {
      request.setReply(chunk, start, end);
    } else {
      this.partial.append(chunk, start, end);
      sizeBytes = this.partial.sizeBytes;
      request.replyChain = this.partial;
      this.partial = null;
    }
    if (request.state === RequestState.Expired) this.deadlines.lateReply();
    else this.owner.replyReceived(this);
    if (request.owner === null) {
      giveRequest(request);
      return;
    }
    const { counters } = this.owner;
    counters.responses++;
    counters.responseBytes += sizeBytes;
    request.owner.requestDone(request);
  }

  /** Hands on what has come of a large reply, or drops it if nobody waits for it, as for a push. */
  private stream(partial: ByteChain): void {
    if (this.parser.isPush) {
      partial.clear();
      return;
    }
    if (this.state !== ConnectionState.Open || this.isUnasked) return;
    const request = this.sent.peek()!;
    const sizeBytes = partial.sizeBytes;
    if (request.owner === null) partial.clear();
    else if (!request.owner.replyArriving(request, partial)) this.giveUp(0, NO_BUFFER_SPACE);
    if (request.owner !== null) this.owner.counters.responseBytes += sizeBytes - partial.sizeBytes;
  }

  /**
   * A sent request fails now. Its place is kept for its reply, which is swallowed, as those behind
   * it are matched by position.
   * @param index in `sent`
   */
  giveUp(index: number, failure: FailureReason): void {
    const request = this.sent.at(index);
    const placeholder = takeRequest(null);
    placeholder.sizeBytes = request.sizeBytes;
    placeholder.deadlineMs = request.deadlineMs;
    this.sent.replace(index, placeholder);
    if (index === 0) this.partial?.clear();
    request.failure = failure;
    request.owner!.requestDone(request);
  }

  private handshakeReplied(chunk: Buffer, start: number, end: number): void {
    const refusal = this.lane.handshake!.refusal(this.takeReply(chunk, start, end));
    if (refusal !== null) this.close(refusedHandshake(refusal));
    else if (--this.handshakeReplies === 0) this.becomeOpen();
  }

  /** A reply that is for us, as a copy. */
  private takeReply(chunk: Buffer, start: number, end: number): Buffer {
    if (this.partial === null) return Buffer.from(chunk.subarray(start, end));
    this.partial.append(chunk, start, end);
    const reply = Buffer.allocUnsafe(this.partial.sizeBytes);
    this.partial.copyOut(0, reply.length, reply, 0);
    this.partial.clear();
    this.partial = null;
    return reply;
  }

  private letGo(): void {
    const clients = this.heldBack;
    this.heldBack = [];
    for (const client of clients) client.serverDrained();
  }
}

const HANDLERS: SocketHandler<ServerConnection> = {
  open: (socket) => socket.data.opened(socket),
  data: (socket, chunk) => socket.data.received(chunk),
  drain: (socket) => socket.data.output.drained(),
  end: (socket) => socket.data.close(SERVER_CLOSED),
  close: (socket, error) => {
    socket.data.descriptor?.release();
    socket.data.close(failureOf((error as { code?: string })?.code));
  },
  error: (socket, error) => socket.data.handlerFailed(error),
};
