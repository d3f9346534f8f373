/**
 * All hashes: their names, nutcracker's vectors, and what every hash must keep to.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { HASH_NAMES, hashFunction, isHashName } from "../../src/hash/hashes.ts";
import type { HashName } from "../../src/hash/hashes.ts";

const vectorsFile = join(import.meta.dir, "../vectors/hash-vectors.json");
const vectors = (await Bun.file(vectorsFile).json()) as Record<string, Record<string, number>>;

describe("names", () => {
  test("nutcracker's twelve and ours", () => {
    const nutcrackers =
      "one_at_a_time md5 crc16 crc32 crc32a fnv1_64 fnv1a_64 fnv1_32 fnv1a_32 hsieh murmur jenkins";
    const ours = "xxh32 xxh64 xxh3";
    expect(HASH_NAMES.join(" ")).toBe(`${nutcrackers} ${ours}`);
  });

  test("nothing else is a name", () => {
    expect(HASH_NAMES.every(isHashName)).toBe(true);
    for (const text of ["", "MD5", "md5 ", "fnv", "toString", "__proto__", "constructor"]) {
      expect(isHashName(text)).toBe(false);
    }
  });
});

describe("vectors of nutcracker 0.5.0", () => {
  test("cover every hash of nutcracker's", () => {
    expect(Object.keys(vectors)).toEqual(HASH_NAMES.filter((name) => !name.startsWith("xxh")));
  });

  test.each(Object.keys(vectors))("%s", (name) => {
    const hash = hashFunction(name as HashName);
    const keys = Object.keys(vectors[name]!);
    expect(keys.length).toBeGreaterThan(30);
    const found = keys.map((hex) => [hex, hash(Buffer.from(hex, "hex"), 0, hex.length / 2)]);
    expect(Object.fromEntries(found)).toEqual(vectors[name]!);
  });
});

describe.each(HASH_NAMES)("%s", (name) => {
  const hash = hashFunction(name);

  test("is an unsigned 32-bit number that depends on nothing outside of the key", () => {
    const bytes = () => fc.uint8Array({ maxLength: 20 });
    const property = fc.property(
      bytes(),
      fc.uint8Array({ maxLength: 300 }),
      bytes(),
      bytes(),
      bytes(),
      (before, key, after, otherBefore, otherAfter) => {
        const buffer = Buffer.concat([before, key, after]);
        const other = Buffer.concat([otherBefore, key, otherAfter]);
        const value = hash(buffer, before.length, before.length + key.length);
        expect(value).toBe(value >>> 0);
        expect(hash(other, otherBefore.length, otherBefore.length + key.length)).toBe(value);
        expect(hash(Uint8Array.from(key), 0, key.length)).toBe(value);
        expect(buffer.equals(Buffer.concat([before, key, after]))).toBe(true);
      },
    );
    fc.assert(property);
  });

  test("is the same after a key of another length", () => {
    const short = Buffer.from("a key");
    const long = Buffer.alloc(1000, 0xe9);
    const value = hash(short, 0, short.length);
    hash(long, 0, long.length);
    expect(hash(short, 0, short.length)).toBe(value);
  });
});
