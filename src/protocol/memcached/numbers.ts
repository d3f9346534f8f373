/**
 * Numbers on a command line, as memcached reads them.
 *
 * Nearly all are plain: a few digits. memcached takes more, because it reads with C's strtol and
 * keeps the low 32 bits: "+5", "\t5", "5\tx" and "4294967301" all are 5. A request with such a
 * number is forwarded with the plain one in its place, so that no server can ever read another
 * length out of it than the proxy did.
 */
import { DIGIT_0, MINUS } from "../../lib/bytes.ts";

/** What a word of a command line stands for. */
export const NumberKind = { Flags: 0, Exptime: 1, Size: 2, Unique: 3 } as const;
export type NumberKind = (typeof NumberKind)[keyof typeof NumberKind];

/** The largest number of each kind that is plain. */
const PLAIN_MAX: Record<NumberKind, number> = {
  [NumberKind.Flags]: 2 ** 32 - 1,
  [NumberKind.Exptime]: 2 ** 31 - 1,
  [NumberKind.Size]: 2 ** 31 - 3,
  [NumberKind.Unique]: Infinity,
};
/** So many digits are exact in a JavaScript number. */
const PLAIN_DIGITS_MAX = 15;

/** The value (without its sign) of a plain number, or -1 for anything else. */
export function plainNumber(
  kind: NumberKind,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  if (kind === NumberKind.Exptime && bytes[start] === MINUS) start++;
  if (end - start > PLAIN_DIGITS_MAX || start >= end) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= PLAIN_MAX[kind] ? value : -1;
}

const READERS: Record<NumberKind, (word: string) => bigint | null> = {
  [NumberKind.Flags]: (word) => lowBits(readUnsigned(word), BigInt.asUintN),
  [NumberKind.Exptime]: (word) => lowBits(readSigned(word), BigInt.asIntN),
  [NumberKind.Size]: (word) => {
    const size = lowBits(readSigned(word), BigInt.asIntN);
    return size === null || size < 0n || size > PLAIN_MAX[NumberKind.Size] ? null : size;
  },
  [NumberKind.Unique]: readUnsigned,
};

/**
 * The number that memcached reads out of any word, in its plain form; for words that are not plain.
 *
 * @returns null where memcached refuses the line
 */
export function canonicalNumber(kind: NumberKind, word: string): string | null {
  return READERS[kind](word)?.toString() ?? null;
}

function lowBits(
  value: bigint | null,
  cut: (bits: number, value: bigint) => bigint,
): bigint | null {
  return value === null ? null : cut(32, value);
}

/** As strtol: blanks before, a sign, digits; then the end or another blank. */
const NUMBER = /^[\t\v\f\r]*([+-]?)([0-9]+)(?:$|[\t\v\f\r])/;

function readSigned(word: string): bigint | null {
  const match = NUMBER.exec(word);
  if (match === null) return null;
  const value = BigInt(match[1] === "-" ? `-${match[2]}` : match[2]!);
  return value === BigInt.asIntN(64, value) ? value : null;
}

/** As strtoul, which wraps negative numbers around; memcached refuses those that end up large. */
function readUnsigned(word: string): bigint | null {
  const match = NUMBER.exec(word);
  if (match === null) return null;
  const size = BigInt(match[2]!);
  if (size !== BigInt.asUintN(64, size)) return null;
  const value = match[1] === "-" ? BigInt.asUintN(64, -size) : size;
  return BigInt.asIntN(64, value) < 0n && word.includes("-") ? null : value;
}
