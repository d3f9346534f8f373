/**
 * Damages bytes in the ways that hurt readers: bits, lengths, line ends, cuts, repeats, splices.
 *
 *   "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"   ->   "*2\r\n$-3\r\nGET\r$1\r\nk\r\n"
 *
 * Knows no protocol; a `Dictionary` has the words that mean something in one.
 */
import type { SeededRandom } from "../support/seeded-random.ts";

/** Words that a protocol is sensitive to, as latin1 text. */
export type Dictionary = readonly string[];

type Mutation = (random: SeededRandom, bytes: Buffer, words: Dictionary) => Buffer;

const EDGE_BYTES = Buffer.from("\0\r\n \t*$-+:0159\x7f\x80\xff%|>~!", "latin1");

/** Numbers at which readers of numbers break. */
const EDGE_NUMBERS = [
  ...["", "0", "-0", "1", "-1", "-2", "+1", "00", "01", " 1", "1 ", "1.5", "1e3", "0x10", "ten"],
  ...["127", "128", "255", "256", "1024", "16383", "16384", "65535", "65536", "65537"],
  ...["1048575", "1048576", "1048577", "536870911", "536870912", "536870913", "1073741825"],
  ...["2147483645", "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296"],
  ...["4294967297", "9007199254740991", "9007199254740993", "9223372036854775807"],
  ...["-9223372036854775808", "18446744073709551615", "18446744073709551617"],
  "9".repeat(20),
  "9".repeat(310),
  "0".repeat(40),
  `${"0".repeat(30)}7`,
];

const LINE_ENDS = ["\r", "\n", "\n\r", "\r\n\r\n", "\r\r\n", "", " \r\n", "\0\r\n"];

/** One long run in so many is one beyond the limits of lines. */
const LONG_RUN_CHANCE = 0.01;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Puts `inserted` in the place of [start, end). */
export function spliced(bytes: Buffer, start: number, end: number, inserted: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(end)]);
}

/** A place to begin, and one not far behind it. */
function range(random: SeededRandom, bytes: Buffer): [number, number] {
  const start = random.integer(bytes.length + 1);
  const most = random.chance(0.7) ? 8 : bytes.length;
  return [start, Math.min(bytes.length, start + 1 + random.integer(most))];
}

const MUTATIONS: readonly Mutation[] = [
  function flipBit(random, bytes) {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[random.integer(copy.length)]! ^= 1 << random.integer(8);
    return copy;
  },
  function setByte(random, bytes) {
    const copy = Buffer.from(bytes);
    const value = EDGE_BYTES[random.integer(EDGE_BYTES.length)]!;
    if (copy.length > 0) copy[random.integer(copy.length)] = value;
    return copy;
  },
  changeNumber,
  changeNumber,
  changeNumber,
  function changeLineEnd(random, bytes) {
    const at = bytes.indexOf(0x0a, random.integer(bytes.length + 1));
    if (at < 0) return bytes;
    const start = at > 0 && bytes[at - 1] === 0x0d ? at - 1 : at;
    return spliced(bytes, start, at + 1, Buffer.from(random.pick(LINE_ENDS), "latin1"));
  },
  function remove(random, bytes) {
    const [start, end] = range(random, bytes);
    return spliced(bytes, start, end, Buffer.alloc(0));
  },
  function repeat(random, bytes) {
    const [start, end] = range(random, bytes);
    const part = bytes.subarray(start, end);
    return spliced(bytes, end, end, Buffer.concat(Array(random.between(1, 4)).fill(part)));
  },
  function move(random, bytes) {
    const [start, end] = range(random, bytes);
    const to = random.integer(bytes.length + 1);
    return spliced(bytes, to, to, Buffer.from(bytes.subarray(start, end)));
  },
  function truncate(random, bytes) {
    return bytes.subarray(0, random.integer(bytes.length + 1));
  },
  function behead(random, bytes) {
    return bytes.subarray(random.integer(Math.min(bytes.length, 40) + 1));
  },
  function insertWord(random, bytes, words) {
    const at = random.integer(bytes.length + 1);
    return spliced(bytes, at, at, Buffer.from(random.pick(words), "latin1"));
  },
  function insertBytes(random, bytes) {
    const at = random.integer(bytes.length + 1);
    return spliced(bytes, at, at, random.bytes(random.between(1, 6)));
  },
  function insertRun(random, bytes) {
    const at = random.integer(bytes.length + 1);
    const isLong = random.chance(LONG_RUN_CHANCE);
    const size = isLong ? random.between(16_000, 70_000) : random.between(1, 300);
    const value = random.chance(0.5) ? 0x61 : EDGE_BYTES[random.integer(EDGE_BYTES.length)]!;
    return spliced(bytes, at, at, Buffer.alloc(size, value));
  },
  function repeatWord(random, bytes, words) {
    const at = random.integer(bytes.length + 1);
    return spliced(bytes, at, at, Buffer.from(random.pick(words).repeat(random.between(2, 60))));
  },
];

/** Another number in the place of one: near to it, at an edge, or none at all. */
function changeNumber(random: SeededRandom, bytes: Buffer): Buffer {
  let start = random.integer(bytes.length + 1);
  while (start < bytes.length && !isDigit(bytes[start])) start++;
  if (start >= bytes.length) return bytes;
  while (start > 0 && isDigit(bytes[start - 1])) start--;
  let end = start;
  while (isDigit(bytes[end])) end++;
  const number = Number(bytes.toString("latin1", start, Math.min(end, start + 15)));
  const text = random.chance(0.5)
    ? String(number + random.pick([-2, -1, 1, 2, 10]))
    : random.pick(EDGE_NUMBERS);
  return spliced(bytes, start, end, Buffer.from(text, "latin1"));
}

/** Damages the bytes once, or a few times. */
export function mutate(random: SeededRandom, bytes: Buffer, words: Dictionary): Buffer {
  let changed = bytes;
  do changed = random.pick(MUTATIONS)(random, changed, words);
  while (random.chance(0.5));
  return changed;
}
