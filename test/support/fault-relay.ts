/**
 * One connection that a fault proxy relays, and its two directions.
 *
 *   nutcracker --near--> Relay --requests: Flow--> far --> server
 *   nutcracker <--near-- Relay <--replies:  Flow-- far <-- server
 *                          ^
 *                          a fault (fault-proxy.ts) sees each piece of a reply, and does its harm
 *
 * A flow keeps the order and loses nothing: it can be held, made late, or cut into pieces. What
 * loses or makes up bytes is damage. Knows of a protocol only where a reply ends.
 */
import type { Socket } from "bun";
import { nowMs } from "../../src/lib/clock.ts";

/** How a flow hands on what it has. */
export interface Pace {
  /** Takes bytes and hands on none, until it has another pace. */
  readonly isHeld: boolean;
  /** How late each piece is, in milliseconds. */
  readonly delayMs: () => number;
  /** Bytes of one write. */
  readonly sizeMax: number;
  /** Time between two writes, in milliseconds; 0 is the next turn of the loop. */
  readonly gapMs: number;
}

export const FULL_PACE: Pace = { isHeld: false, delayMs: () => 0, sizeMax: Infinity, gapMs: 0 };

/** A source is not read from while more than this waits to be handed on. */
const WAITING_BYTES_MAX = 1 << 20;
const EMPTY = Buffer.alloc(0);

type RelaySocket = Socket<Relay>;

interface Piece {
  readonly bytes: Buffer;
  at: number;
  readonly dueMs: number;
}

/** One direction: bytes in, the same bytes out, when the pace allows. */
export class Flow {
  sink: RelaySocket | null = null;
  source: RelaySocket | null = null;
  pace: Pace = FULL_PACE;
  #pieces: Piece[] = [];
  #waitingBytes = 0;
  #isScheduled = false;
  #isFull = false;
  #isEnding = false;
  #isFinished = false;
  #lastDueMs = 0;

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    // Never before the piece in front of it.
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs() + this.pace.delayMs());
    this.#pieces.push({ bytes: Buffer.from(bytes), at: 0, dueMs: this.#lastDueMs });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.source?.pause();
    this.pump();
  }

  /** FIN, behind all that waits. */
  end(): void {
    this.#isEnding = true;
    this.pump();
  }

  setPace(pace: Pace): void {
    this.pace = pace;
    this.pump();
  }

  drained(): void {
    this.#isFull = false;
    this.pump();
  }

  /** Hands on what is due, and comes again for the rest. */
  pump(): void {
    while (!this.#isScheduled && !this.#isFull && !this.pace.isHeld && this.sink !== null) {
      const first = this.#pieces[0];
      if (first === undefined) {
        if (this.#isEnding) this.#finish(this.sink);
        return;
      }
      const lateMs = first.dueMs - nowMs();
      if (lateMs > 0) return this.#schedule(lateMs);
      this.#write(this.sink, first);
      if (this.pace.sizeMax !== Infinity) this.#schedule(this.pace.gapMs);
    }
  }

  close(): void {
    this.#pieces = [];
    this.sink = this.source = null;
  }

  #finish(sink: RelaySocket): void {
    if (!this.#isFinished) sink.shutdown();
    this.#isFinished = true;
  }

  #write(sink: RelaySocket, first: Piece): void {
    const size = Math.min(first.bytes.length - first.at, this.pace.sizeMax);
    const written = Math.max(sink.write(first.bytes, first.at, size), 0);
    first.at += written;
    this.#waitingBytes -= written;
    this.#isFull = written < size;
    if (first.at === first.bytes.length) this.#pieces.shift();
    if (this.#waitingBytes * 2 < WAITING_BYTES_MAX) this.source?.resume();
  }

  #schedule(ms: number): void {
    const again = () => {
      this.#isScheduled = false;
      this.pump();
    };
    this.#isScheduled = true;
    if (ms === 0) setImmediate(again);
    else setTimeout(again, ms);
  }
}

