/**
 * lookup3 by Bob Jenkins (burtleburtle.net/bob/c/lookup3.c), the function hashlittle, initval 13.
 *
 * The names a, b, c and the rotations are the paper's. All but the last 1 to 12 bytes go through
 * twelve at a time. Twin: nc_jenkins.c.
 */
import { paddedWordAt, rotateLeft, wordAt } from "./words.ts";

const INITIAL = (0xdeadbeef + 13) | 0;

/** `jenkins`: any length; the empty key is not mixed at all. */
export function jenkins(bytes: Uint8Array, start: number, end: number): number {
  let a = (INITIAL + (end - start)) | 0;
  let b = a;
  let c = a;
  if (start === end) {
    return c >>> 0;
  }
  let i = start;
  for (; end - i > 12; i += 12) {
    a = (a + wordAt(bytes, i)) | 0;
    b = (b + wordAt(bytes, i + 4)) | 0;
    c = (c + wordAt(bytes, i + 8)) | 0;
    a = (a - c) ^ rotateLeft(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotateLeft(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotateLeft(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotateLeft(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotateLeft(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotateLeft(b, 4);
    b = (b + a) | 0;
  }
  a = (a + paddedWordAt(bytes, i, end)) | 0;
  b = (b + paddedWordAt(bytes, i + 4, end)) | 0;
  c = (c + paddedWordAt(bytes, i + 8, end)) | 0;
  return finalMix(a, b, c) >>> 0;
}

function finalMix(firstWord: number, secondWord: number, thirdWord: number): number {
  let a = firstWord;
  let b = secondWord;
  let c = thirdWord;
  c = ((c ^ b) - rotateLeft(b, 14)) | 0;
  a = ((a ^ c) - rotateLeft(c, 11)) | 0;
  b = ((b ^ a) - rotateLeft(a, 25)) | 0;
  c = ((c ^ b) - rotateLeft(b, 16)) | 0;
  a = ((a ^ c) - rotateLeft(c, 4)) | 0;
  b = ((b ^ a) - rotateLeft(a, 14)) | 0;
  return ((c ^ b) - rotateLeft(b, 24)) | 0;
}
