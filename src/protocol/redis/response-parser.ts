/**
 * Finds where a reply of a Redis server ends: RESP2, and the types of RESP3.
 *
 *   Type -> Line                                   + - : , ( # _     one line
 *        -> Length -> LengthLf -> Body -> CR LF    $ ! =             a string; $-1 is null
 *                              -> (elements)       * ~ > %  |        so many more elements
 *
 * `pending` counts the elements still to come, whatever they are inside of. When it falls to the
 * top of `ends`, an aggregate is over: so the depth is known, and limited.
 * A push, which no request asked for, is Nothing.
 * A reply is passed through as it came, so nothing is kept but the place. Broken framing is
 * Invalid: the caller then closes the connection, as nobody can tell where the next reply starts.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { CR, DIGIT_0, DOLLAR, LF, MINUS, PLUS, STAR } from "../../lib/bytes.ts";
import { ParseStatus, type ResponseParser } from "../protocol.ts";
import { UNDERSCORE, valueEnd } from "./value-end.ts";

/** A line (status, error, number) longer than this is no reply. */
export const LINE_BYTES_MAX = 64 * 1024;
/** A server may be told to allow more than the 512 MB of proto-max-bulk-len. */
export const REPLY_BULK_BYTES_MAX = 2 ** 31 - 1;
/** Elements of one reply, all levels together. */
export const ELEMENTS_MAX = 2 ** 31 - 1;
/**
 * Aggregates within aggregates. Any client can have 7,995 of them by an EVAL whose table holds
 * itself: that is where Lua's stack ends, and it must not cost others their connection.
 */
export const DEPTH_MAX = 8192;
const DEPTH_FIRST = 8;
const LENGTH_DIGITS_MAX = 10;

const BLOB_ERROR = 0x21;
const PUSH = 0x3e;

const State = {
  Type: 0,
  Line: 1,
  LineLf: 2,
  Length: 3,
  LengthLf: 4,
  Body: 5,
  BodyCr: 6,
  BodyLf: 7,
} as const;
type State = (typeof State)[keyof typeof State];

/** What follows the first byte of an element. */
const Kind = { None: 0, Line: 1, Number: 2, Bulk: 3, Array: 4, Pairs: 5, Attribute: 6 } as const;

const KIND_OF_BYTE = new Uint8Array(256);
const KINDS: readonly (readonly [string, number])[] = [
  ["+-,(#_", Kind.Line],
  [":", Kind.Number],
  ["$!=", Kind.Bulk],
  ["*~>", Kind.Array],
  ["%", Kind.Pairs],
  ["|", Kind.Attribute],
];
for (const [types, kind] of KINDS) {
  for (const type of types) KIND_OF_BYTE[type.charCodeAt(0)] = kind;
}

/**
 * Where a reply ends that is one string, one line or an array of strings, all of it there: nearly
 * every one, and several times faster than step by step (bench/micro/response-parser.bench.ts).
 * @returns index after the reply, or -1 for anything else
 */
function wholeReplyEnd(bytes: Buffer, start: number, end: number): number {
  const type = bytes[start]!;
  if (type === DOLLAR || type === UNDERSCORE) return valueEnd(bytes, start, end);
  if (type === STAR) return wholeArrayEnd(bytes, start, end);
  if (type !== PLUS && type !== MINUS) return -1;
  let at = start + 1;
  const lineMax = Math.min(end - 1, start + LINE_BYTES_MAX);
  while (at < lineMax && bytes[at] !== CR) at++;
  return at < lineMax && bytes[at + 1] === LF ? at + 2 : -1;
}

/** The same for an array of at least one string or null. */
function wholeArrayEnd(bytes: Buffer, start: number, end: number): number {
  let at = start + 1;
  let count = 0;
  for (; at < end && at - start < LENGTH_DIGITS_MAX; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) break;
    count = count * 10 + digit;
  }
  if (count === 0 || at + 2 > end || bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
  for (at += 2; count > 0 && at >= 0; count--) at = at < end ? valueEnd(bytes, at, end) : -1;
  return at;
}

export class RedisResponseParser implements ResponseParser {
  status: ParseStatus = ParseStatus.Incomplete;
  isError = false;
  isPush = false;

  private state: State = State.Type;
  private kind: number = Kind.None;
  /** Elements still to come; 1 before the first byte of a reply. */
  private pending = 1;
  /** `pending` at the end of each aggregate that is not over. Most replies have none. */
  private ends: Int32Array | null = null;
  private depth = 0;
  private isFirst = true;
  private isNegative = false;
  private length = 0;
  private digits = 0;
  /** Bytes of a body still to come, or of a line already read. */
  private count = 0;

  reset(): void {
    this.state = State.Type;
    this.pending = 1;
    this.depth = 0;
    this.isFirst = true;
  }

