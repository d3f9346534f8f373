/**
 * CRC-32 and its 15 bits against Bun's checksum.
 */
import { expect, test } from "bun:test";
import { crc32, crc32a } from "../../src/hash/crc32.ts";
import { expectSame, hashOf } from "./reference.ts";

test("crc32a is the checksum that Bun computes", () => {
  expectSame(crc32a, (key) => BigInt(Bun.hash.crc32(Uint8Array.from(key))));
});

test("crc32 is 15 bits of it", () => {
  expectSame(crc32, (key) => (BigInt(Bun.hash.crc32(Uint8Array.from(key))) >> 16n) & 0x7fffn);
});

test("known values", () => {
  expect(hashOf(crc32a, "123456789")).toBe(0xcbf43926);
  expect(hashOf(crc32, "apple")).toBe(10542);
});
