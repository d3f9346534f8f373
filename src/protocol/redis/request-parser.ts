/**
 * Reads requests as Redis clients send them: arrays of bulk strings, and inline commands.
 *
 *   Mark -> Length -> LengthLf -> Body -> BodyCr -> BodyLf
 *    '*' count CR LF, then per argument:                |
 *    '$' length CR LF bytes CR LF  <--------------------+
 *
 * Bodies are skipped, not stepped through; of the arguments only those places are noted that
 * routing needs. The parser keeps its place between calls, so bytes may be cut anywhere.
 * Lengths must be written the one normal way, because a request is forwarded as it came: leading
 * zeros, signs and missing digits are refused, as Redis itself does (nutcracker forwards them and
 * loses the shared server connection). `*0` and `*-1` are nothing, as in Redis.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { CR, decimalLength, DIGIT_0, DOLLAR, LF, MINUS, STAR } from "../../lib/bytes.ts";
import { ParseStatus, type RequestParser, Route } from "../protocol.ts";
import type { CommandRow } from "./command-row.ts";
import { Local, UNKNOWN_COMMAND } from "./command-row.ts";
import { COMMAND_TABLE } from "./commands.ts";
import { FramingError } from "./framing-error.ts";
import { encodeCommand, splitInline } from "./inline.ts";
import { refuseLongKeys } from "./key-limit.ts";
import { Refusal } from "./refusal.ts";

/** As Redis: proto-max-bulk-len. */
export const BULK_BYTES_MAX = 512 * 1024 * 1024;
/** As Redis: arguments of one request. */
export const ARGUMENTS_MAX = 1024 * 1024;
/** As Redis: one inline command. */
export const INLINE_BYTES_MAX = 64 * 1024;
/** One request as a whole; places in it are 32-bit numbers. */
export const REQUEST_BYTES_MAX = 2 ** 31 - 1;
/** Longer names are unknown whatever they are; so much is kept to look one up. */
const NAME_BYTES_MAX = 64;
/** Room for places of arguments that is kept after a request with many. */
const SPANS_KEPT = 8192;
const LENGTH_DIGITS_MAX = 10;

/** The number that `lengthEnd` read. */
let lengthRead = 0;

/** Reads "<digits>\r\n" at `at`. @returns index behind it, or -1 if not all of that is there */
function lengthEnd(bytes: Buffer, at: number, end: number): number {
  const start = at;
  let length = 0;
  while (at < end) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
    at++;
  }
  if (at + 2 > end || bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
  const digits = at - start;
  // One digit is always well-formed; more of them are rare enough for the exact check.
  if (digits !== 1 && (digits > LENGTH_DIGITS_MAX || digits !== decimalLength(length))) return -1;
  lengthRead = length;
  return length > BULK_BYTES_MAX ? -1 : at + 2;
}

const State = {
  Mark: 0,
  Length: 1,
  LengthLf: 2,
  Body: 3,
  BodyCr: 4,
  BodyLf: 5,
  Inline: 6,
} as const;
type State = (typeof State)[keyof typeof State];

const ALLOWED_BEFORE_AUTH = new Set<Local>([Local.Auth, Local.Hello, Local.Quit, Local.Reset]);

/** First words by which a browser gives itself away, in a cross-protocol attack. */
const HTTP_WORDS = ["post", "host:"];

export class RedisRequestParser implements RequestParser {
  status: ParseStatus = ParseStatus.Incomplete;
  command: CommandRow = UNKNOWN_COMMAND;
  refusal: Refusal = Refusal.None;
  /** The error reply's words if `refusal` is Keys: the request does not tell them. */
  keysRefusal = "";
  error: FramingError = FramingError.None;
  /** The byte in place of which something else was expected. */
  errorByte = 0;
  argumentCount = 0;
  rewritten: Buffer = Buffer.alloc(0);
  readonly isSilent = false;
  readonly isReworded = false;
  readonly replyFilter = 0;
  readonly decodedKey = null;
  readonly fragmentKeysMax = Infinity;
  /** Offset and length of argument i at 2i and 2i + 1, for i up to markLast of the command. */
  spans = new Int32Array(16);

  get keptBytes(): number {
    return this.spans.byteLength;
  }

  private state: State = State.Mark;
  /** The argument being read; -1 = the array's count. */
  private index = -1;
  private markLast = 0;
  /** The argument whose bytes are looked at: the name, then perhaps the count of keys. */
  private captureAt = 0;
  private length = 0;
  private digits = 0;
  /** Bytes of the body still to come. */
  private left = 0;
  private isNegative = false;
  /** True if the argument that counts the keys of a script says at least one. */
  private hasKeys = false;
  /** Bytes of the message that earlier calls read. */
  private consumed = 0;
  private scratch = Buffer.allocUnsafeSlow(NAME_BYTES_MAX);

  get route(): Route {
    return this.refusal === Refusal.None ? this.command.route : Route.Refuse;
  }

