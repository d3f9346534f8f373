/**
 * Tools of the hash tests: keys to try, and arithmetic that cannot overflow to compare with.
 *
 * The references are written with BigInt from the published algorithms, apart from src/hash on
 * purpose: a test must not share its subject's mistakes.
 */
import { expect } from "bun:test";
import fc from "fast-check";
import type { HashFunction } from "../../src/hash/hash-function.ts";

/** What a key hashes to, by the reference. */
export type Reference = (key: readonly number[]) => bigint;

/** The lower 32 bits. */
export function u32(value: bigint): bigint {
  return BigInt.asUintN(32, value);
}

/** A byte as C's `signed char`, in 32 bits. */
export function signed(byte: number): bigint {
  return u32(BigInt.asIntN(8, BigInt(byte)));
}

export function rotated(value: bigint, bits: number): bigint {
  return u32(value << BigInt(bits)) | (u32(value) >> BigInt(32 - bits));
}

/** A little-endian number of `count` bytes; bytes past the end are 0. */
export function littleEndian(key: readonly number[], at: number, count: number): bigint {
  let value = 0n;
  for (let i = 0; i < count; i++) {
    value |= BigInt(key[at + i] ?? 0) << BigInt(8 * i);
  }
  return value;
}

/** Keys of all lengths up to 80, and some bytes before and after them. */
const keyInBuffer = fc.record({
  before: fc.uint8Array({ maxLength: 5 }),
  key: fc.uint8Array({ maxLength: 80, size: "max" }),
  after: fc.uint8Array({ maxLength: 20 }),
});

/** Compares a hash with its reference for random keys at random places of a buffer. */
export function expectSame(hash: HashFunction, reference: Reference): void {
  const property = fc.property(keyInBuffer, ({ before, key, after }) => {
    const bytes = Buffer.concat([before, key, after]);
    const found = hash(bytes, before.length, before.length + key.length);
    expect(BigInt(found)).toBe(reference([...key]));
  });
  fc.assert(property, { numRuns: 1000 });
}

/** Hash of a text, taken as UTF-8. */
export function hashOf(hash: HashFunction, text: string): number {
  const bytes = Buffer.from(text);
  return hash(bytes, 0, bytes.length);
}
