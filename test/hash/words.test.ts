/**
 * Words read from bytes, and their rotation.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { paddedWordAt, rotateLeft, wordAt } from "../../src/hash/words.ts";

test("a word is four bytes, the lowest first", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 12 }), fc.nat(8), (bytes, at) => {
      fc.pre(at + 4 <= bytes.length);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      expect(wordAt(bytes, at)).toBe(view.getInt32(at, true));
    }),
  );
});

test.each([
  [0, 0],
  [1, 0x81],
  [2, 0x8281],
  [3, 0x838281],
  [4, 0x84838281 | 0],
  [5, 0x84838281 | 0],
])("with %i bytes left the rest of the word is zero", (end, word) => {
  expect(paddedWordAt(Uint8Array.of(0x81, 0x82, 0x83, 0x84, 0x85), 0, end)).toBe(word);
});

test("a padded word that starts behind the end is zero", () => {
  expect(paddedWordAt(Uint8Array.of(1, 2, 3, 4, 5, 6), 4, 2)).toBe(0);
});

test("bits that leave a word on the left come back on the right", () => {
  expect(rotateLeft(0x80000001 | 0, 1)).toBe(3);
  expect(rotateLeft(0x12345678, 8)).toBe(0x34567812);
  expect(rotateLeft(1, 31)).toBe(0x80000000 | 0);
});
