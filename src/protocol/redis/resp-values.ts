/**
 * Values as replies of the protocol version that a client speaks: what is a map, a set or a
 * verbatim text in RESP3 is an array or a plain string in RESP2.
 *
 * For replies that the proxy makes itself and that nobody asks for often; it may make strings.
 */
import { ascii } from "../../lib/bytes.ts";

/** Texts are latin1, one character per byte, as arguments are read. */
export type RespValue =
  | string
  | number
  | null
  | Status
  | Verbatim
  | readonly RespValue[]
  | ReadonlySet<RespValue>
  | ReadonlyMap<string, RespValue>;

/** A line such as +OK. */
export class Status {
  constructor(readonly text: string) {}
}

/** A text for people, which RESP3 marks as such. */
export class Verbatim {
  constructor(readonly text: string) {}
}

/** The missing element of an array of arrays, which RESP2 writes otherwise than a missing text. */
export const NULL_ARRAY = new Status("");

export function encodeValue(value: RespValue, protocolVersion: number): Buffer {
  const parts: string[] = [];
  write(value, protocolVersion >= 3, parts);
  return ascii(parts.join(""));
}

function write(value: RespValue, isResp3: boolean, parts: string[]): void {
  if (value === NULL_ARRAY) parts.push(isResp3 ? "_\r\n" : "*-1\r\n");
  else if (value === null) parts.push(isResp3 ? "_\r\n" : "$-1\r\n");
  else if (typeof value === "string") parts.push(`$${value.length}\r\n${value}\r\n`);
  else if (typeof value === "number") parts.push(`:${value}\r\n`);
  else if (value instanceof Status) parts.push(`+${value.text}\r\n`);
  else if (value instanceof Verbatim) {
    if (isResp3) parts.push(`=${value.text.length + 4}\r\ntxt:${value.text}\r\n`);
    else parts.push(`$${value.text.length}\r\n${value.text}\r\n`);
  } else if (value instanceof Map) {
    parts.push(isResp3 ? `%${value.size}\r\n` : `*${value.size * 2}\r\n`);
    for (const [name, each] of value) {
      write(name, isResp3, parts);
      write(each, isResp3, parts);
    }
  } else {
    const elements = [...(value as readonly RespValue[] | ReadonlySet<RespValue>)];
    parts.push(`${isResp3 && value instanceof Set ? "~" : "*"}${elements.length}\r\n`);
    for (const each of elements) write(each, isResp3, parts);
  }
}