/** Where the reply that starts at `start` ends, or -1 if it is not complete. */
export type ReplyEnd = (bytes: Buffer, start: number, end: number) => number;

/** A piece of a reply as it came: the whole of it, or less if the reply is longer than a read. */
export interface ReplyPiece {
  readonly bytes: Buffer;
  readonly isStart: boolean;
  readonly isEnd: boolean;
}

export interface RelayOwner {
  readonly replyEnd: ReplyEnd;
  relayClosed(relay: Relay): void;
  /** Hands the piece on (`relay.replies.push`) or does harm. */
  replyCame(relay: Relay, piece: ReplyPiece): void;
}

export class Relay {
  readonly requests = new Flow();
  readonly replies = new Flow();
  /** What comes from the server is dropped: the replies have lost their order for good. */
  isMute = false;
  /** The reply under way was replaced: the rest of it is dropped. */
  isReplaced = false;
  readonly #owner: RelayOwner;
  #near: RelaySocket | null;
  #far: RelaySocket | null = null;
  /** The server's bytes since the last end of a reply. */
  #partial: Buffer = EMPTY;
  #isClosed = false;

  constructor(owner: RelayOwner, near: RelaySocket) {
    this.#owner = owner;
    this.#near = near;
    this.requests.source = near;
    this.replies.sink = near;
  }

  /** Connects to the server; the near side is closed if that fails. */
  async connect(hostname: string, port: number): Promise<void> {
    const socket = {
      open: (far: RelaySocket) => this.#farOpened(far),
      data: (_: RelaySocket, chunk: Buffer) => this.#replied(chunk),
      drain: () => this.requests.drained(),
      end: () => this.replies.end(),
      close: () => this.close(),
      error: () => this.close(),
    };
    const target = { hostname, port, data: this, allowHalfOpen: true };
    await Bun.connect<Relay>({ ...target, socket }).catch(() => this.close());
  }

  requested(chunk: Buffer): void {
    this.requests.push(chunk);
  }

  /** Between two replies. */
  get isAtBoundary(): boolean {
    return this.#partial.length === 0;
  }

  /** FIN to the proxy, and nothing more; the server side lives. */
  halfClose(): void {
    this.isMute = true;
    this.replies.end();
  }

  /** FIN to both. */
  finish(): void {
    this.halfClose();
    this.requests.end();
  }

  /** RST to both. */
  reset(): void {
    this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.requests.close();
    this.replies.close();
    this.#near?.terminate();
    this.#far?.terminate();
    this.#near = this.#far = null;
    this.#owner.relayClosed(this);
  }

  /** The proxy has ended its side. */
  nearEnded(): void {
    this.requests.end();
  }

  #farOpened(far: RelaySocket): void {
    if (this.#isClosed) {
      far.terminate();
      return;
    }
    this.#far = far;
    this.replies.source = far;
    this.requests.sink = far;
    this.requests.pump();
  }

  /** Cuts what came at the ends of replies. */
  #replied(chunk: Buffer): void {
    const before = this.#partial.length;
    const bytes = before === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    let replyStart = 0;
    let at = before;
    while (at < bytes.length && !this.#isClosed) {
      const replyEnd = this.#owner.replyEnd(bytes, replyStart, bytes.length);
      const isEnd = replyEnd >= 0;
      const end = isEnd ? replyEnd : bytes.length;
      this.#pieceCame({ bytes: bytes.subarray(at, end), isStart: at === replyStart, isEnd });
      at = end;
      if (isEnd) replyStart = end;
    }
    this.#partial = replyStart === bytes.length ? EMPTY : Buffer.from(bytes.subarray(replyStart));
  }

  #pieceCame(piece: ReplyPiece): void {
    if (this.isMute) return;
    if (!this.isReplaced) this.#owner.replyCame(this, piece);
    if (piece.isEnd) this.isReplaced = false;
  }
}
