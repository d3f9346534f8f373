/**
 * SuperFastHash against its definition, with nutcracker's two deviations.
 */
import { expect, test } from "bun:test";
import { hsieh } from "../../src/hash/hsieh.ts";
import { expectSame, hashOf, littleEndian, signed, u32 } from "./reference.ts";

function grown(hash: bigint, shift: bigint): bigint {
  return u32(hash + (hash >> shift));
}

/** What the last one to three bytes do to the hash. */
function withTail(start: bigint, key: readonly number[], at: number): bigint {
  switch (key.length - at) {
    case 3: {
      let hash = u32(start + littleEndian(key, at, 2));
      hash ^= u32(hash << 16n);
      hash ^= u32(signed(key[at + 2]!) << 18n);
      return grown(hash, 11n);
    }
    case 2: {
      const hash = u32(start + littleEndian(key, at, 2));
      return grown(hash ^ u32(hash << 11n), 17n);
    }
    case 1: {
      const hash = u32(start + BigInt(key[at]!));
      return grown(hash ^ u32(hash << 10n), 1n);
    }
    default:
      return start;
  }
}

test("any key, with a start of 0 and a sign in the third byte of the tail", () => {
  expectSame(hsieh, (key) => {
    let hash = 0n;
    let at = 0;
    for (; key.length - at >= 4; at += 4) {
      hash = u32(hash + littleEndian(key, at, 2));
      const mixed = (littleEndian(key, at + 2, 2) << 11n) ^ hash;
      hash = grown(u32(hash << 16n) ^ mixed, 11n);
    }
    hash = withTail(hash, key, at);
    hash = grown(hash ^ u32(hash << 3n), 5n);
    hash = grown(hash ^ u32(hash << 4n), 17n);
    return grown(hash ^ u32(hash << 25n), 6n);
  });
});

test("a known value", () => {
  expect(hashOf(hsieh, "apple")).toBe(3738850110);
});
