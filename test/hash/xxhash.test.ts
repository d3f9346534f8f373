/**
 * XXH32, XXH64 and XXH3 against @node-rs/xxhash.
 */
import { describe, expect, test } from "bun:test";
import * as reference from "@node-rs/xxhash";
import type { HashFunction } from "../../src/hash/hash-function.ts";
import { xxh3, xxh32, xxh64 } from "../../src/hash/xxhash.ts";
import { withSeed } from "../support/seeded-random.ts";
import { hashOf, u32 } from "./reference.ts";

const LENGTH_MAX = 300;
const OFFSET_MAX = 9;

type Row = readonly [string, HashFunction, (key: Uint8Array) => bigint];

const rows: readonly Row[] = [
  ["xxh32", xxh32, (key) => BigInt(reference.xxh32(key))],
  ["xxh64", xxh64, (key) => u32(reference.xxh64(key))],
  ["xxh3", xxh3, (key) => u32(reference.xxh3.xxh64(key))],
];

describe.each(rows)("%s against @node-rs/xxhash", (_name, hash, expected) => {
  test(`random keys of 0 to ${LENGTH_MAX} bytes at all offsets up to ${OFFSET_MAX}`, () =>
    withSeed((random) => {
      for (let length = 0; length <= LENGTH_MAX; length++) {
        const bytes = random.bytes(length + OFFSET_MAX + 5);
        for (let start = 0; start <= OFFSET_MAX; start++) {
          const key = bytes.slice(start, start + length);
          const found = BigInt(hash(bytes, start, start + length));
          if (found !== expected(key)) {
            expect({ key: key.toHex(), found }).toEqual({ key: key.toHex(), found: expected(key) });
          }
        }
      }
    }));

  test("keys of one repeated byte, and a Buffer as well as a Uint8Array", () => {
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      for (const length of [1, 3, 16, 17, 64, 65, 128, 129, 240, 241, 1024, 1025, 16_000]) {
        const key = Buffer.alloc(length, byte);
        expect(BigInt(hash(key, 0, length))).toBe(expected(key));
        expect(BigInt(hash(new Uint8Array(key), 0, length))).toBe(expected(key));
      }
    }
  });
});

test("known values", () => {
  expect(hashOf(xxh32, "user:1234567890")).toBe(2020564270);
  expect(hashOf(xxh32, "")).toBe(0x02cc5d05);
  expect(hashOf(xxh64, "")).toBe(0x51d8e999);
  expect(hashOf(xxh3, "")).toBe(0x38d394c2);
});
