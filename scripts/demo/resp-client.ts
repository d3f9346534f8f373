/**
 * A pipelining Redis client, small enough to read: requests out, replies in, in the same order.
 *
 *   send() -> [output] --socket--> server --socket--> [input] -> readReply() -> oldest waiter
 *
 * Made for the demo: every request has a deadline, and there is no reconnecting.
 */
import type { Socket } from "bun";

/** A reply that begins with "-"; the text is what follows. */
export class ReplyError {
  constructor(readonly text: string) {}
}

export type Reply = string | number | null | ReplyError | Reply[];

interface Waiter {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** How many requests of a pipeline are under way at a time. */
const PIPELINE_DEPTH = 512;
/** Longest wait for replies while none arrive. */
const SILENCE_MS = 10_000;

const CR = 13;

export class RespClient {
  readonly #name: string;
  readonly #waiters: Waiter[] = [];
  #socket: Socket | null = null;
  #output: Buffer = Buffer.alloc(0);
  #input: Buffer = Buffer.alloc(0);
  #silenceTimer: Timer | null = null;

  private constructor(name: string) {
    this.#name = name;
  }

  /** @param name who is at the other end, for errors */
  static async connect(name: string, port: number): Promise<RespClient> {
    const client = new RespClient(name);
    client.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, bytes) => client.#receive(bytes),
        drain: () => client.#flush(),
        close: () => client.#fail(`${name} closed the connection`),
        error: (_socket, error) => client.#fail(`${name}: ${error.message}`),
      },
    });
    return client;
  }

  /** Sends one request; a "-" reply is a ReplyError that is returned, not thrown. */
  async send(...words: string[]): Promise<Reply> {
    const [reply] = await this.#sendAll([words]);
    return reply ?? null;
  }

  /**
   * Sends many requests without waiting for each reply.
   *
   * @param requestAt the words of request number `index`
   * @param onReply called in the order of the requests
   */
  async pipeline(
    count: number,
    requestAt: (index: number) => string[],
    onReply: (index: number, reply: Reply) => void,
  ): Promise<void> {
    for (let start = 0; start < count; start += PIPELINE_DEPTH) {
      const size = Math.min(PIPELINE_DEPTH, count - start);
      const replies = this.#sendAll(Array.from({ length: size }, (_, i) => requestAt(start + i)));
      for (const [i, reply] of (await replies).entries()) onReply(start + i, reply);
    }
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.end();
    this.#fail(`the connection to ${this.#name} is closed`);
  }

  async #sendAll(requests: string[][]): Promise<Reply[]> {
    if (this.#socket === null) throw new Error(`the connection to ${this.#name} is closed`);
    const replies = requests.map(
      () => new Promise<Reply>((resolve, reject) => this.#waiters.push({ resolve, reject })),
    );
    this.#output = Buffer.concat([this.#output, ...requests.map(encodeRequest)]);
    this.#flush();
    this.#watchSilence();
    return Promise.all(replies);
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
      const read = readReply(this.#input, start);
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

function encodeRequest(words: string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join("")}`);
}

/** Reads the reply that begins at `start`. @returns null where it has not arrived whole */
function readReply(bytes: Buffer, start: number): { reply: Reply; end: number } | null {
  const lineEnd = bytes.indexOf(CR, start);
  if (lineEnd < 0 || lineEnd + 2 > bytes.length) return null;
  const text = bytes.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case "+":
      return { reply: text, end };
    case "-":
      return { reply: new ReplyError(text), end };
    case ":":
      return { reply: Number(text), end };
    case "$":
      return readBulk(bytes, Number(text), end);
    case "*":
      return readArray(bytes, Number(text), end);
    default:
      throw new Error(
        `a reply begins with ${JSON.stringify(bytes.toString("latin1", start, end))}`,
      );
  }
}

function readBulk(bytes: Buffer, size: number, start: number) {
  if (size < 0) return { reply: null, end: start };
  const end = start + size + 2;
  return end > bytes.length ? null : { reply: bytes.toString("utf8", start, end - 2), end };
}

function readArray(bytes: Buffer, count: number, start: number) {
  if (count < 0) return { reply: null, end: start };
  const items: Reply[] = [];
  let end = start;
  while (items.length < count) {
    const item = readReply(bytes, end);
    if (item === null) return null;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
}
