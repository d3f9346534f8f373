/**
 * A TCP or unix socket client that sends exactly the bytes it is told and reads what comes.
 *
 *   send(bytes) --> socket --> [received] --> readExactly / readReply / readLine / expectClosed
 *
 * Knows no protocol beyond where a reply ends (resp.ts). Reads are served in the order they were
 * asked for. Every wait has a deadline, and its error shows what has come so far.
 */
import type { Socket } from "bun";
import { decodeReply, encodeRequest, replyEnd } from "./resp.ts";
import type { Argument, ReplyValue } from "./resp.ts";

const DEADLINE_MS = 5000;
const INITIAL_SIZE = 4096;

export type Address =
  { readonly port: number; readonly hostname?: string } | { readonly unix: string };

type Waiter = () => void;

export class RawClient {
  #socket: Socket<undefined> | undefined;
  #received = Buffer.alloc(INITIAL_SIZE);
  #read = 0;
  #written = 0;
  #unsent: { readonly bytes: Uint8Array; position: number; readonly done: () => void }[] = [];
  #waiters: Waiter[] = [];
  #lastRead: Promise<unknown> = Promise.resolve();
  #ended = false;
  #closed = false;
  #closeError: Error | undefined;
  /** How long a read may take, in milliseconds. */
  deadlineMs = DEADLINE_MS;

  /** Connects; rejects with the socket's error if nobody listens. */
  static async connect(address: Address | number): Promise<RawClient> {
    const client = new RawClient();
    const target = typeof address === "number" ? { port: address } : address;
    const socket = {
      data: (_: Socket<undefined>, chunk: Buffer) => client.#onData(chunk),
      drain: () => client.#flush(),
      end: () => client.#onEnd(),
      close: (_: Socket<undefined>, error?: Error) => client.#onClose(error),
      error: (_: Socket<undefined>, error: Error) => client.#onClose(error),
    };
    client.#socket =
      "unix" in target
        ? await Bun.connect({ unix: target.unix, socket, allowHalfOpen: true })
        : await Bun.connect({
            hostname: target.hostname ?? "127.0.0.1",
            port: target.port,
            socket,
            allowHalfOpen: true,
          });
    return client;
  }

  /** Sends bytes; a string is taken as latin1. Resolves when the kernel has taken all of it. */
  send(bytes: Uint8Array | string): Promise<void> {
    const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    return new Promise((resolve) => {
      this.#unsent.push({ bytes: data, position: 0, done: resolve });
      this.#flush();
    });
  }

  /** Sends one request. */
  request(...args: readonly Argument[]): Promise<void> {
    return this.send(encodeRequest(args));
  }

  /** Sends one request and returns its reply as the wire spells it, as latin1 text. */
  async call(...args: readonly Argument[]): Promise<string> {
    void this.request(...args);
    return this.readReply();
  }

  /** Sends one request and returns its reply decoded. */
  async value(...args: readonly Argument[]): Promise<ReplyValue> {
    void this.request(...args);
    return decodeReply(await this.readReplyBytes());
  }

  /** Sends requests in one write and returns their replies. */
  async pipeline(requests: readonly (readonly Argument[])[]): Promise<string[]> {
    void this.send(Buffer.concat(requests.map(encodeRequest)));
    return this.readReplies(requests.length);
  }

  /** Reads one reply, as latin1 text. */
  async readReply(): Promise<string> {
    return (await this.readReplyBytes()).toString("latin1");
  }

  async readReplies(count: number): Promise<string[]> {
    const replies: string[] = [];
    while (replies.length < count) replies.push(await this.readReply());
    return replies;
  }

  /** Reads one reply; the bytes are a copy. */
  readReplyBytes(): Promise<Buffer> {
    return this.#readWhen("a reply", () => {
      if (this.#written === this.#read) return -1;
      return replyEnd(this.#received, this.#read, this.#written) - this.#read;
    });
  }

  /** Reads exactly so many bytes. */
  readExactly(size: number): Promise<Buffer> {
    return this.#readWhen(`${size} bytes`, () => (this.unreadSize >= size ? size : -1));
  }

