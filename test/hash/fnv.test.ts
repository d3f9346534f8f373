/**
 * The four FNV functions against the published definition in 64 and 32 bits.
 */
import { describe, expect, test } from "bun:test";
import { fnv1_32, fnv1_64, fnv1a_32, fnv1a_64 } from "../../src/hash/fnv.ts";
import { expectSame, hashOf, signed, u32 } from "./reference.ts";

/** The published function with the full numbers, cut to 32 bits at the end only. */
function fnv(basis: bigint, prime: bigint, bits: number, isA: boolean) {
  return (key: readonly number[]): bigint => {
    let hash = basis;
    for (const byte of key) {
      hash = isA
        ? BigInt.asUintN(bits, (hash ^ signed(byte)) * prime)
        : BigInt.asUintN(bits, hash * prime) ^ signed(byte);
    }
    return u32(hash);
  };
}

describe("any key, bytes from 0x80 on sign-extended", () => {
  test("fnv1_64 and fnv1a_64 are the lower half of the full function", () => {
    expectSame(fnv1_64, fnv(0xcbf29ce484222325n, 0x100000001b3n, 64, false));
    expectSame(fnv1a_64, fnv(0xcbf29ce484222325n, 0x100000001b3n, 64, true));
  });

  test("fnv1_32 and fnv1a_32", () => {
    expectSame(fnv1_32, fnv(2166136261n, 16777619n, 32, false));
    expectSame(fnv1a_32, fnv(2166136261n, 16777619n, 32, true));
  });
});

test("known values", () => {
  expect(hashOf(fnv1_64, "apple")).toBe(473199127);
  expect(hashOf(fnv1a_64, "apple")).toBe(1488911807);
  expect(hashOf(fnv1_32, "apple")).toBe(67176023);
  expect(hashOf(fnv1a_32, "apple")).toBe(280767167);
});