  get keyCount(): number {
    if (this.command.route !== Route.Keys) return 1;
    return (this.argumentCount - this.command.firstKey) / this.command.keyStep;
  }

  get isAllowedBeforeAuth(): boolean {
    return ALLOWED_BEFORE_AUTH.has(this.command.local);
  }

  keyOffset(index: number): number {
    return this.spans[2 * (this.command.firstKey + index * this.command.keyStep)]!;
  }

  keyLength(index: number): number {
    return this.spans[2 * (this.command.firstKey + index * this.command.keyStep) + 1]!;
  }

  reset(): void {
    this.state = State.Mark;
    this.index = -1;
    this.markLast = 0;
    this.captureAt = 0;
    this.isNegative = false;
    this.consumed = 0;
    if (this.spans.length > SPANS_KEPT) this.spans = new Int32Array(16);
    if (this.scratch.length > NAME_BYTES_MAX) {
      this.scratch = Buffer.allocUnsafeSlow(NAME_BYTES_MAX);
    }
  }

  parse(bytes: Buffer, start: number, end: number): number {
    if (this.state === State.Mark && this.index < 0) {
      const at = this.parseWhole(bytes, start, end);
      if (at >= 0) return this.complete(at);
      this.reset();
    }
    if (this.state === State.Inline) return this.parseInline(bytes, start, end);
    return this.parseStepwise(bytes, start, end);
  }

