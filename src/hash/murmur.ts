/**
 * MurmurHash2 by Austin Appleby (github.com/aappleby/smhasher, MurmurHash2.cpp), 32 bits.
 *
 * The seed is nutcracker's: the length times 0xdeadbeef. Twin: nc_murmur.c.
 */
import { paddedWordAt, wordAt } from "./words.ts";

const M = 0x5bd1e995;
const R = 24;
const SEED_FACTOR = 0xdeadbeef;

/** `murmur`: four bytes per round, then a tail of up to three. */
export function murmur(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = Math.imul(SEED_FACTOR, length) ^ length;
  let i = start;
  for (const blocksEnd = end - (length & 3); i < blocksEnd; i += 4) {
    let word = Math.imul(wordAt(bytes, i), M);
    word ^= word >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  if (i < end) {
    hash = Math.imul(hash ^ paddedWordAt(bytes, i, end), M);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return (hash ^ (hash >>> 15)) >>> 0;
}
