/**
 * One connection of the load generator: keeps a number of requests in flight and checks every byte
 * of every reply as it comes.
 *
 *   next() -> exchange -> [output] -> socket -> received() == expected bytes? -> latency noted
 *
 * Replies are compared in place and never put together, so large values cost the generator little.
 */
import type { Socket } from "bun";
import { nowMs } from "../../src/lib/clock.ts";
import type { Exchange } from "./wire.ts";

export interface LoadOwner {
  /** The next request, or null when enough were made. */
  next(): Exchange | null;
  /** A reply is complete and right. */
  replied(latencyMs: number): void;
  /** Every request of this connection has its reply. */
  finished(): void;
  failed(error: Error): void;
}

interface Pending {
  readonly reply: readonly Buffer[];
  readonly sentAtMs: number;
}

const OUTPUT_SIZE = 256 * 1024;
/** Larger pieces are written from where they are. */
const COPIED_BYTES_MAX = 16 * 1024;
/** Shared by all connections: each leaves it empty before another one writes. */
const output = Buffer.allocUnsafe(OUTPUT_SIZE);

export class LoadConnection {
  readonly #owner: LoadOwner;
  readonly #depth: number;
  readonly #isWindow: boolean;
  #socket: Socket<undefined> | undefined;
  #pending: Pending[] = [];
  #pendingHead = 0;
  /** Where the comparison of the oldest reply has come to. */
  #piece = 0;
  #offset = 0;
  #filled = 0;
  #unsent: { readonly bytes: Buffer; position: number }[] = [];
  #isOver = false;

  /** @param isWindow a reply makes room for a request; else all have to be answered first */
  constructor(owner: LoadOwner, depth: number, isWindow: boolean) {
    this.#owner = owner;
    this.#depth = depth;
    this.#isWindow = isWindow;
  }

  async connect(hostname: string, port: number): Promise<void> {
    this.#socket = await Bun.connect({
      hostname,
      port,
      socket: {
        data: (_, chunk) => this.#received(chunk),
        drain: () => this.#flush(),
        close: () => this.#closed(),
        error: (_, error) => this.#fail(error.message),
      },
    });
  }

  start(): void {
    this.#refill();
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.end();
  }

  get #inFlight(): number {
    return this.#pending.length - this.#pendingHead;
  }

  #refill(): void {
    const sentAtMs = nowMs();
    while (this.#inFlight < this.#depth) {
      const exchange = this.#owner.next();
      if (exchange === null) break;
      for (const piece of exchange.request) this.#append(piece);
      this.#pending.push({ reply: exchange.reply, sentAtMs });
    }
    this.#endOutput();
    this.#flush();
    if (this.#inFlight === 0 && !this.#isOver) {
      this.#isOver = true;
      this.#owner.finished();
    }
  }

  #append(piece: Buffer): void {
    if (piece.length > COPIED_BYTES_MAX) {
      this.#endOutput();
      this.#unsent.push({ bytes: piece, position: 0 });
      return;
    }
    if (this.#filled + piece.length > OUTPUT_SIZE) this.#endOutput();
    piece.copy(output, this.#filled);
    this.#filled += piece.length;
  }

  /** What is in the output buffer is written, or kept as a copy behind what waits already. */
  #endOutput(): void {
    if (this.#filled === 0) return;
    let written = 0;
    if (this.#unsent.length === 0) {
      written = Math.max(0, this.#socket?.write(output, 0, this.#filled) ?? 0);
    }
    if (written < this.#filled) {
      const rest = Buffer.from(output.subarray(written, this.#filled));
      this.#unsent.push({ bytes: rest, position: 0 });
    }
    this.#filled = 0;
  }

  #flush(): void {
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const left = first.bytes.length - first.position;
      const written = this.#socket?.write(first.bytes, first.position, left) ?? 0;
      if (written <= 0) return;
      first.position += written;
      if (written < left) return;
      this.#unsent.shift();
    }
  }

  #received(chunk: Buffer): void {
    if (this.#isOver) return this.#socket?.terminate();
    let at = 0;
    while (at < chunk.length) {
      const oldest = this.#pending[this.#pendingHead];
      if (oldest === undefined) return this.#fail("bytes that nobody asked for");
      const expected = oldest.reply[this.#piece] as Buffer;
      const size = Math.min(expected.length - this.#offset, chunk.length - at);
      const end = this.#offset + size;
      if (chunk.compare(expected, this.#offset, end, at, at + size) !== 0) {
        return this.#fail(`wrong reply: ${found(chunk, at)}, expected ${found(expected, 0)}`);
      }
      at += size;
      this.#offset = end;
      if (end === expected.length) this.#pieceDone(oldest);
    }
    if (this.#isWindow || this.#inFlight === 0) this.#refill();
  }

  #pieceDone(oldest: Pending): void {
    this.#offset = 0;
    if (++this.#piece < oldest.reply.length) return;
    this.#piece = 0;
    this.#pendingHead++;
    if (this.#pendingHead > 1024) {
      this.#pending = this.#pending.slice(this.#pendingHead);
      this.#pendingHead = 0;
    }
    this.#owner.replied(nowMs() - oldest.sentAtMs);
  }

  #closed(): void {
    if (!this.#isOver) this.#fail("the connection was closed");
  }

  #fail(text: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.failed(new Error(text));
    this.#socket?.terminate();
  }
}

function found(bytes: Buffer, at: number): string {
  return JSON.stringify(bytes.toString("latin1", at, at + 60));
}
