/**
 * Little-endian words, for the hashes that read their key four bytes at a time.
 *
 * A word is an int32, which is what JavaScript's bit operators make; only the last line of a hash
 * turns its result into an unsigned number.
 */

/** The four bytes from `index` as a little-endian word. The caller keeps `index + 4` in bounds. */
export function wordAt(bytes: Uint8Array, index: number): number {
  return (
    bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24)
  );
}

/** Like `wordAt`, with zeros in place of the bytes from `end` on. */
export function paddedWordAt(bytes: Uint8Array, index: number, end: number): number {
  let word = 0;
  for (let i = index, shift = 0; i < end && shift < 32; i++, shift += 8) {
    word |= bytes[i]! << shift;
  }
  return word;
}

/** Rotates a word to the left by 1 to 31 bits. */
export function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
