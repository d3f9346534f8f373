/**
 * Readers of streams as the specifications have them: obvious, slow, and with all bytes at hand.
 *
 * They share no code with src/protocol, only its tables and limits. The stream is latin1 text, so
 * that one letter is one byte.
 */
import { ParseStatus } from "../../src/protocol/protocol.ts";
import { ensure } from "./fuzzer.ts";
import type { Message } from "./readings.ts";
import { shown, statusName } from "./readings.ts";

/** Hopeless: no more bytes could make a message of it. Whether that is noticed yet is open. */
export const HOPELESS = 9;

export interface Found {
  readonly status: ParseStatus | typeof HOPELESS;
  /** After the message. */
  readonly end: number;
  readonly marks: readonly number[];
}

export const INCOMPLETE: Found = { status: ParseStatus.Incomplete, end: -1, marks: [] };
export const INVALID: Found = { status: ParseStatus.Invalid, end: -1, marks: [] };
export const DOOMED: Found = { status: HOPELESS, end: -1, marks: [] };

/** Reads the message that begins at `at`. */
export type ReadOne = (text: string, at: number) => Found;

/** Compares what a parser has read of a stream with the reference. */
export function compareWithReference(stream: Buffer, read: readonly Message[], one: ReadOne): void {
  const text = stream.toString("latin1");
  let at = 0;
  for (const [index, message] of read.entries()) {
    const found = one(text, at);
    const isAgreed = isSame(message, found, at);
    ensure(isAgreed, () => {
      const { status, end, marks } = found;
      const name = status === HOPELESS ? "Invalid or Incomplete" : statusName(status);
      const size = end < 0 ? "" : ` ${end - at}`;
      const expected = `${name}${size} (${marks.slice(0, 24).join(" ")})`;
      return `message ${index} at ${at} is ${expected}\n  but it reads ${shown([message])}`;
    });
    at += message.sizeBytes;
  }
  const isOver = at === stream.length || read.at(-1)?.status === ParseStatus.Invalid;
  ensure(isOver, () => `stops at ${at} of ${stream.length}`);
}

function isSame(message: Message, found: Found, at: number): boolean {
  const { status, sizeBytes, marks } = message;
  if (found.status === HOPELESS) {
    return status === ParseStatus.Invalid || status === ParseStatus.Incomplete;
  }
  if (status !== found.status) return false;
  if (found.end < 0) return true;
  if (sizeBytes !== found.end - at || marks.length !== found.marks.length) return false;
  return marks.every((mark, i) => mark === found.marks[i]);
}

/** A line up to CR LF from `at`: its text, where the next one begins; null if there is no CR. */
export function lineAt(text: string, at: number): { line: string; end: number } | Found {
  const cr = text.indexOf("\r", at);
  if (cr < 0) return INCOMPLETE;
  if (cr + 1 === text.length) return INCOMPLETE;
  return text[cr + 1] === "\n" ? { line: text.slice(at, cr), end: cr + 2 } : INVALID;
}

/** CR LF at `at`; null if it is there. */
export function lineEndAt(text: string, at: number): Found | null {
  const next = text.slice(at, at + 2);
  if (next === "\r\n") return null;
  return next === "" || next === "\r" ? INCOMPLETE : INVALID;
}
