/**
 * Where a string or a null of a Redis server ends, if all of it lies in one piece.
 *
 *   $3 CR LF a b c CR LF        $-1 CR LF        _ CR LF (RESP3)
 *
 * Nearly all that a cache answers is made of these, so they are read in one plain loop and not
 * step by step (bench/micro/response-parser.bench.ts, bench/micro/coalesce.bench.ts). A length may
 * be written with leading zeros, as response-parser.ts takes it, too.
 */
import { CR, DIGIT_0, DOLLAR, LF, MINUS } from "../../lib/bytes.ts";

/** The type of RESP3's null. */
export const UNDERSCORE = 0x5f;
const DIGIT_1 = 0x31;
/** What is longer is left to the exact checks of the parser. */
const DIGITS_MAX = 9;

/** @returns index behind the value at `at`, or -1: something else, or not all of it before `end` */
export function valueEnd(bytes: Buffer, at: number, end: number): number {
  const type = bytes[at]!;
  const start = at + 1;
  if (type !== DOLLAR) return type === UNDERSCORE ? lineEnd(bytes, start, end) : -1;
  let length = 0;
  for (at = start; at < end; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  if (at === start) return nullEnd(bytes, at, end);
  const bodyEnd = at + 2 + length;
  if (bodyEnd + 2 > end || at - start > DIGITS_MAX) return -1;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
  return bytes[bodyEnd] === CR && bytes[bodyEnd + 1] === LF ? bodyEnd + 2 : -1;
}

function nullEnd(bytes: Buffer, at: number, end: number): number {
  const isNull = at + 1 < end && bytes[at] === MINUS && bytes[at + 1] === DIGIT_1;
  return isNull ? lineEnd(bytes, at + 2, end) : -1;
}

function lineEnd(bytes: Buffer, at: number, end: number): number {
  return at + 2 <= end && bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : -1;
}
