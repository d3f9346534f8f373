/**
 * The little RESP that tests need: encode a request, find where a reply ends, decode a reply.
 *
 * Written apart from src/protocol on purpose: a test must not share its subject's mistakes.
 * Knows RESP2 and the RESP3 types.
 */

export type Argument = string | number | Uint8Array;

/** A decoded reply: errors are ErrorReply, statuses StatusReply, bulks Buffer, nulls null. */
export type ReplyValue =
  ErrorReply | StatusReply | Buffer | number | bigint | boolean | null | ReplyValue[];

export class ErrorReply {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export class StatusReply {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Encodes a request as an array of bulk strings; strings are taken as UTF-8. */
export function encodeRequest(args: readonly Argument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = arg instanceof Uint8Array ? arg : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** Encodes a bulk string reply. */
export function bulk(value: string | Uint8Array): string {
  const text = typeof value === "string" ? value : Buffer.from(value).toString("latin1");
  return `$${Buffer.byteLength(text, "latin1")}\r\n${text}\r\n`;
}

/** The position after the line that starts at `start`, or -1 if its CRLF has not come. */
function lineEnd(bytes: Buffer, start: number, end: number): number {
  const position = bytes.indexOf("\r\n", start, "latin1");
  return position < 0 || position + 2 > end ? -1 : position + 2;
}

/**
 * Finds where the reply that starts at `start` ends.
 *
 * @returns the position after the reply, or -1 if it is not complete
 * @throws Error if the bytes are no reply
 */
export function replyEnd(bytes: Buffer, start: number, end: number): number {
  let elementsLeft = 1;
  let position = start;
  while (elementsLeft > 0) {
    const next = lineEnd(bytes, position, end);
    if (next < 0) return -1;
    const type = String.fromCharCode(bytes[position] as number);
    const rest = bytes.toString("latin1", position + 1, next - 2);
    elementsLeft--;
    if ("+-:_#,(".includes(type)) {
      position = next;
    } else if ("$!=".includes(type)) {
      const size = wholeNumber(type, rest);
      position = size < 0 ? next : next + size + 2;
      if (position > end) return -1;
    } else if ("*~>".includes(type)) {
      elementsLeft += Math.max(wholeNumber(type, rest), 0);
      position = next;
    } else if ("%|".includes(type)) {
      elementsLeft += 2 * wholeNumber(type, rest) + (type === "|" ? 1 : 0);
      position = next;
    } else {
      const shown = JSON.stringify(
        bytes.toString("latin1", position, Math.min(end, position + 80)),
      );
      throw new Error(`no reply starts like this: ${shown}`);
    }
  }
  return position;
}

function wholeNumber(type: string, digits: string): number {
  if (!/^-?\d+$/.test(digits)) throw new Error(`no number in reply line "${type}${digits}"`);
  return Number(digits);
}

/** Decodes one complete reply. */
export function decodeReply(bytes: Buffer): ReplyValue {
  const decoder = new ReplyDecoder(bytes);
  const value = decoder.next();
  if (decoder.position !== bytes.length) throw new Error("bytes after the end of the reply");
  return value;
}

class ReplyDecoder {
  readonly #bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): ReplyValue {
    const start = this.position;
    const lineAfter = lineEnd(this.#bytes, start, this.#bytes.length);
    if (lineAfter < 0) throw new Error("reply is not complete");
    this.position = lineAfter;
    const type = String.fromCharCode(this.#bytes[start] as number);
    const rest = this.#bytes.toString("latin1", start + 1, lineAfter - 2);
    if (type === "+") return new StatusReply(rest);
    if (type === "-") return new ErrorReply(rest);
    if (type === ":" || type === ",") return Number(rest);
    if (type === "(") return BigInt(rest);
    if (type === "#") return rest === "t";
    if (type === "_") return null;
    const count = wholeNumber(type, rest);
    if (count < 0) return null;
    if ("$!=".includes(type)) return this.#body(count);
    const values: ReplyValue[] = [];
    const pairs = "%|".includes(type) ? 2 : 1;
    for (let index = 0; index < count * pairs; index++) values.push(this.next());
    return values;
  }

  #body(size: number): Buffer {
    const body = this.#bytes.subarray(this.position, this.position + size);
    this.position += size + 2;
    return body;
  }
}

/**
 * Takes complete requests (arrays of bulk strings) out of a stream: what a scripted server reads.
 *
 * @returns the arguments and the position after the request, or null if it is not complete
 */
export function decodeRequest(
  bytes: Buffer,
  start: number,
): { readonly args: Buffer[]; readonly end: number } | null {
  let next = lineEnd(bytes, start, bytes.length);
  if (next < 0) return null;
  const count = wholeNumber("*", bytes.toString("latin1", start + 1, next - 2));
  const args: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    const after = lineEnd(bytes, next, bytes.length);
    if (after < 0) return null;
    const size = wholeNumber("$", bytes.toString("latin1", next + 1, after - 2));
    if (after + size + 2 > bytes.length) return null;
    args.push(bytes.subarray(after, after + size));
    next = after + size + 2;
  }
  return { args, end: next };
}