  /** Reads a line up to and with CRLF, as latin1 text. */
  async readLine(): Promise<string> {
    const line = await this.#readWhen("a line", () => {
      const end = this.#received.subarray(0, this.#written).indexOf("\r\n", this.#read, "latin1");
      return end < 0 ? -1 : end + 2 - this.#read;
    });
    return line.toString("latin1");
  }

  /** Reads until the other side closes and returns everything, as latin1 text. */
  async readToEnd(): Promise<string> {
    const all = await this.#readWhen("the end", () => (this.isClosed ? this.unreadSize : -1));
    return all.toString("latin1");
  }

  /**
   * Waits until the other side has closed (FIN or RST).
   *
   * @throws Error if it stays open past the deadline, or if unread bytes are left
   */
  async expectClosed(options: { allowRest?: boolean } = {}): Promise<void> {
    await this.#readWhen("the connection to be closed", () => (this.isClosed ? 0 : -1));
    if (!options.allowRest && this.#written > this.#read) {
      throw new Error(`unread bytes before the close: ${this.#shown()}`);
    }
  }

  /** Checks that the connection works: PING is answered, with nothing before it. */
  async expectOpen(): Promise<void> {
    const reply = await this.call("PING");
    if (reply !== "+PONG\r\n") throw new Error(`PING was answered ${JSON.stringify(reply)}`);
  }

  /** Bytes that have come and were not read. */
  get unreadSize(): number {
    return this.#written - this.#read;
  }

  get isClosed(): boolean {
    return this.#ended || this.#closed;
  }

  /** The error of a connection that was reset. */
  get closeError(): Error | undefined {
    return this.#closeError;
  }

  /** Sends FIN after what was sent, and goes on reading. */
  halfClose(): void {
    this.#socket?.shutdown();
  }

  /** Stops reading from the socket, so that the other side's output piles up. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Closes with RST. */
  reset(): void {
    this.#socket?.terminate();
  }

  /** Closes with FIN. */
  close(): void {
    this.#socket?.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #flush(): void {
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const left = first.bytes.length - first.position;
      const taken = left === 0 ? 0 : (this.#socket?.write(first.bytes, first.position, left) ?? 0);
      first.position += Math.max(taken, 0);
      if (taken >= 0 && first.position < first.bytes.length) return;
      this.#unsent.shift();
      first.done();
    }
  }

  #onData(chunk: Buffer): void {
    if (this.#read === this.#written) this.#read = this.#written = 0;
    if (this.#written + chunk.length > this.#received.length) this.#makeRoom(chunk.length);
    chunk.copy(this.#received, this.#written);
    this.#written += chunk.length;
    this.#wake();
  }

  /** Moves what is unread to the front, of a larger buffer if it fills half of this one. */
  #makeRoom(size: number): void {
    const needed = this.unreadSize + size;
    const old = this.#received;
    if (needed > old.length / 2) this.#received = Buffer.allocUnsafe(needed * 2);
    old.copy(this.#received, 0, this.#read, this.#written);
    this.#written -= this.#read;
    this.#read = 0;
  }

  #onEnd(): void {
    this.#ended = true;
    this.#socket?.end();
    this.#wake();
  }

  #onClose(error: Error | undefined): void {
    this.#closed = true;
    this.#closeError = error;
    for (const item of this.#unsent.splice(0)) item.done();
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #shown(): string {
    const end = Math.min(this.#written, this.#read + 200);
    const text = this.#received.toString("latin1", this.#read, end);
    return `${this.unreadSize} bytes ${JSON.stringify(text)}`;
  }

  /** Waits for its turn, then until `sizeReady` is not negative, and takes so many bytes. */
  #readWhen(what: string, sizeReady: () => number): Promise<Buffer> {
    const turn = this.#lastRead.then(
      () => this.#waitAndTake(what, sizeReady),
      () => this.#waitAndTake(what, sizeReady),
    );
    this.#lastRead = turn;
    return turn;
  }

  async #waitAndTake(what: string, sizeReady: () => number): Promise<Buffer> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, this.deadlineMs);
    try {
      let size = sizeReady();
      while (size < 0) {
        if (isLate) {
          throw new Error(`waited ${this.deadlineMs} ms for ${what}; unread: ${this.#shown()}`);
        }
        if (this.isClosed) {
          throw new Error(`closed while waiting for ${what}; unread: ${this.#shown()}`);
        }
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
        size = sizeReady();
      }
      const bytes = Buffer.from(this.#received.subarray(this.#read, this.#read + size));
      this.#read += size;
      return bytes;
    } finally {
      clearTimeout(timer);
    }
  }
}
