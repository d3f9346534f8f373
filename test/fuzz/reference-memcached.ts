/**
 * The references for memcached: requests, line and block, and replies.
 *
 * Numbers that are not plain are numbers.ts's business, which is taken from src/protocol.
 */
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import type { CommandRow } from "../../src/protocol/memcached/commands.ts";
import { COMMANDS, KEYS_MAX, Quiet } from "../../src/protocol/memcached/commands.ts";
import { META_WORDS_MAX } from "../../src/protocol/memcached/meta.ts";
import { canonicalNumber, NumberKind } from "../../src/protocol/memcached/numbers.ts";
import {
  FORWARDED_LINE_BYTES_MAX,
  KEY_BYTES_MAX,
  LINE_BYTES_MAX,
  VALUE_BYTES_MAX,
} from "../../src/protocol/memcached/request-line.ts";
import {
  REPLY_BLOCK_BYTES_MAX,
  REPLY_LINE_BYTES_MAX,
} from "../../src/protocol/memcached/response-parser.ts";
import type { Found } from "./reference.ts";
import { INCOMPLETE, INVALID } from "./reference.ts";

/** Marks tell at most so many keys. */
export const KEYS_TOLD = 40;

const ROWS = new Map(COMMANDS.map((row) => [row.name, row]));

interface Word {
  readonly text: string;
  /** From the start of the line. */
  readonly offset: number;
}

/** What a line asks for. Negative `blockSize`: no block follows. */
interface Line {
  readonly row: CommandRow | undefined;
  readonly words: readonly Word[];
  isRefused: boolean;
  isSilent: boolean;
  isBroken: boolean;
  blockSize: number;
  filter: number;
}

export function readMemcachedRequest(text: string, at: number): Found {
  if (/^\x80[\x00-\x09\x0b-\x49]\x00/.test(text.slice(at, at + 3))) return INVALID;
  const lf = text.indexOf("\n", at);
  if (lf < 0) {
    const isTooLong = text.length - at >= LINE_BYTES_MAX && !beginsKeys(text.slice(at));
    return isTooLong ? INVALID : INCOMPLETE;
  }
  const line = readLine(text.slice(at, lf + 1));
  if (line.isBroken) return INVALID;
  if (line.blockSize < 0) return complete(line, lf + 1);
  const blockEnd = lf + 1 + line.blockSize;
  if (blockEnd + 2 > text.length) return INCOMPLETE;
  if (text.slice(blockEnd, blockEnd + 2) !== "\r\n") line.isRefused = true;
  return complete(line, blockEnd + 2);
}

function beginsKeys(line: string): boolean {
  const [start, word] = /^ *([^\x00-\x20]*)/.exec(line)!;
  return start.length <= LINE_BYTES_MAX && ROWS.get(word!)?.route === Route.Keys;
}

function complete(line: Line, end: number): Found {
  const { row, words, isRefused, isSilent, filter } = line;
  const route = isRefused || row === undefined ? Route.Refuse : row.route;
  if (isSilent && (route === Route.Refuse || route === Route.Local)) {
    return { status: ParseStatus.Nothing, end, marks: [] };
  }
  const marks: number[] = [route, isSilent ? 1 : 0];
  if (route === Route.Refuse) return { status: ParseStatus.Complete, end, marks };
  marks.push(filter);
  if (route === Route.Key || route === Route.Keys) {
    const last = route === Route.Keys ? words.length : 2;
    const keys = words.slice(row!.firstKey, last);
    marks.push(keys.length);
    for (const key of keys.slice(0, KEYS_TOLD)) marks.push(key.offset, key.text.length);
  }
  return { status: ParseStatus.Complete, end, marks };
}

/** @param text with its LF */
function readLine(text: string): Line {
  const body = text.replace(/(?<=[^])\r?\n$|\n$/, "");
  const words = [...body.matchAll(/[^ ]+/g)].map((match) => ({
    text: match[0],
    offset: match.index,
  }));
  const row = ROWS.get(words[0]?.text ?? "");
  const line: Line = {
    row,
    words,
    isRefused: false,
    isSilent: false,
    isBroken: false,
    blockSize: -1,
    filter: Quiet.None,
  };
  const isKeys = row?.route === Route.Keys;
  const commandEnd = words.length === 0 ? 0 : words[0]!.offset + words[0]!.text.length;
  const mayBeLong = isKeys && commandEnd <= LINE_BYTES_MAX;
  if (text.length > LINE_BYTES_MAX && !mayBeLong) line.isBroken = true;
  else if (row === undefined) {
    line.isBroken = words.length > 1 && words.at(-1)!.text.startsWith("HTTP/");
    line.isRefused = true;
  } else if (body.includes("\0") || row.route === Route.Refuse) line.isRefused = true;
  else if (words.length < row.wordsMin || words.length > row.wordsMax) line.isRefused = true;
  else if (isKeys) readKeys(line, row, text.length);
  else {
    if (row.flagsAt > 0) readMeta(line, row);
    else readPlain(line, row);
    if (text.length > FORWARDED_LINE_BYTES_MAX) line.isRefused = true;
  }
  return line;
}

function readKeys(line: Line, row: CommandRow, sizeBytes: number): void {
  const keys = line.words.slice(row.firstKey);
  if (keys.length > KEYS_MAX) line.isBroken = true;
  const isTouch = row.firstKey > 1;
  const exptime = isTouch ? line.words[1]!.text : "0";
  line.isRefused =
    (isTouch && (keys.length === 0 || exptime.length > 20 || !isNumber(exptime))) ||
    keys.some((key) => key.text.length > KEY_BYTES_MAX) ||
    (keys.length === 1 && sizeBytes > FORWARDED_LINE_BYTES_MAX);
}