  parse(bytes: Buffer, start: number, end: number): number {
    if (this.isFirst) {
      const at = wholeReplyEnd(bytes, start, end);
      if (at >= 0) {
        this.isError = bytes[start] === MINUS;
        this.status = ParseStatus.Complete;
        return at;
      }
    }
    return this.parseStepwise(bytes, start, end);
  }

  /** Reads on from wherever the bytes were cut. */
  private parseStepwise(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      switch (this.state) {
        case State.Type:
          if (!this.beginElement(bytes[at++]!)) return this.invalid(at);
          break;
        case State.Line:
          at = this.skipLine(bytes, at, end);
          break;
        case State.Length:
          at = this.readLength(bytes, at, end);
          break;
        case State.Body: {
          const count = Math.min(this.count, end - at);
          at += count;
          this.count -= count;
          if (this.count === 0) this.state = State.BodyCr;
          break;
        }
        case State.BodyCr:
          if (bytes[at++] !== CR) return this.invalid(at);
          this.state = State.BodyLf;
          break;
        default:
          if (bytes[at++] !== LF) return this.invalid(at);
          if (this.state === State.LengthLf) this.endLength();
          else this.endElement();
      }
      if (this.pending === 0) return this.complete(at);
      if (this.pending < 0) return this.invalid(at);
    }
    this.status = ParseStatus.Incomplete;
    return at;
  }

  private complete(at: number): number {
    this.status = this.isPush ? ParseStatus.Nothing : ParseStatus.Complete;
    this.pending = 1;
    this.depth = 0;
    this.isFirst = true;
    return at;
  }

  private invalid(at: number): number {
    this.status = ParseStatus.Invalid;
    return at;
  }

  /** @returns false if no element starts with this byte */
  private beginElement(type: number): boolean {
    const kind = KIND_OF_BYTE[type]!;
    if (this.isFirst) {
      this.isError = type === MINUS || type === BLOB_ERROR;
      this.isPush = type === PUSH;
      this.isFirst = false;
    }
    this.kind = kind;
    this.count = 0;
    this.length = 0;
    this.digits = 0;
    this.isNegative = false;
    this.state = kind <= Kind.Line ? State.Line : State.Length;
    return kind !== Kind.None;
  }

  private skipLine(bytes: Buffer, at: number, end: number): number {
    const start = at;
    while (at < end && bytes[at] !== CR) at++;
    this.count += at - start;
    if (this.count > LINE_BYTES_MAX) this.pending = -1;
    if (at === end) return at;
    this.state = State.LineLf;
    return at + 1;
  }

  /** Reads a number up to its CR: the length of a string, a count, or an integer. */
  private readLength(bytes: Buffer, at: number, end: number): number {
    let { length, digits } = this;
    if (digits === 0 && (bytes[at] === MINUS || bytes[at] === PLUS) && !this.isNegative) {
      if (bytes[at] === PLUS && this.kind !== Kind.Number) this.pending = -1;
      this.isNegative = true;
      at++;
    }
    while (at < end) {
      const digit = bytes[at]! - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
      digits++;
      at++;
    }
    this.length = length;
    this.digits = digits;
    if (digits > LENGTH_DIGITS_MAX && this.kind !== Kind.Number) this.pending = -1;
    if (digits > LINE_BYTES_MAX) this.pending = -1;
    if (at === end) return at;
    if (bytes[at] !== CR || digits === 0) this.pending = -1;
    this.state = this.kind === Kind.Number ? State.LineLf : State.LengthLf;
    return at + 1;
  }

  private endLength(): void {
    const { length, kind } = this;
    if (this.isNegative) {
      // Only the null string and the null array have a negative length.
      if (length !== 1 || kind > Kind.Array) this.pending = -1;
      else this.endElement();
      return;
    }
    if (kind === Kind.Bulk) {
      if (length > REPLY_BULK_BYTES_MAX) this.pending = -1;
      this.count = length;
      this.state = length === 0 ? State.BodyCr : State.Body;
      return;
    }
    // An attribute stands before an element and is none itself.
    const rest = this.pending - (kind === Kind.Attribute ? 0 : 1);
    this.pending = rest + (kind === Kind.Array ? length : 2 * length);
    if (this.pending > ELEMENTS_MAX) this.pending = -1;
    else if (length > 0) this.beginAggregate(rest);
    else this.endAggregates();
    this.state = State.Type;
  }

  private endElement(): void {
    this.pending--;
    this.endAggregates();
    this.state = State.Type;
  }

  /** @param rest elements that are still to come when it is over */
  private beginAggregate(rest: number): void {
    if (this.depth === DEPTH_MAX) {
      this.pending = -1;
      return;
    }
    this.ends ??= new Int32Array(DEPTH_FIRST);
    if (this.depth === this.ends.length) {
      const ends = new Int32Array(this.depth * 2);
      ends.set(this.ends);
      this.ends = ends;
    }
    this.ends[this.depth++] = rest;
  }

  private endAggregates(): void {
    while (this.depth > 0 && this.ends![this.depth - 1] === this.pending) this.depth--;
  }
}
