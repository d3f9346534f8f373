/**
 * lookup3 against its definition, written line by line as a table.
 */
import { expect, test } from "bun:test";
import { jenkins } from "../../src/hash/jenkins.ts";
import { expectSame, hashOf, littleEndian, rotated, u32 } from "./reference.ts";

type Triple = [bigint, bigint, bigint];

/** One line of lookup3's mix(): x -= z; x ^= rot(z, bits); z += y, with x, y, z turning round. */
function mixed(words: Triple): Triple {
  const state: Triple = [...words];
  const [A, B, C] = [0, 1, 2] as const;
  const lines = [
    [A, B, C, 4],
    [B, C, A, 6],
    [C, A, B, 8],
    [A, B, C, 16],
    [B, C, A, 19],
    [C, A, B, 4],
  ] as const;
  for (const [x, y, z, bits] of lines) {
    state[x] = u32(state[x] - state[z]) ^ rotated(state[z], bits);
    state[z] = u32(state[z] + state[y]);
  }
  return state;
}

/** lookup3's final(): lines of x ^= y; x -= rot(y, bits). */
function finished(words: Triple): bigint {
  const state: Triple = [...words];
  const [A, B, C] = [0, 1, 2] as const;
  const lines = [
    [C, B, 14],
    [A, C, 11],
    [B, A, 25],
    [C, B, 16],
    [A, C, 4],
    [B, A, 14],
    [C, B, 24],
  ] as const;
  for (const [x, y, bits] of lines) {
    state[x] = u32((state[x] ^ state[y]) - rotated(state[y], bits));
  }
  return state[2];
}

function withWords([a, b, c]: Triple, key: readonly number[], at: number): Triple {
  return [
    u32(a + littleEndian(key, at, 4)),
    u32(b + littleEndian(key, at + 4, 4)),
    u32(c + littleEndian(key, at + 8, 4)),
  ];
}

test("any key", () => {
  expectSame(jenkins, (key) => {
    const initial = u32(0xdeadbeefn + BigInt(key.length) + 13n);
    let state: Triple = [initial, initial, initial];
    let at = 0;
    for (; key.length - at > 12; at += 12) {
      state = mixed(withWords(state, key, at));
    }
    return key.length === 0 ? initial : finished(withWords(state, key, at));
  });
});

test("a known value", () => {
  expect(hashOf(jenkins, "apple")).toBe(1442444624);
});