  /**
   * Reads a request of which all bytes are there: nearly every one, and several times faster than
   * step by step (bench/micro/request-parser.bench.ts).
   * @returns index after the request, or -1 for anything else: then nothing was read
   */
  private parseWhole(bytes: Buffer, start: number, end: number): number {
    if (bytes[start] !== STAR) return -1;
    let at = lengthEnd(bytes, start + 1, end);
    if (at < 0 || lengthRead === 0 || lengthRead > ARGUMENTS_MAX) return -1;
    const count = lengthRead;
    for (let index = 0; index < count; index++) {
      if (at >= end || bytes[at] !== DOLLAR) return -1;
      at = lengthEnd(bytes, at + 1, end);
      const length = lengthRead;
      if (at < 0 || at + length + 2 > end) return -1;
      if (index <= this.markLast) this.mark(index, at - start, length);
      if (index === this.captureAt) this.captured(bytes, at, length, index);
      at += length;
      if (bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
      at += 2;
    }
    this.argumentCount = count;
    return at;
  }

  /** Reads on from wherever the bytes were cut. */
  private parseStepwise(bytes: Buffer, start: number, end: number): number {
    const base = start - this.consumed;
    let at = start;
    this.status = ParseStatus.Incomplete;
    while (at < end) {
      switch (this.state) {
        case State.Mark:
          if (bytes[at] !== (this.index < 0 ? STAR : DOLLAR)) return this.unmarked(bytes, at, end);
          this.beginLength();
          at++;
          break;
        case State.Length:
          at = this.readLength(bytes, at, end);
          break;
        case State.LengthLf:
          if (bytes[at++] !== LF) return this.invalidLength(at);
          this.endLength(at - base);
          break;
        case State.Body:
          at = this.skipBody(bytes, at, end);
          break;
        case State.BodyCr:
          if (bytes[at++] !== CR) return this.invalid(FramingError.ExpectedLineEnd, at);
          this.state = State.BodyLf;
          break;
        default:
          if (bytes[at++] !== LF) return this.invalid(FramingError.ExpectedLineEnd, at);
          this.state = State.Mark;
          if (++this.index === this.argumentCount) return this.complete(at);
      }
      if (this.status !== ParseStatus.Incomplete) return at;
    }
    this.consumed += end - start;
    return at;
  }

  /** A byte stands where '*' or '$' was expected. */
  private unmarked(bytes: Buffer, at: number, end: number): number {
    if (this.index < 0) return this.parseInline(bytes, at, end);
    return this.invalid(FramingError.ExpectedDollar, at, bytes[at]);
  }

  private beginLength(): void {
    this.length = 0;
    this.digits = 0;
    this.isNegative = false;
    this.state = State.Length;
  }

  private readLength(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] === MINUS && this.index < 0 && this.digits === 0 && !this.isNegative) {
      this.isNegative = true;
      return at + 1;
    }
    for (; at < end; at++) {
      const digit = bytes[at]! - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      this.length = this.length * 10 + digit;
      if (++this.digits > LENGTH_DIGITS_MAX) return this.invalidLength(at);
    }
    if (at === end) return at;
    if (bytes[at] !== CR || this.digits !== decimalLength(this.length)) {
      return this.invalidLength(at);
    }
    this.state = State.LengthLf;
    return at + 1;
  }

  /** The count of arguments is known, or the length of one whose body starts at `offset`. */
  private endLength(offset: number): void {
    const { length, index } = this;
    if (index < 0) {
      if (length === 0 || this.isNegative) {
        this.nothing(0);
      } else if (length > ARGUMENTS_MAX) {
        this.invalidLength(0);
      } else {
        this.argumentCount = length;
        this.index = 0;
        this.state = State.Mark;
      }
      return;
    }
    if (length > BULK_BYTES_MAX) this.invalidLength(0);
    else if (offset + length > REQUEST_BYTES_MAX) this.invalid(FramingError.TooLarge, 0);
    if (index <= this.markLast) this.mark(index, offset, length);
    this.left = length;
    this.state = State.Body;
  }

  private skipBody(bytes: Buffer, at: number, end: number): number {
    if (this.index === this.captureAt) this.capture(bytes, at, end);
    const count = Math.min(this.left, end - at);
    this.left -= count;
    if (this.left === 0) this.state = State.BodyCr;
    return at + count;
  }

  private complete(at: number): number {
    const { command, argumentCount } = this;
    this.refusal = Refusal.None;
    if (command.route === Route.Refuse) this.refusal = Refusal.Command;
    else if (
      argumentCount < command.argumentsMin ||
      argumentCount > command.argumentsMax ||
      (command.keyStep > 1 &&
        command.lastKey < 0 &&
        (argumentCount - command.firstKey) % command.keyStep !== 0)
    ) {
      this.refusal = Refusal.ArgumentCount;
    } else if (command.keyCountAt > 0 && !this.hasKeys) this.refusal = Refusal.NoKeys;
    else refuseLongKeys(this);
    this.status = ParseStatus.Complete;
    this.state = State.Mark;
    this.index = -1;
    this.markLast = 0;
    this.captureAt = 0;
    this.consumed = 0;
    return at;
  }

  private nothing(at: number): number {
    this.reset();
    this.status = ParseStatus.Nothing;
    return at;
  }

  private invalid(error: FramingError, at: number, byte = 0): number {
    this.error = error;
    this.errorByte = byte;
    this.status = ParseStatus.Invalid;
    return at;
  }

  private invalidLength(at: number): number {
    return this.invalid(this.index < 0 ? FramingError.ArrayLength : FramingError.BulkLength, at);
  }

  private mark(index: number, offset: number, length: number): void {
    const at = 2 * index;
    if (at >= this.spans.length) {
      const spans = new Int32Array(this.spans.length * 2);
      spans.set(this.spans);
      this.spans = spans;
    }
    this.spans[at] = offset;
    this.spans[at + 1] = length;
  }

  /** Collects the bytes of an argument whose contents matter, until they are all there. */
  private capture(bytes: Buffer, at: number, end: number): void {
    const { left, length } = this;
    const offset = length - left;
    const count = Math.min(left, end - at);
    for (let i = 0; i < count && offset + i < NAME_BYTES_MAX; i++) {
      this.scratch[offset + i] = bytes[at + i]!;
    }
    // A name that was cut off is longer than any in the table, and is not found by its length.
    if (count === left) this.captured(this.scratch, 0, length, this.index);
  }

  private captured(bytes: Buffer, start: number, length: number, index: number): void {
    if (index > 0) {
      this.hasKeys = length > 0 && length <= LENGTH_DIGITS_MAX;
      let value = 0;
      for (let i = 0; i < length && this.hasKeys; i++) {
        const digit = bytes[start + i]! - DIGIT_0;
        if (digit < 0 || digit > 9) this.hasKeys = false;
        value = value * 10 + digit;
      }
      if (value === 0) this.hasKeys = false;
      this.captureAt = 0;
      return;
    }
    this.command = COMMAND_TABLE.find(bytes, start, length) ?? UNKNOWN_COMMAND;
    this.markLast = this.command.markLast;
    this.captureAt = this.command.keyCountAt;
  }

  private parseInline(bytes: Buffer, start: number, end: number): number {
    const kept = this.state === State.Inline ? this.consumed : 0;
    const lineEnd = bytes.indexOf(LF, start);
    const at = lineEnd < 0 || lineEnd >= end ? end : lineEnd + 1;
    const size = kept + at - start;
    if (size > INLINE_BYTES_MAX) return this.invalid(FramingError.InlineTooLong, at);
    if (this.scratch.length < size) {
      const scratch = Buffer.allocUnsafeSlow(Math.min(INLINE_BYTES_MAX, size * 2));
      this.scratch.copy(scratch, 0, 0, kept);
      this.scratch = scratch;
    }
    bytes.copy(this.scratch, kept, start, at);
    if (at === end && bytes[at - 1] !== LF) {
      this.state = State.Inline;
      this.consumed = size;
      this.status = ParseStatus.Incomplete;
      return at;
    }
    return this.completeInline(this.scratch.subarray(0, size - 1), at);
  }

  private completeInline(line: Buffer, at: number): number {
    const words = splitInline(line);
    if (words === null) return this.invalid(FramingError.UnbalancedQuotes, at);
    if (words.length === 0) return this.nothing(at);
    if (HTTP_WORDS.includes(words[0]!.toString("latin1").toLowerCase())) {
      return this.invalid(FramingError.HttpRequest, at);
    }
    this.rewritten = encodeCommand(words);
    this.reset();
    this.status = ParseStatus.Rewritten;
    return at;
  }
}
