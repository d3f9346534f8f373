/**
 * One-at-a-time against its definition.
 */
import { expect, test } from "bun:test";
import { oneAtATime } from "../../src/hash/one-at-a-time.ts";
import { expectSame, hashOf, signed, u32 } from "./reference.ts";

test("any key, bytes from 0x80 on as negative numbers", () => {
  expectSame(oneAtATime, (key) => {
    let hash = 0n;
    for (const byte of key) {
      hash = u32(hash + signed(byte));
      hash = u32(hash + (hash << 10n));
      hash ^= hash >> 6n;
    }
    hash = u32(hash + (hash << 3n));
    hash ^= hash >> 11n;
    return u32(hash + (hash << 15n));
  });
});

test("a known value", () => {
  expect(hashOf(oneAtATime, "apple")).toBe(2297466611);
});
