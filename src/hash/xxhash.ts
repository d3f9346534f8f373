/**
 * xxHash by Yann Collet (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): XXH32, XXH64 and XXH3,
 * all with seed 0. nutcracker has none of them.
 *
 * XXH64 and XXH3 give 64 bits, of which the lower 32 are the hash of a key. They come from Bun:
 * with 64-bit products put together from 32-bit ones XXH64 took 68 ns for a key of 15 bytes and
 * 196 ns for 40; the way below takes 41 and 50 ns. XXH32 is the other way round: 10 ns here, 50 ns
 * through Bun (bench/micro/hashes.bench.ts). @node-rs/xxhash serves the tests only, because a
 * program that embeds it unpacks a library into the temporary folder at every start.
 */
import { keyView } from "./key-view.ts";
import { rotateLeft, wordAt } from "./words.ts";

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** `xxh32`: four lanes while 16 bytes are left, then word by word, then byte by byte. */
export function xxh32(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = PRIME_5;
  let i = start;
  if (length >= 16) {
    let lane1 = (PRIME_1 + PRIME_2) | 0;
    let lane2 = PRIME_2 | 0;
    let lane3 = 0;
    let lane4 = -PRIME_1 | 0;
    for (; end - i >= 16; i += 16) {
      lane1 = addToLane(lane1, wordAt(bytes, i));
      lane2 = addToLane(lane2, wordAt(bytes, i + 4));
      lane3 = addToLane(lane3, wordAt(bytes, i + 8));
      lane4 = addToLane(lane4, wordAt(bytes, i + 12));
    }
    hash = (rotateLeft(lane1, 1) + rotateLeft(lane2, 7)) | 0;
    hash = (hash + rotateLeft(lane3, 12) + rotateLeft(lane4, 18)) | 0;
  }
  hash = (hash + length) | 0;
  for (; end - i >= 4; i += 4) {
    hash = (hash + Math.imul(wordAt(bytes, i), PRIME_3)) | 0;
    hash = Math.imul(rotateLeft(hash, 17), PRIME_4);
  }
  for (; i < end; i++) {
    hash = (hash + Math.imul(bytes[i]!, PRIME_5)) | 0;
    hash = Math.imul(rotateLeft(hash, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function addToLane(lane: number, word: number): number {
  return Math.imul(rotateLeft((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

/** `xxh64`: the lower 32 bits of XXH64. */
export function xxh64(bytes: Uint8Array, start: number, end: number): number {
  result[0] = Bun.hash.xxHash64(keyView(bytes, start, end));
  return resultWords[0]!;
}

/** `xxh3`: the lower 32 bits of XXH3 with 64 bits. */
export function xxh3(bytes: Uint8Array, start: number, end: number): number {
  result[0] = Bun.hash.xxHash3(keyView(bytes, start, end));
  return resultWords[0]!;
}

/** Splits the BigInt into words without making a second one; the low word comes first. */
const result = new BigUint64Array(1);
const resultWords = new Uint32Array(result.buffer);