function isNumber(text: string): boolean {
  return canonicalNumber(NumberKind.Exptime, text) !== null;
}

function readPlain(line: Line, row: CommandRow): void {
  const { words } = line;
  const isNoreply = (index: number) =>
    row.noreplyFrom > 0 && index >= row.noreplyFrom && words[index]!.text === "noreply";
  const last = words.length - 1;
  line.isSilent = isNoreply(last);
  const hasOneMore = row.sizeAt > 0 && words.length === row.wordsMax;
  const operands = line.isSilent || hasOneMore ? last : words.length;
  const isMisplaced = line.isSilent && (operands < row.wordsMin || isNoreply(operands - 1));
  const isKeyed = row.route === Route.Key;
  if (isMisplaced || (isKeyed && words[1]!.text.length > KEY_BYTES_MAX)) line.isRefused = true;
  else if (row.sizeAt > 0) {
    const kinds = [NumberKind.Flags, NumberKind.Exptime, NumberKind.Size, NumberKind.Unique];
    const numbers = words
      .slice(2, operands)
      .map((word, i) => canonicalNumber(kinds[i]!, word.text));
    line.isRefused = numbers.includes(null);
    readBlockSize(line, numbers[row.sizeAt - 2]!);
  }
}

/** A block is read only if the line is in order. */
function readBlockSize(line: Line, size: string | null): void {
  if (line.isRefused || size === null) return;
  line.blockSize = Number(size);
  line.isBroken = line.blockSize > VALUE_BYTES_MAX;
}

function readMeta(line: Line, row: CommandRow): void {
  const { words } = line;
  if (words.length < row.flagsAt || words[1]!.text.length > KEY_BYTES_MAX) {
    line.isRefused = true;
    return;
  }
  if (row.name === "me") return;
  if (words.length > META_WORDS_MAX) {
    line.isRefused = true;
    return;
  }
  if (row.sizeAt > 0) {
    const size = canonicalNumber(NumberKind.Size, words[row.sizeAt]!.text);
    line.isRefused = size === null;
    readBlockSize(line, size);
  }
  const flags = words.slice(row.flagsAt).map((word) => word.text);
  const count = (letter: string) => flags.filter((flag) => flag.startsWith(letter)).length;
  if (count("q") > 1) line.isRefused = true;
  if (count("q") > 0) line.filter = row.quiet;
  const isMadeAnew = row.name === "ma" || count("N") > 0 || flags.some((f) => /^M[aApP]/.test(f));
  if (count("b") > 0 && isMadeAnew && decode(words[1]!.text).includes("\n")) line.isRefused = true;
}

/** Base64 up to the padding, with other bytes passed over; whole bytes only. */
function decode(text: string): string {
  const bits = [...text.replace(/=[^]*/, "").replace(/[^A-Za-z0-9+/]/g, "")]
    .map((letter) => BASE64.indexOf(letter).toString(2).padStart(6, "0"))
    .join("");
  return (bits.match(/.{8}/g) ?? []).map((byte) => String.fromCharCode(parseInt(byte, 2))).join("");
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const LINES =
  "STORED NOT_STORED EXISTS NOT_FOUND DELETED TOUCHED OK VERSION RESET HD EN NF NS EX ME MN";
const REPLY_KINDS = new Map<string, "line" | "error" | "end" | "value" | "meta value">([
  ...LINES.split(" ").map((name) => [name, "line"] as const),
  ["ERROR", "error"],
  ["CLIENT_ERROR", "error"],
  ["SERVER_ERROR", "error"],
  ["END", "end"],
  ["VALUE", "value"],
  ["VA", "meta value"],
]);

export function readMemcachedReply(text: string, start: number): Found {
  let at = start;
  for (let isFirst = true; ; isFirst = false) {
    const lf = text.indexOf("\n", at);
    const end = lf < 0 ? text.length : lf + 1;
    if (end - at > REPLY_LINE_BYTES_MAX) return INVALID;
    if (lf < 0) return INCOMPLETE;
    const line = /^([^]+)\r\n$/.exec(text.slice(at, end))?.[1];
    if (line === undefined) return INVALID;
    const word = /^[^\x00-\x20]*/.exec(line)![0];
    const kind = REPLY_KINDS.get(word) ?? (/^\d+$/.test(word) ? "line" : undefined);
    const isBlock = kind === "value" || kind === "meta value";
    if (kind === undefined || (!isFirst && (kind === "line" || kind === "meta value"))) {
      return INVALID;
    }
    if (!isBlock) return { status: ParseStatus.Complete, end, marks: [kind === "error" ? 1 : 0] };
    const size = line.slice(word.length + 1).split(" ")[kind === "value" ? 2 : 0] ?? "";
    if (!/^\d{1,10}$/.test(size) || Number(size) > REPLY_BLOCK_BYTES_MAX) return INVALID;
    at = end + Number(size) + 2;
    const lineEnd = text.slice(end + Number(size), at);
    if (lineEnd === "" || lineEnd === "\r") return INCOMPLETE;
    if (lineEnd !== "\r\n") return INVALID;
    if (kind === "meta value") return { status: ParseStatus.Complete, end: at, marks: [0] };
    if (at === text.length) return INCOMPLETE;
  }
}
