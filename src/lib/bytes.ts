/**
 * Bytes: the constants that wire formats share, and small loops on primitives.
 *
 * Nothing here allocates but `ascii`, which is for constants made at start.
 */

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;
export const MINUS = 0x2d;
export const PLUS = 0x2b;
export const COLON = 0x3a;
export const STAR = 0x2a;
export const DOLLAR = 0x24;

/** Set in lower case letters only: `byte | CASE_BIT` folds a letter to lower case. */
export const CASE_BIT = 0x20;

/**
 * Below this many bytes a loop copies faster than Buffer.copy, which costs about 20 ns to enter
 * (bench/micro/copy.bench.ts).
 */
const LOOP_COPY_MAX = 32;

/** The bytes of a text in ISO 8859-1, for constants. */
export function ascii(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Copies [start, end) of `source` to `target` at `at`; the ranges must not overlap. */
export function copyBytes(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): void {
  if (end - start > LOOP_COPY_MAX) {
    source.copy(target, at, start, end);
    return;
  }
  const fourMax = end - 3;
  for (; start < fourMax; start += 4, at += 4) {
    target[at] = source[start]!;
    target[at + 1] = source[start + 1]!;
    target[at + 2] = source[start + 2]!;
    target[at + 3] = source[start + 3]!;
  }
  for (; start < end; start++) target[at++] = source[start]!;
}

/** Number of decimal digits of a whole number from 0 to 2^53. */
export function decimalLength(value: number): number {
  let length = 1;
  while (value >= 10) {
    value = Math.floor(value / 10);
    length++;
  }
  return length;
}

/** Writes a whole number in decimal at `at`; returns the index after its last digit. */
export function writeDecimal(target: Uint8Array, at: number, value: number): number {
  const end = at + decimalLength(value);
  for (let i = end - 1; i >= at; i--) {
    const rest = Math.floor(value / 10);
    target[i] = DIGIT_0 + (value - rest * 10);
    value = rest;
  }
  return end;
}

/** True if the two ranges hold the same bytes. */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) if (a[i] !== b[j]) return false;
  return true;
}
