/**
 * Inline commands: a line of words, as typed into telnet, becomes the array that a client library
 * would have sent. Quotes and escapes are those of Redis (sdssplitargs).
 *
 *   SET k "a b\n"   ->   *3 $3 SET $1 k $4 a b<LF>
 *
 * nutcracker closes the connection on these; Redis answers them, and so do we. Not on the hot path.
 */
import { ascii, CR, LF, SPACE, TAB } from "../../lib/bytes.ts";

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;

const ESCAPES = new Map(
  [
    ["n", "\n"],
    ["r", "\r"],
    ["t", "\t"],
    ["b", "\b"],
    ["a", "\x07"],
  ].map(([letter, text]) => [ascii(letter!)[0]!, ascii(text!)[0]!]),
);

function isBlank(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CR);
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number | undefined): number {
  const value = byte === undefined ? NaN : parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
}

/**
 * Splits a line into words.
 * @param line without its line end
 * @returns null if a quote is not closed, or is followed by something else than a blank
 */
export function splitInline(line: Uint8Array): Buffer[] | null {
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isBlank(line[at]!)) at++;
    if (at >= line.length) return words;
    const word: number[] = [];
    while (at < line.length && !isBlank(line[at]!)) {
      const byte = line[at]!;
      if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
        word.push(byte);
        at++;
        continue;
      }
      at = byte === DOUBLE_QUOTE ? readDouble(line, at + 1, word) : readSingle(line, at + 1, word);
      if (at < 0 || (at < line.length && !isBlank(line[at]!))) return null;
    }
    words.push(Buffer.from(word));
  }
}

/** Reads up to the closing double quote; returns the index behind it, or -1. */
function readDouble(line: Uint8Array, at: number, word: number[]): number {
  for (; at < line.length; at++) {
    const byte = line[at]!;
    if (byte === DOUBLE_QUOTE) return at + 1;
    if (byte !== BACKSLASH || at + 1 >= line.length) {
      word.push(byte);
      continue;
    }
    const high = hexDigit(line[at + 2]);
    const low = hexDigit(line[at + 3]);
    if (line[at + 1] === 0x78 && high >= 0 && low >= 0) {
      word.push(high * 16 + low);
      at += 3;
    } else {
      at++;
      word.push(ESCAPES.get(line[at]!) ?? line[at]!);
    }
  }
  return -1;
}

/** Reads up to the closing single quote; returns the index behind it, or -1. */
function readSingle(line: Uint8Array, at: number, word: number[]): number {
  for (; at < line.length; at++) {
    const byte = line[at]!;
    if (byte === SINGLE_QUOTE) return at + 1;
    if (byte === BACKSLASH && line[at + 1] === SINGLE_QUOTE) at++;
    word.push(line[at]!);
  }
  return -1;
}

/** The words as an array of bulk strings. */
export function encodeCommand(words: readonly Uint8Array[]): Buffer {
  const pieces: Uint8Array[] = [ascii(`*${words.length}\r\n`)];
  for (const word of words) pieces.push(ascii(`$${word.length}\r\n`), word, LINE_END);
  return Buffer.concat(pieces);
}

const LINE_END = Buffer.of(CR, LF);
