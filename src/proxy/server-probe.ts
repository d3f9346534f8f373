/**
 * One look at an ejected server: a connection of its own, the handshake, one request, one reply.
 *
 *   start() -> ServerConnection -> PING or version -> ended(why it is not well, or null)
 *
 * No client waits for it, and no counter nor gauge knows of it. A server that answers lives, unless
 * it says that it cannot serve; so a refused handshake is as good as a reply.
 */
import type { Socket, SocketHandler } from "bun";
import type { FailureReason } from "../protocol/failure.ts";
import { TIMED_OUT } from "../protocol/failure.ts";
import type { Protocol, ResponseParser } from "../protocol/protocol.ts";
import type { Request, RequestOwner } from "../protocol/request.ts";
import { giveRequest, takeRequest } from "../protocol/request.ts";
import { ServerCounters } from "../stats/counters.ts";
import type { Lane } from "./lane.ts";
import type { ServerConnectionOwner } from "./server-connection.ts";
import { ServerConnection } from "./server-connection.ts";

/** What a probe needs from its server. */
export interface ProbeOwner extends Pick<
  ServerConnectionOwner,
  "turn" | "chunkPool" | "connect" | "handlerFailed"
> {
  /** Null: the server can serve; else why not. */
  probeEnded(trouble: string | null): void;
}

const PROBE_REPLY_SHOWN = 80;

export class ServerProbe implements ServerConnectionOwner, RequestOwner {
  readonly counters = new ServerCounters();
  /** The probe has one deadline, and not one for each of its steps. */
  readonly timeoutMs = 0;
  private readonly connection: ServerConnection;
  private isOver = false;

  /** @param deadlineMs when the probe has failed; whoever made it calls `expire` */
  constructor(
    private readonly owner: ProbeOwner,
    private readonly protocol: Protocol,
    lane: Lane,
    readonly deadlineMs: number,
  ) {
    this.connection = new ServerConnection(this, lane);
  }

  get turn(): ProbeOwner["turn"] {
    return this.owner.turn;
  }

  get chunkPool(): ProbeOwner["chunkPool"] {
    return this.owner.chunkPool;
  }

  start(): void {
    const { connection, protocol } = this;
    const { bytes } = protocol.probe;
    connection.connect();
    connection.beginRequest().append(bytes, 0, bytes.length);
    connection.queued(takeRequest(this));
  }

  expire(): void {
    this.end(TIMED_OUT.text);
  }

  /** Ends without a word. */
  cancel(): void {
    this.isOver = true;
    this.connection.close(TIMED_OUT);
  }

  createResponseParser(): ResponseParser {
    return this.protocol.createResponseParser();
  }

  connect(connection: ServerConnection, handlers: SocketHandler<ServerConnection>): void {
    this.owner.connect(connection, handlers);
  }

  connected(_connection: ServerConnection, _socket: Socket<ServerConnection>): void {}

  requestQueued(): void {}

  replyReceived(): void {}

  requestTimedOut(): void {}

  handlerFailed(error: Error): void {
    this.owner.handlerFailed(error);
  }

  connectionClosed(_connection: ServerConnection, failure: FailureReason): void {
    if (failure.reply !== null) this.judge(failure.reply);
    else this.end(failure.cause);
  }

  replyArriving(): boolean {
    return true;
  }

  holdReply(): void {}

  requestDone(request: Request): void {
    if (request.failure === null) this.judge(replyOf(request));
    giveRequest(request);
  }

  private judge(reply: Buffer): void {
    const words = reply.toString("latin1", 0, PROBE_REPLY_SHOWN).trim();
    this.end(this.protocol.probe.isWell(words) ? null : words);
  }

  private end(trouble: string | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.connection.close(TIMED_OUT);
    this.owner.probeEnded(trouble);
  }
}

function replyOf({ replyChain, replyBytes, replyStart, replyEnd }: Request): Buffer {
  if (replyChain === null) return replyBytes.subarray(replyStart, replyEnd);
  const reply = Buffer.allocUnsafe(Math.min(replyChain.sizeBytes, PROBE_REPLY_SHOWN));
  replyChain.copyOut(0, reply.length, reply, 0);
  return reply;
}
