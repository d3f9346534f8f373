/**
 * A memcached client, small enough to read: it finds out where a reply ends, and what is in it.
 *
 * Made for the demo; sending, waiting and deadlines are pipelined-connection.ts.
 */
import { PipelinedConnection } from "./pipelined-connection.ts";

/** The lines of a reply; the data of a value is a line of its own. */
export type MemcachedReply = readonly string[];

export class MemcachedClient {
  readonly #connection: PipelinedConnection<MemcachedReply>;

  private constructor(connection: PipelinedConnection<MemcachedReply>) {
    this.#connection = connection;
  }

  /** @param name who is at the other end, for errors */
  static async connect(name: string, port: number): Promise<MemcachedClient> {
    const connect = PipelinedConnection.connect<MemcachedReply>;
    return new MemcachedClient(await connect(name, port, readReply));
  }

  /** Sends one request of one line. */
  async send(line: string): Promise<MemcachedReply> {
    const [reply] = await this.#connection.sendAll([Buffer.from(`${line}\r\n`)]);
    return reply ?? [];
  }

  /**
   * Sends many requests without waiting for each reply.
   *
   * @param requestAt the lines of request number `index`: a command, and data if it has some
   * @param onReply called in the order of the requests
   */
  async pipeline(
    count: number,
    requestAt: (index: number) => readonly string[],
    onReply: (index: number, reply: MemcachedReply) => void,
  ): Promise<void> {
    const request = (index: number) => Buffer.from(`${requestAt(index).join("\r\n")}\r\n`);
    await this.#connection.pipeline(count, request, onReply);
  }
}

/** @returns the request lines that set a key to a text, for good */
export function setRequest(key: string, value: string): string[] {
  return [`set ${key} 0 0 ${Buffer.byteLength(value)}`, value];
}

/** @returns the keys and values in the reply to a `get`, or null where it is no such reply */
export function valuesIn(reply: MemcachedReply): Map<string, string> | null {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const [word, key = ""] = (reply[i] ?? "").split(" ");
    if (word !== "VALUE") return null;
    values.set(key, reply[i + 1] ?? "");
  }
  return reply.length % 2 === 1 && reply.at(-1) === "END" ? values : null;
}

/** @returns a number in the reply to `stats`, or NaN where it is not there */
export function statIn(reply: MemcachedReply, name: string): number {
  const start = `STAT ${name} `;
  return Number(reply.find((line) => line.startsWith(start))?.slice(start.length) ?? NaN);
}

/** Reads the reply that begins at `start`. @returns null where it has not arrived whole */
function readReply(bytes: Buffer, start: number): { reply: MemcachedReply; end: number } | null {
  const reply: string[] = [];
  for (let end = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", end);
    if (lineEnd < 0) return null;
    const line = bytes.toString("utf8", end, lineEnd);
    reply.push(line);
    end = lineEnd + 2;
    const size = dataSizeAfter(line);
    if (size !== null) {
      if (end + size + 2 > bytes.length) return null;
      reply.push(bytes.toString("utf8", end, end + size));
      end += size + 2;
    }
    if (!/^(VALUE|STAT) /.test(line)) return { reply, end };
  }
}

/** The bytes of data that follow a line: of `VALUE key flags size` and `VA size ...`; else null. */
function dataSizeAfter(line: string): number | null {
  const size = /^(?:VALUE \S+ \d+|VA) (\d+)/.exec(line)?.[1];
  return size === undefined ? null : Number(size);
}
