/**
 * MurmurHash2 against its definition and against Bun's.
 */
import { expect, test } from "bun:test";
import { murmur } from "../../src/hash/murmur.ts";
import { expectSame, hashOf, littleEndian, u32 } from "./reference.ts";

const M = 0x5bd1e995n;

test("any key, seeded with its length", () => {
  expectSame(murmur, (key) => {
    const length = BigInt(key.length);
    let hash = u32(0xdeadbeefn * length) ^ length;
    let at = 0;
    for (; key.length - at >= 4; at += 4) {
      const word = u32(littleEndian(key, at, 4) * M);
      hash = u32(hash * M) ^ u32((word ^ (word >> 24n)) * M);
    }
    if (at < key.length) {
      hash = u32((hash ^ littleEndian(key, at, key.length - at)) * M);
    }
    hash = u32((hash ^ (hash >> 13n)) * M);
    return hash ^ (hash >> 15n);
  });
});

test("the function of the same name in Bun agrees, given the same seed", () => {
  expectSame(murmur, (key) => {
    const seed = Number(u32(0xdeadbeefn * BigInt(key.length)));
    return BigInt(Bun.hash.murmur32v2(Uint8Array.from(key), seed));
  });
});

test("a known value", () => {
  expect(hashOf(murmur, "apple")).toBe(4142305122);
});
