/**
 * A connection that sends requests without waiting, and reads replies in the same order.
 *
 *   sendAll() -> [output] --socket--> server --socket--> [input] -> readReply() -> oldest waiter
 *
 * Made for the demo: every request has a deadline, and there is no reconnecting. How requests and
 * replies look is the clients' own (resp-client.ts, memcached-client.ts).
 */
import type { Socket } from "bun";

/** Reads the reply that begins at `start`. @returns null where it has not arrived whole */
export type ReadReply<Reply> = (
  bytes: Buffer,
  start: number,
) => { reply: Reply; end: number } | null;

interface Waiter<Reply> {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** How many requests of a pipeline are under way at a time. */
const PIPELINE_DEPTH = 512;
/** Longest wait for replies while none arrive. */
const SILENCE_MS = 10_000;

export class PipelinedConnection<Reply> {
  readonly #name: string;
  readonly #readReply: ReadReply<Reply>;
  readonly #waiters: Waiter<Reply>[] = [];
  #socket: Socket | null = null;
  #output: Buffer = Buffer.alloc(0);
  #input: Buffer = Buffer.alloc(0);
  #silenceTimer: Timer | null = null;

  private constructor(name: string, readReply: ReadReply<Reply>) {
    this.#name = name;
    this.#readReply = readReply;
  }

  /** @param name who is at the other end, for errors */
  static async connect<Reply>(name: string, port: number, readReply: ReadReply<Reply>) {
    const connection = new PipelinedConnection<Reply>(name, readReply);
    connection.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, bytes) => connection.#receive(bytes),
        drain: () => connection.#flush(),
        close: () => connection.#fail(`${name} closed the connection`),
        error: (_socket, error) => connection.#fail(`${name}: ${error.message}`),
      },
    });
    return connection;
  }

  /**
   * Sends many requests, some hundreds at a time.
   *
   * @param requestAt request number `index`
   * @param onReply called in the order of the requests
   */
  async pipeline(
    count: number,
    requestAt: (index: number) => Buffer,
    onReply: (index: number, reply: Reply) => void,
  ): Promise<void> {
    for (let start = 0; start < count; start += PIPELINE_DEPTH) {
      const size = Math.min(PIPELINE_DEPTH, count - start);
      const replies = this.sendAll(Array.from({ length: size }, (_, i) => requestAt(start + i)));
      for (const [i, reply] of (await replies).entries()) onReply(start + i, reply);
    }
  }

  /** Sends requests at once. @returns a reply for each of them */
  async sendAll(requests: Buffer[]): Promise<Reply[]> {
    if (this.#socket === null) throw new Error(`the connection to ${this.#name} is closed`);
    const replies = requests.map(
      () => new Promise<Reply>((resolve, reject) => this.#waiters.push({ resolve, reject })),
    );
    this.#output = Buffer.concat([this.#output, ...requests]);
    this.#flush();
    this.#watchSilence();
    return Promise.all(replies);
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.end();
    this.#fail(`the connection to ${this.#name} is closed`);
  }

  #flush(): void {
    if (this.#socket === null || this.#output.length === 0) return;
    const written = this.#socket.write(this.#output, 0, this.#output.length);
    if (written > 0) this.#output = this.#output.subarray(written);
  }

  #receive(bytes: Buffer): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes]);
    let start = 0;
    for (;;) {
      const read = this.#readReply(this.#input, start);
      if (read === null) break;
      start = read.end;
      this.#waiters.shift()?.resolve(read.reply);
    }
    this.#input = this.#input.subarray(start);
    this.#watchSilence();
  }

  /** Starts the wait for replies anew, if any are owed. */
  #watchSilence(): void {
    if (this.#silenceTimer !== null) clearTimeout(this.#silenceTimer);
    this.#silenceTimer = null;
    if (this.#waiters.length === 0) return;
    const text = `${this.#name} did not reply within ${SILENCE_MS / 1000} s`;
    this.#silenceTimer = setTimeout(() => this.#fail(text), SILENCE_MS);
  }

  #fail(text: string): void {
    this.#socket?.terminate();
    this.#socket = null;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error(text));
    this.#watchSilence();
  }
}
