/**
 * The reference for replies of Redis servers, RESP2 and RESP3: one function per kind of element.
 */
import { ParseStatus } from "../../src/protocol/protocol.ts";
import {
  DEPTH_MAX,
  ELEMENTS_MAX,
  LINE_BYTES_MAX,
  REPLY_BULK_BYTES_MAX,
} from "../../src/protocol/redis/response-parser.ts";
import type { Found } from "./reference.ts";
import { DOOMED, INCOMPLETE, INVALID, lineEndAt } from "./reference.ts";

/** Where a line or a string ends, or why it does not. */
type End = number | Found;

/** The head of an element: what it is, and where it ends. */
interface Head {
  readonly count: number;
  readonly end: number;
}

export function readRedisReply(text: string, start: number): Found {
  const type = text[start]!;
  // By level: elements still to come. A list instead of recursion, since levels may be many.
  const levels = [1];
  let pending = 1;
  let at = start;
  while (pending > 0) {
    while (levels.at(-1) === 0) levels.pop();
    const element = readElement(text, at);
    if ("status" in element) return element;
    // An attribute stands before an element, which is still to come.
    const done = text[at] === "|" ? 0 : 1;
    pending += element.count - done;
    if (pending > ELEMENTS_MAX) return INVALID;
    // The first level is no aggregate.
    if (element.count > 0 && levels.length > DEPTH_MAX) return INVALID;
    levels[levels.length - 1]! -= done;
    levels.push(element.count);
    at = element.end;
  }
  // The first byte decides, also if it is that of an attribute.
  if (type === ">") return { status: ParseStatus.Nothing, end: at, marks: [] };
  return { status: ParseStatus.Complete, end: at, marks: [type === "-" || type === "!" ? 1 : 0] };
}

/** A scalar with its bytes; of what holds elements, only the head. */
function readElement(text: string, at: number): Head | Found {
  const type = text[at];
  if (type === undefined) return INCOMPLETE;
  let end: End = INVALID;
  if ("+-,(#_".includes(type)) end = readLine(text, at + 1);
  else if (type === ":") end = readInteger(text, at + 1);
  else if ("$!=*~>%|".includes(type)) return readSized(text, at, type);
  return scalar(end);
}

function scalar(end: End): Head | Found {
  return typeof end === "number" ? { count: 0, end } : end;
}

function readLine(text: string, at: number): End {
  const cr = text.indexOf("\r", at);
  const end = cr < 0 ? text.length : cr;
  if (end - at > LINE_BYTES_MAX) return INVALID;
  return endLine(text, end);
}

function endLine(text: string, at: number): End {
  return lineEndAt(text, at) ?? at + 2;
}

function readInteger(text: string, at: number): End {
  let end = at;
  if (text[end] === "-" || text[end] === "+") end++;
  const digitsStart = end;
  while (text[end]! >= "0" && text[end]! <= "9") end++;
  if (end - digitsStart > LINE_BYTES_MAX) return INVALID;
  if (end === text.length) return INCOMPLETE;
  return end === digitsStart ? INVALID : endLine(text, end);
}

function readSized(text: string, at: number, type: string): Head | Found {
  const rest = text.slice(at + 1, at + 15);
  const match = /^(-?\d{1,10})\r\n/.exec(rest);
  if (match === null) {
    const isAllThere = at + 1 + rest.length === text.length;
    return isAllThere && /^-?(?:\d{1,10}\r?)?$/.test(rest) ? DOOMED : INVALID;
  }
  const end = at + 1 + match[0].length;
  const length = Number(match[1]);
  if (match[1]!.startsWith("-")) {
    const isNull = length === -1 && type !== "%" && type !== "|";
    return isNull ? { count: 0, end } : INVALID;
  }
  if ("$!=".includes(type)) {
    if (length > REPLY_BULK_BYTES_MAX) return INVALID;
    return scalar(end + length >= text.length ? INCOMPLETE : endLine(text, end + length));
  }
  return { count: type === "|" || type === "%" ? 2 * length : length, end };
}
