/**
 * A Redis client, small enough to read: words become requests, and bytes become replies.
 *
 * Made for the demo; sending, waiting and deadlines are pipelined-connection.ts.
 */
import { PipelinedConnection } from "./pipelined-connection.ts";

/** A reply that begins with "-"; the text is what follows. */
export class ReplyError {
  constructor(readonly text: string) {}
}

export type Reply = string | number | null | ReplyError | Reply[];

const CR = 13;

export class RespClient {
  readonly #connection: PipelinedConnection<Reply>;

  private constructor(connection: PipelinedConnection<Reply>) {
    this.#connection = connection;
  }

  /** @param name who is at the other end, for errors */
  static async connect(name: string, port: number): Promise<RespClient> {
    return new RespClient(await PipelinedConnection.connect<Reply>(name, port, readReply));
  }

  /** Sends one request; a "-" reply is a ReplyError that is returned, not thrown. */
  async send(...words: string[]): Promise<Reply> {
    const [reply] = await this.#connection.sendAll([encodeRequest(words)]);
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
    await this.#connection.pipeline(count, (index) => encodeRequest(requestAt(index)), onReply);
  }

  close(): void {
    this.#connection.close();
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
