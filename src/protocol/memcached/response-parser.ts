/**
 * Finds where a reply of a memcached server ends.
 *
 *   Line -> complete                                     STORED, END, ERROR ..., HD ..., 42
 *        -> Block -> BlockEnd -> complete                VA <size> ...
 *        -> Block -> BlockEnd -> Line -> ...             VALUE <key> <flags> <size> ..., up to END
 *
 * The kind of a reply is told by its first word; what was asked plays no part. A reply is passed
 * through as it came, so nothing is kept but the place, and the line if it is cut. Broken framing
 * is Invalid: the caller then closes the connection, since nobody can tell where the next reply
 * starts.
 */
import { ascii, CASE_BIT, CR, DIGIT_0, DIGIT_9, equalBytes, LF, SPACE } from "../../lib/bytes.ts";
import { CommandTable } from "../command-table.ts";
import { ParseStatus, type ResponseParser } from "../protocol.ts";

/** Far beyond any line of memcached. */
export const REPLY_LINE_BYTES_MAX = 64 * 1024;
/** Beyond memcached's largest -I. */
export const REPLY_BLOCK_BYTES_MAX = 2 ** 31 - 1;
const SIZE_DIGITS_MAX = 10;
const SCRATCH_BYTES = 512;

const State = { Line: 0, Block: 1, BlockEnd: 2 } as const;
type State = (typeof State)[keyof typeof State];

