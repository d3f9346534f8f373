/**
 * The reference for Redis requests: arrays of bulk strings, and inline commands.
 */
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import type { CommandRow } from "../../src/protocol/redis/command-row.ts";
import { COMMANDS } from "../../src/protocol/redis/commands.ts";
import { KEY_BYTES_MAX } from "../../src/protocol/redis/key-limit.ts";
import {
  ARGUMENTS_MAX,
  BULK_BYTES_MAX,
  INLINE_BYTES_MAX,
} from "../../src/protocol/redis/request-parser.ts";
import type { Found } from "./reference.ts";
import { DOOMED, INCOMPLETE, INVALID, lineEndAt } from "./reference.ts";

/** A place in the stream: offset from the start of the message, and length. */
export type Span = readonly [number, number];

/** Marks tell at most so many keys. */
export const KEYS_TOLD = 40;

const ROWS = new Map(COMMANDS.map((row) => [folded(row.name), row]));

/** Bytes that differ in the bit of upper and lower case only count as the same. */
function folded(name: string): string {
  return [...name].map((letter) => String.fromCharCode(letter.charCodeAt(0) | 0x20)).join("");
}

export function readRedisRequest(text: string, at: number): Found {
  return text[at] === "*" ? readArray(text, at) : readInline(text, at);
}

/** A number as it is to be written: "", "0" or digits without zeros before them. */
const NUMBER_START = /^-?(0|[1-9]\d{0,9})?\r?$/;

/** "<mark><number>\r\n" at `at`. */
function readNumber(text: string, at: number): { number: string; end: number } | Found {
  const rest = text.slice(at + 1, at + 16);
  const match = /^(-?(?:0|[1-9]\d{0,9}))\r\n/.exec(rest);
  if (match !== null) return { number: match[1]!, end: at + 1 + match[0].length };
  const isAllThere = at + 1 + rest.length === text.length;
  if (isAllThere && NUMBER_START.test(rest) && rest !== "\r" && rest !== "-\r") return INCOMPLETE;
  return isAllThere && /^-?\d{0,10}$/.test(rest) ? DOOMED : INVALID;
}

function readArray(text: string, start: number): Found {
  const head = readNumber(text, start);
  if ("status" in head) return head;
  const count = Number(head.number);
  if (count > ARGUMENTS_MAX) return INVALID;
  if (head.number.startsWith("-") || count === 0) {
    return { status: ParseStatus.Nothing, end: head.end, marks: [] };
  }
  const spans: Span[] = [];
  let at = head.end;
  while (spans.length < count) {
    if (at === text.length) return INCOMPLETE;
    if (text[at] !== "$") return INVALID;
    const length = readNumber(text, at);
    if ("status" in length) return text[at + 1] === "-" ? INVALID : length;
    if (length.number.startsWith("-") || Number(length.number) > BULK_BYTES_MAX) return INVALID;
    spans.push([length.end - start, Number(length.number)]);
    at = length.end + Number(length.number);
    const missing = at >= text.length ? INCOMPLETE : lineEndAt(text, at);
    if (missing !== null) return missing;
    at += 2;
  }
  const name = text.slice(start + spans[0]![0], start + spans[0]![0] + spans[0]![1]);
  const argumentText = (index: number) => {
    const [offset, length] = spans[index]!;
    return text.slice(start + offset, start + offset + length);
  };
  const marks = marksOf(ROWS.get(folded(name.slice(0, 64))), spans, argumentText);
  return { status: ParseStatus.Complete, end: at, marks };
}

/** What a parser is to tell of a request: its route, and where the keys that route it are. */
function marksOf(
  row: CommandRow | undefined,
  spans: readonly Span[],
  argumentText: (index: number) => string,
): number[] {
  const count = spans.length;
  if (row === undefined || !isRouted(row, count, argumentText)) return [Route.Refuse, count];
  if (row.route !== Route.Key && row.route !== Route.Keys) return [row.route, count];
  const step = row.route === Route.Key ? Infinity : row.keyStep;
  const keys = spans.filter((_, i) => i >= row.firstKey && (i - row.firstKey) % step === 0);
  if (keys.some(([, length]) => length > KEY_BYTES_MAX)) return [Route.Refuse, count];
  return [row.route, count, keys.length, ...keys.slice(0, KEYS_TOLD).flat()];
}

function isRouted(row: CommandRow, count: number, text: (index: number) => string): boolean {
  if (row.route === Route.Refuse) return false;
  if (count < row.argumentsMin || count > row.argumentsMax) return false;
  const isPaired = row.keyStep > 1 && row.lastKey < 0;
  if (isPaired && (count - row.firstKey) % row.keyStep !== 0) return false;
  return row.keyCountAt < 0 || /^(?!0+$)\d{1,10}$/.test(text(row.keyCountAt));
}

function readInline(text: string, at: number): Found {
  const lf = text.indexOf("\n", at);
  const end = lf < 0 ? text.length : lf + 1;
  if (end - at > INLINE_BYTES_MAX) return INVALID;
  if (lf < 0) return INCOMPLETE;
  const words = splitWords(text.slice(at, lf));
  if (words === null) return INVALID;
  if (words.length === 0) return { status: ParseStatus.Nothing, end, marks: [] };
  if (/^(?:post|host:)$/i.test(words[0]!)) return INVALID;
  const normal = words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
  const bytes = Buffer.from(`*${words.length}\r\n${normal}`, "latin1");
  return {
    status: ParseStatus.Rewritten,
    end,
    marks: [bytes.length, Bun.hash.crc32(bytes)],
  };
}

const BLANKS = /^[ \t\n\v\f\r]+/;
/** Up to a quote, and in double quotes; a quoted part is the end of its word. */
const PLAIN = /^[^ \t\n\v\f\r"']+/;
const DOUBLE = /^"((?:[^"\\]|\\[^])*)"(?=[ \t\n\v\f\r]|$)/;
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

/** As Redis's sdssplitargs: null if the quotes are not balanced. */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let rest = line;
  for (;;) {
    rest = rest.replace(BLANKS, "");
    if (rest === "") return words;
    let word = "";
    const plain = PLAIN.exec(rest)?.[0] ?? "";
    word += plain;
    rest = rest.slice(plain.length);
    if (rest.startsWith('"')) {
      const quoted = DOUBLE.exec(rest);
      if (quoted === null) return null;
      word += quoted[1]!.replace(/\\(?:x([0-9a-fA-F]{2})|([^]))/g, (_, hex, letter) =>
        hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(parseInt(hex, 16)),
      );
      rest = rest.slice(quoted[0].length);
    } else if (rest.startsWith("'")) {
      const quoted = readSingle(rest);
      if (quoted === null) return null;
      word += quoted.word;
      rest = rest.slice(quoted.size);
    }
    words.push(word);
  }
}

/** A part in single quotes, in which only the quote itself can be escaped. */
function readSingle(rest: string): { word: string; size: number } | null {
  let word = "";
  for (let at = 1; at < rest.length; at++) {
    if (rest.startsWith("\\'", at)) {
      word += "'";
      at++;
    } else if (rest[at] === "'") {
      const isWordEnd = at + 1 === rest.length || BLANKS.test(rest[at + 1]!);
      return isWordEnd ? { word, size: at + 1 } : null;
    } else {
      word += rest[at];
    }
  }
  return null;
}
