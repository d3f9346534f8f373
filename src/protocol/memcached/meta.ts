/**
 * What is special about the meta commands: quiet replies, and keys in base64.
 *
 *   mg key v q   ->  forwarded as `mg key v`, so that each request has its reply; one that
 *                    memcached would have kept to itself is not shown to the client
 *
 * Which replies q hides was read off memcached 1.6.18: a miss of mg, success of ms, md and ma.
 */
import type { Request } from "../request.ts";
import { Quiet } from "./commands.ts";

/** The flags q, b, N and M, and two modes in lower case. */
export const FLAG_QUIET = 0x71;
export const FLAG_BASE64 = 0x62;
export const FLAG_VIVIFY = 0x4e;
export const FLAG_MODE = 0x4d;
export const MODE_APPEND = 0x61;
export const MODE_PREPEND = 0x70;
/** As memcached: the command, the key and the flags, in words. */
export const META_WORDS_MAX = 19;

/** The codes that each kind of quiet hides. */
const HIDDEN_CODES: Record<Quiet, readonly string[]> = {
  [Quiet.None]: [],
  [Quiet.Get]: ["EN"],
  [Quiet.Set]: ["HD"],
  [Quiet.Delete]: ["HD"],
  [Quiet.Arithmetic]: ["HD", "VA"],
};

function codeOf(first: number, second: number): number {
  return (first << 8) | second;
}

const HIDDEN = Object.values(HIDDEN_CODES).map((codes) =>
  codes.map((code) => codeOf(code.charCodeAt(0), code.charCodeAt(1))),
);

/** True if a client that asked to be quiet is not to see the reply. */
export function hidesReply(request: Request): boolean {
  if (request.failure !== null) return false;
  const { replyBytes, replyStart, replyChain } = request;
  let bytes = replyBytes;
  let start = replyStart;
  if (replyChain !== null) {
    replyChain.copyOut(0, 2, firstBytes, 0);
    bytes = firstBytes;
    start = 0;
  }
  return HIDDEN[request.replyFilter]!.includes(codeOf(bytes[start]!, bytes[start + 1]!));
}

const firstBytes = Buffer.alloc(2);

/** The value of each base64 digit; -1 for any other byte, which memcached skips. */
const DIGIT_VALUES = new Int8Array(256).fill(-1);
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (let i = 0; i < DIGITS.length; i++) DIGIT_VALUES[DIGITS.charCodeAt(i)] = i;
const PADDING = 0x3d;

/**
 * Decodes a key in base64, at most 250 bytes of it.
 * @returns bytes that are overwritten by the next call
 */
export function decodeKey(bytes: Buffer, start: number, end: number): Buffer {
  let size = 0;
  let bits = 0;
  let held = 0;
  for (let i = start; i < end && bytes[i] !== PADDING; i++) {
    const value = DIGIT_VALUES[bytes[i]!]!;
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    decoded[size++] = held >> bits;
  }
  return decoded.subarray(0, size);
}

const decoded = Buffer.allocUnsafeSlow(256);