/** What a line is, by its first word. */
const Kind = { Line: 0, Error: 1, End: 2, Value: 3, MetaValue: 4 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

interface KindRow {
  readonly name: string;
  readonly kind: Kind;
}

function kinds(kind: Kind, names: string): KindRow[] {
  return names.split(" ").map((name) => ({ name, kind }));
}

const KINDS = new CommandTable([
  ...kinds(Kind.Line, "STORED NOT_STORED EXISTS NOT_FOUND DELETED TOUCHED OK VERSION RESET"),
  // Return codes of the meta commands.
  ...kinds(Kind.Line, "HD EN NF NS EX ME MN"),
  ...kinds(Kind.Error, "ERROR CLIENT_ERROR SERVER_ERROR"),
  ...kinds(Kind.End, "END"),
  ...kinds(Kind.Value, "VALUE"),
  ...kinds(Kind.MetaValue, "VA"),
]);

/** Index of the word that is the size: VALUE key flags size, VA size. */
const VALUE_SIZE_AT = 3;
const META_SIZE_AT = 1;

const VALUE_START = ascii("VALUE ");
const END_LINE = ascii("END\r\n");

/**
 * Where a reply ends that is one value, all of it there: nearly every one, and twice as fast as
 * step by step.
 * @returns index after the reply, or -1 for anything else
 */
function wholeValueEnd(bytes: Buffer, start: number, end: number): number {
  let at = start + VALUE_START.length;
  if (!equalBytes(bytes, start, at, VALUE_START, 0, VALUE_START.length)) return -1;
  while (at < end && bytes[at]! > SPACE) at++;
  if (bytes[at++] !== SPACE) return -1;
  while (at < end && bytes[at]! > SPACE) at++;
  if (bytes[at++] !== SPACE) return -1;
  const sizeStart = at;
  let size = 0;
  for (; at < end && isDigit(bytes[at]!); at++) size = size * 10 + bytes[at]! - DIGIT_0;
  const digits = at - sizeStart;
  // Behind the size CR LF, behind the value CR LF "END" CR LF.
  const tail = at + 2 + size;
  const replyEnd = tail + 2 + END_LINE.length;
  if (replyEnd > end || digits === 0 || digits > SIZE_DIGITS_MAX) return -1;
  if (at + 2 - start > REPLY_LINE_BYTES_MAX) return -1;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
  if (bytes[tail] !== CR || bytes[tail + 1] !== LF) return -1;
  return equalBytes(bytes, tail + 2, replyEnd, END_LINE, 0, END_LINE.length) ? replyEnd : -1;
}

export class MemcachedResponseParser implements ResponseParser {
  status: ParseStatus = ParseStatus.Incomplete;
  isError = false;
  readonly isPush = false;

  private state: State = State.Line;
  /** A VALUE has come: more of them may follow, and END must. */
  private isInValues = false;
  /** The block is the end of the reply. */
  private isLast = false;
  /** Bytes of the block still to come, then those of its line end. */
  private left = 0;
  /** What has come of a line that is cut. */
  private scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  private kept = 0;

  reset(): void {
    this.state = State.Line;
    this.isInValues = false;
    this.kept = 0;
  }

  parse(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.state === State.Line && this.kept === 0 && !this.isInValues) {
      at = wholeValueEnd(bytes, start, end);
      if (at >= 0) {
        this.isError = false;
        this.status = ParseStatus.Complete;
        return at;
      }
      at = start;
    }
    this.status = ParseStatus.Incomplete;
    while (at < end && this.status === ParseStatus.Incomplete) {
      at =
        this.state === State.Line
          ? this.readLine(bytes, at, end)
          : this.state === State.Block
            ? this.skipBlock(at, end)
            : this.readBlockEnd(bytes, at);
    }
    return at;
  }

  private readLine(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && bytes[at] !== LF) at++;
    const isWhole = at < end;
    if (isWhole) at++;
    if (this.kept + at - start > REPLY_LINE_BYTES_MAX) return this.invalid(at);
    if (this.kept === 0 && isWhole) {
      this.endLine(bytes, start, at);
      return at;
    }
    this.keep(bytes, start, at);
    if (isWhole) {
      const size = this.kept;
      this.kept = 0;
      this.endLine(this.scratch, 0, size);
    }
    return at;
  }

  private keep(bytes: Buffer, start: number, end: number): void {
    const size = this.kept + end - start;
    if (size > this.scratch.length) {
      const scratch = Buffer.allocUnsafeSlow(size * 2);
      this.scratch.copy(scratch, 0, 0, this.kept);
      this.scratch = scratch;
    }
    bytes.copy(this.scratch, this.kept, start, end);
    this.kept = size;
  }

  /** Decides by the line in [start, end) what comes next. */
  private endLine(line: Buffer, start: number, end: number): void {
    const lineEnd = end - 2;
    if (lineEnd <= start || line[lineEnd] !== CR) {
      this.status = ParseStatus.Invalid;
      return;
    }
    let wordEnd = start;
    while (line[wordEnd]! > SPACE) wordEnd++;
    switch (kindOf(line, start, wordEnd)) {
      case Kind.Value:
        this.isInValues = true;
        this.isLast = false;
        this.beginBlock(line, wordEnd, lineEnd, VALUE_SIZE_AT);
        return;
      case Kind.MetaValue:
        this.isLast = true;
        this.beginBlock(line, wordEnd, lineEnd, META_SIZE_AT);
        return;
      case Kind.End:
        this.complete(false);
        return;
      case Kind.Error:
        this.complete(true);
        return;
      case Kind.Line:
        this.complete(false, this.isInValues);
        return;
      default:
        this.status = ParseStatus.Invalid;
    }
  }

  /** @param isOutOfPlace the line cannot stand where it stands */
  private complete(isError: boolean, isOutOfPlace = false): void {
    this.isError = isError;
    this.status = isOutOfPlace ? ParseStatus.Invalid : ParseStatus.Complete;
    this.isInValues = false;
  }

  /** Reads the size out of word `sizeAt`. @param at where the first word ended */
  private beginBlock(line: Buffer, at: number, lineEnd: number, sizeAt: number): void {
    for (let word = 1; word < sizeAt; word++) {
      at++;
      while (at < lineEnd && line[at] !== SPACE) at++;
    }
    const start = ++at;
    let size = 0;
    for (; at < lineEnd && isDigit(line[at]!); at++) size = size * 10 + line[at]! - DIGIT_0;
    const digits = at - start;
    const isNumber =
      digits > 0 && digits <= SIZE_DIGITS_MAX && (at === lineEnd || line[at] === SPACE);
    if (!isNumber || size > REPLY_BLOCK_BYTES_MAX || (this.isLast && this.isInValues)) {
      this.status = ParseStatus.Invalid;
      return;
    }
    this.left = size;
    this.state = State.Block;
  }

  private skipBlock(at: number, end: number): number {
    const count = Math.min(this.left, end - at);
    this.left -= count;
    if (this.left > 0) return at + count;
    this.state = State.BlockEnd;
    this.left = 2;
    return at + count;
  }

  private readBlockEnd(bytes: Buffer, at: number): number {
    if (bytes[at] !== (this.left === 2 ? CR : LF)) return this.invalid(at + 1);
    if (--this.left > 0) return at + 1;
    this.state = State.Line;
    if (this.isLast) this.complete(false);
    return at + 1;
  }

  private invalid(at: number): number {
    this.status = ParseStatus.Invalid;
    return at;
  }
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

/**
 * The kind of the line whose first word is [start, end), or -1. A number is a line. Servers write
 * capitals and underscores, none of which has the bit that tells small letters from capitals.
 */
function kindOf(line: Buffer, start: number, end: number): Kind | -1 {
  const row = KINDS.find(line, start, end - start);
  if (row !== null) {
    for (let i = start; i < end; i++) if ((line[i]! & CASE_BIT) !== 0) return -1;
    return row.kind;
  }
  if (start === end) return -1;
  for (let i = start; i < end; i++) if (!isDigit(line[i]!)) return -1;
  return Kind.Line;
}
