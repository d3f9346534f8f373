/**
 * Feeds a parser the same bytes in several ways, and compares what it made of them.
 *
 *   whole        one call per message, as when all has come in one read
 *   bytewise     one byte per call
 *   cut          pieces of random sizes
 *
 * Whatever lies before and behind the bytes of a call is made up, so that a parser that reads
 * beyond them gives itself away. The parser is the same one in all runs: only `reset` is between.
 */
import { ParseStatus } from "../../src/protocol/protocol.ts";
import type { SeededRandom } from "../support/seeded-random.ts";

/** As much of a parser as this file needs. */
export interface AnyParser {
  readonly status: ParseStatus;
  parse(bytes: Buffer, start: number, end: number): number;
  reset(): void;
}

/** One message that was read: how it ended, its length, and what else the parser says of it. */
export interface Message {
  readonly status: ParseStatus;
  readonly sizeBytes: number;
  readonly marks: readonly number[];
}

/** Looks at the parser when a message is over. @param start offset of the message in the stream */
export type Look = (start: number, sizeBytes: number) => readonly number[];

const STATUS_NAMES = Object.keys(ParseStatus);

/** What lies behind the bytes of a call: the most tempting thing to read on with. */
const BAITS = ["\r\n", "\n", "0\r\n", "$1\r\nx\r\n", "END\r\n", "\0\0\0\0"].map((text) =>
  Buffer.from(text, "latin1"),
);
const BAIT_BYTES_MAX = 16;

const SCRATCH_BYTES_KEPT = 4096;

/** [ ... piece ][bait]; the bait begins at `scratchEnd`. */
let scratchEnd = SCRATCH_BYTES_KEPT;
let scratch: Buffer = Buffer.alloc(scratchEnd + BAIT_BYTES_MAX);
let bait: Buffer = BAITS[0]!;

/** Reads the stream in pieces; `nextEnd` says where the one that begins at `start` ends. */
function readPieces(
  parser: AnyParser,
  stream: Buffer,
  nextEnd: (start: number) => number,
  look: Look,
): Message[] {
  const messages: Message[] = [];
  let messageStart = 0;
  parser.reset();
  for (let pieceStart = 0; pieceStart < stream.length;) {
    const pieceEnd = nextEnd(pieceStart);
    const offset = placePiece(stream, pieceStart, pieceEnd) - pieceStart;
    for (let at = pieceStart; at < pieceEnd;) {
      const next = parser.parse(scratch, offset + at, offset + pieceEnd) - offset;
      const { status } = parser;
      checkStep(status, at, next, pieceEnd);
      at = next;
      if (status === ParseStatus.Incomplete) continue;
      if (status === ParseStatus.Invalid) {
        // Where broken framing is noticed may hang on the pieces.
        messages.push({ status, sizeBytes: 0, marks: [] });
        return messages;
      }
      const sizeBytes = at - messageStart;
      messages.push({ status, sizeBytes, marks: look(messageStart, sizeBytes) });
      messageStart = at;
    }
    pieceStart = pieceEnd;
  }
  const left = stream.length - messageStart;
  if (left > 0) messages.push({ status: ParseStatus.Incomplete, sizeBytes: left, marks: [] });
  return messages;
}

/** Puts a piece right before the bait. @returns where it begins in `scratch` */
function placePiece(stream: Buffer, start: number, end: number): number {
  const size = end - start;
  if (size > scratchEnd) makeScratch(2 * size);
  const at = scratchEnd - size;
  if (size === 1) scratch[at] = stream[start]!;
  else stream.copy(scratch, at, start, end);
  return at;
}

function makeScratch(sizeBytes: number): void {
  scratchEnd = sizeBytes;
  scratch = Buffer.alloc(scratchEnd + BAIT_BYTES_MAX);
  bait.copy(scratch, scratchEnd);
}

function placeBait(chosen: Buffer): void {
  bait = chosen;
  bait.copy(scratch, scratchEnd);
}

/** What holds for every call: a known status, and progress within the bytes. */
function checkStep(status: ParseStatus, at: number, next: number, end: number): void {
  if (STATUS_NAMES[status] === undefined) throw new Error(`status is ${String(status)}`);
  if (!(next >= at && next <= end)) throw new Error(`from ${at} of ${end} it came to ${next}`);
  if (status === ParseStatus.Invalid) return;
  if (next === at) throw new Error(`stays at ${at} with ${STATUS_NAMES[status]}`);
  if (status === ParseStatus.Incomplete && next < end) {
    throw new Error(`Incomplete at ${next}, with bytes left up to ${end}`);
  }
}

/**
 * Reads the stream in all ways.
 *
 * @param look for a reading in which the message lies whole in the stream
 * @returns the messages, the last of them perhaps incomplete or invalid
 */
export function readInAllWays(
  parser: AnyParser,
  stream: Buffer,
  random: SeededRandom,
  look: Look,
): Message[] {
  placeBait(random.pick(BAITS));
  const whole = readPieces(parser, stream, () => stream.length, look);
  const bytewise = readPieces(parser, stream, (start) => start + 1, look);
  const most = random.pick([2, 5, 20, 100, stream.length]);
  const nextEnd = (start: number) =>
    Math.min(stream.length, start + 1 + random.integer(Math.max(1, most)));
  const cut = readPieces(parser, stream, nextEnd, look);
  if (scratchEnd > SCRATCH_BYTES_KEPT) makeScratch(SCRATCH_BYTES_KEPT);
  compare("bytewise", bytewise, whole);
  compare("cut", cut, whole);
  parser.reset();
  return whole;
}

function compare(way: string, read: readonly Message[], whole: readonly Message[]): void {
  if (read.length === whole.length && read.every((one, i) => isSame(one, whole[i]!))) return;
  throw new Error(`${way} it reads ${shown(read)}\n  but whole ${shown(whole)}`);
}

function isSame(one: Message, other: Message): boolean {
  if (one.status !== other.status || one.sizeBytes !== other.sizeBytes) return false;
  const { marks } = one;
  if (marks.length !== other.marks.length) return false;
  for (let i = 0; i < marks.length; i++) if (marks[i] !== other.marks[i]) return false;
  return true;
}

export function shown(messages: readonly Message[]): string {
  const words = messages.map(({ status, sizeBytes, marks }) => {
    const more = marks.length > 0 ? ` (${marks.slice(0, 24).join(" ")})` : "";
    return `${STATUS_NAMES[status]} ${sizeBytes}${more}`;
  });
  return words.join(", ");
}

export function statusName(status: ParseStatus): string {
  return STATUS_NAMES[status] ?? String(status);
}
