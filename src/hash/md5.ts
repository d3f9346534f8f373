/**
 * MD5 (RFC 1321), for the hash `md5` and for the points of a ketama ring.
 *
 * Both want the digest as its four little-endian words and never as text. Bun's own MD5 is native
 * but takes no range of a buffer; this one reads the key where it lies. Not for anything that has
 * to withstand an attacker. Twin: nc_md5.c.
 */
import { rotateLeft, wordAt } from "./words.ts";

const BLOCK_BYTES = 64;
/** Where the length of the message in bits stands in the last block. */
const LENGTH_OFFSET = 56;

/** RFC 1321, 3.4: the integer part of 2^32 times abs(sin(i)), i in radians from 1. */
const SINES = Int32Array.from({ length: 64 }, (_, i) =>
  Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32),
);

// One hash runs at a time and none waits in the middle, so these are shared.
const digest = new Uint32Array(4);
const words = new Int32Array(16);
const lastBlocks = new Uint8Array(2 * BLOCK_BYTES);

/** `md5`: the first four bytes of the digest, as a little-endian number. */
export function md5(bytes: Uint8Array, start: number, end: number): number {
  md5Digest(bytes, start, end, digest);
  return digest[0]!;
}

/**
 * Writes the digest of a byte range as four little-endian words.
 *
 * @param into receives words 0 to 3; bytes 4k to 4k+3 of the usual digest are word k
 */
export function md5Digest(bytes: Uint8Array, start: number, end: number, into: Uint32Array): void {
  into[0] = 0x67452301;
  into[1] = 0xefcdab89;
  into[2] = 0x98badcfe;
  into[3] = 0x10325476;
  let i = start;
  for (; end - i >= BLOCK_BYTES; i += BLOCK_BYTES) {
    addBlock(bytes, i, into);
  }
  const length = end - start;
  const rest = end - i;
  const paddedBytes = rest < LENGTH_OFFSET ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  lastBlocks.fill(0, rest, paddedBytes);
  for (let at = 0; at < rest; at++) {
    lastBlocks[at] = bytes[i + at]!;
  }
  lastBlocks[rest] = 0x80;
  const bitsLow = length << 3;
  const bitsHigh = length >>> 29;
  for (let at = 0; at < 4; at++) {
    lastBlocks[paddedBytes - 8 + at] = bitsLow >>> (8 * at);
    lastBlocks[paddedBytes - 4 + at] = bitsHigh >>> (8 * at);
  }
  for (let at = 0; at < paddedBytes; at += BLOCK_BYTES) {
    addBlock(lastBlocks, at, into);
  }
}

/** Four rounds of sixteen steps; `step` is written out because each round picks its own words. */
function addBlock(bytes: Uint8Array, start: number, state: Uint32Array): void {
  for (let i = 0; i < 16; i++) {
    words[i] = wordAt(bytes, start + 4 * i);
  }
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  for (let i = 0; i < 16; i += 4) {
    a = step(a, b, d ^ (b & (c ^ d)), i, words[i]!, 7);
    d = step(d, a, c ^ (a & (b ^ c)), i + 1, words[i + 1]!, 12);
    c = step(c, d, b ^ (d & (a ^ b)), i + 2, words[i + 2]!, 17);
    b = step(b, c, a ^ (c & (d ^ a)), i + 3, words[i + 3]!, 22);
  }
  for (let i = 16; i < 32; i += 4) {
    a = step(a, b, c ^ (d & (b ^ c)), i, words[(5 * i + 1) & 15]!, 5);
    d = step(d, a, b ^ (c & (a ^ b)), i + 1, words[(5 * i + 6) & 15]!, 9);
    c = step(c, d, a ^ (b & (d ^ a)), i + 2, words[(5 * i + 11) & 15]!, 14);
    b = step(b, c, d ^ (a & (c ^ d)), i + 3, words[(5 * i + 16) & 15]!, 20);
  }
  for (let i = 32; i < 48; i += 4) {
    a = step(a, b, b ^ c ^ d, i, words[(3 * i + 5) & 15]!, 4);
    d = step(d, a, a ^ b ^ c, i + 1, words[(3 * i + 8) & 15]!, 11);
    c = step(c, d, d ^ a ^ b, i + 2, words[(3 * i + 11) & 15]!, 16);
    b = step(b, c, c ^ d ^ a, i + 3, words[(3 * i + 14) & 15]!, 23);
  }
  for (let i = 48; i < 64; i += 4) {
    a = step(a, b, c ^ (b | ~d), i, words[(7 * i) & 15]!, 6);
    d = step(d, a, b ^ (a | ~c), i + 1, words[(7 * i + 7) & 15]!, 10);
    c = step(c, d, a ^ (d | ~b), i + 2, words[(7 * i + 14) & 15]!, 15);
    b = step(b, c, d ^ (c | ~a), i + 3, words[(7 * i + 21) & 15]!, 21);
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
}

/** One step: `mixed` is the round's function of the other three words, `i` counts 0 to 63. */
function step(a: number, b: number, mixed: number, i: number, word: number, shift: number): number {
  return (b + rotateLeft((a + mixed + word + SINES[i]!) | 0, shift)) | 0;
}
