/**
 * Whether two replies to the same request, from two sets of servers, say the same.
 *
 * Bytes are compared as they are, but for what may rightly differ between two servers: the order of
 * unordered collections, seconds that passed, serialised forms, and art.
 */
import { decodeReply, ErrorReply, StatusReply } from "./resp.ts";
import type { ReplyValue } from "./resp.ts";

/** Milliseconds by which two times to live may differ. */
const TTL_SLACK_MS = 20_000;

const UNORDERED = new Set(
  "SMEMBERS SUNION SINTER SDIFF SRANDMEMBER SPOP HKEYS HVALS HGETALL ZRANDMEMBER HRANDFIELD".split(
    " ",
  ),
);
const SCANS = new Set(["SSCAN", "HSCAN", "ZSCAN"]);
/** Sets are serialised in the order of their hash table, and LOLWUT draws something each time. */
const SHAPE_ONLY = new Set(["DUMP", "LOLWUT", "COMMAND"]);
const TIMES = new Map([
  ["TTL", 1000],
  ["PTTL", 1],
]);

/**
 * Compares replies.
 *
 * @param request the request, its command word first
 * @returns true if both mean the same
 */
export function sameReply(request: readonly unknown[], first: Buffer, second: Buffer): boolean {
  if (first.equals(second)) return true;
  const name = String(request[0]).toUpperCase();
  const a = decodeReply(first);
  const b = decodeReply(second);
  if (a instanceof ErrorReply || b instanceof ErrorReply) return false;
  const unitMs = TIMES.get(name);
  if (unitMs !== undefined) {
    if (typeof a !== "number" || typeof b !== "number" || a < 0 || b < 0) return false;
    return Math.abs(a - b) * unitMs <= TTL_SLACK_MS;
  }
  if (SHAPE_ONLY.has(name)) return shapeOf(a) === shapeOf(b);
  if (UNORDERED.has(name)) {
    const step = request.some(isWithValues) || name === "HGETALL" ? 2 : 1;
    return sorted(a, step) === sorted(b, step);
  }
  if (SCANS.has(name) && Array.isArray(a) && Array.isArray(b)) {
    const step = name === "SSCAN" ? 1 : 2;
    return show(a[0]) === show(b[0]) && sorted(a[1], step) === sorted(b[1], step);
  }
  return false;
}

function isWithValues(word: unknown): boolean {
  return word === "WITHVALUES" || word === "WITHSCORES";
}

/** A value as text that equal values share. */
export function show(value: ReplyValue | undefined): string {
  if (value instanceof ErrorReply) return `-${value.text}`;
  if (value instanceof StatusReply) return `+${value.text}`;
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString("latin1"));
  if (Array.isArray(value)) return `[${value.map(show).join(",")}]`;
  return String(value);
}

/** Like `show`, with the elements of an array sorted in groups of `step`. */
export function sorted(value: ReplyValue | undefined, step: number): string {
  if (!Array.isArray(value)) return show(value);
  const groups: string[] = [];
  for (let at = 0; at < value.length; at += step) {
    groups.push(
      value
        .slice(at, at + step)
        .map(show)
        .join("="),
    );
  }
  return `{${groups.sort().join(",")}}`;
}

function shapeOf(value: ReplyValue): string {
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (Buffer.isBuffer(value)) return "bulk";
  return value === null ? "null" : value.constructor.name;
}
