/**
 * The replies of fragments -> the one reply of the request: an array in the order of the keys, a
 * sum, or one +OK.
 *
 *   *2 $1 A $1 C   (server 0)    +
 *   *1 $1 B        (server 1)    =   *3 $1 A $1 B $1 C
 *
 * If any fragment failed the whole reply is one error: the server's own words if it answered with
 * an error, otherwise nutcracker's. A reply of a kind that nobody asked for is an error, too; it
 * must never shift what the client reads next.
 */
import type { ByteChain } from "../../lib/byte-chain.ts";
import {
  COLON,
  CR,
  DIGIT_0,
  DOLLAR,
  LF,
  MINUS,
  PLUS,
  STAR,
  writeDecimal,
} from "../../lib/bytes.ts";
import type { MessageBytes } from "../../lib/message-bytes.ts";
import {
  appendConstant,
  appendError,
  firstError,
  fragmentView,
  releaseViews,
  viewAt,
} from "../fragment-replies.ts";
import type { SplitRequest } from "../split-request.ts";
import { CoalesceAs } from "./command-row.ts";
import { failureReply, INVALID_ARGUMENT, OK } from "./replies.ts";
import { UNDERSCORE, valueEnd } from "./value-end.ts";

/** Room for a type byte, 20 digits and CR LF. */
const NUMBER_LINE_BYTES_MAX = 32;
/** A bulk length or a sum beyond this is no number of ours. */
const NUMBER_MAX = 2 ** 53;

/** Room for the ends of so many values is kept. */
const VALUES_KEPT = 4096;

/** Where the next value of each fragment's reply starts, and its place in `ends`. */
let starts = new Float64Array(16);
let places = new Int32Array(16);
/** Where each value ends in its fragment's reply: fragment by fragment, as keys are grouped. */
const keptEnds = new Float64Array(VALUES_KEPT);

/** @returns false if the reply is an error that the proxy made */
export function coalesce(request: SplitRequest, target: ByteChain): boolean {
  const isAnswered = append(request, target);
  releaseViews();
  return isAnswered;
}

function append(request: SplitRequest, target: ByteChain): boolean {
  const error = firstError(request, isErrorReply);
  if (error !== null) return appendError(error, failureReply, target);
  open(request);
  const isAnswered =
    request.coalesceAs === CoalesceAs.Values
      ? coalesceValues(request, target)
      : request.coalesceAs === CoalesceAs.Sum
        ? coalesceSum(request, target)
        : coalesceOk(request, target);
  return isAnswered || appendConstant(INVALID_ARGUMENT, target);
}

function isErrorReply(reply: MessageBytes): boolean {
  return reply.byteAt(0) === MINUS;
}

function open(request: SplitRequest): void {
  const count = request.fragments.length;
  if (starts.length < count) {
    starts = new Float64Array(count * 2);
    places = new Int32Array(count * 2);
  }
  for (let i = 0; i < count; i++) fragmentView(i, request.fragments[i]!);
}

/** The number on the line just read by `readNumber`, and where the next line starts. */
let number = 0;
let lineEnd = 0;

/** Reads "<type><digits>\r\n" at `at`. @returns false if that is not there */
function readNumber(view: MessageBytes, at: number, type: number): boolean {
  if (view.byteAt(at++) !== type) return false;
  const isNegative = view.byteAt(at) === MINUS;
  if (isNegative) at++;
  const start = at;
  number = 0;
  for (;;) {
    const digit = view.byteAt(at) - DIGIT_0;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
    at++;
  }
  if (at === start || number > NUMBER_MAX) return false;
  if (view.byteAt(at) !== CR || view.byteAt(at + 1) !== LF) return false;
  if (isNegative) number = -number;
  lineEnd = at + 2;
  return true;
}

function coalesceValues(request: SplitRequest, target: ByteChain): boolean {
  const { keyCount, fragmentOfKey, groupStart } = request;
  const ends = keyCount <= VALUES_KEPT ? keptEnds : new Float64Array(keyCount);
  for (let i = 0; i < request.fragments.length; i++) {
    const first = groupStart[i]!;
    const last = groupStart[i + 1]!;
    if (!readNumber(viewAt(i), 0, STAR) || number !== last - first) return false;
    starts[i] = lineEnd;
    places[i] = first;
    if (!findEnds(viewAt(i), lineEnd, ends, first, last)) return false;
  }
  writeNumber(STAR, keyCount, target);
  for (let i = 0; i < keyCount; i++) {
    const fragment = fragmentOfKey[i]!;
    const start = starts[fragment]!;
    let place = places[fragment]!;
    // Neighbours go in one piece, as in writeFragment.
    for (; i + 1 < keyCount && fragmentOfKey[i + 1] === fragment; i++) place++;
    const end = ends[place]!;
    viewAt(fragment).copyRange(start, end - start, target);
    starts[fragment] = end;
    places[fragment] = place + 1;
  }
  return true;
}

/**
 * Notes where the values end that begin at `at` and belong into [first, last) of `ends`. Nothing
 * may be written before it is known that they are all strings or nulls.
 * @returns false if they are not, or if more follows
 */
function findEnds(
  view: MessageBytes,
  at: number,
  ends: Float64Array,
  first: number,
  last: number,
): boolean {
  const { sizeBytes, isOnePiece } = view;
  if (isOnePiece) view.locate(0, sizeBytes);
  const { bytes, start, end } = view;
  for (let place = first; place < last; place++) {
    if (isOnePiece) at = valueEnd(bytes, start + at, end) - start;
    else at = valueEndInChain(view, at);
    if (at < 0) return false;
    ends[place] = at;
  }
  return at === sizeBytes;
}

/** Where the string or null at `at` ends, or -1 if there is none. */
function valueEndInChain(view: MessageBytes, at: number): number {
  if (view.byteAt(at) === UNDERSCORE) {
    return view.byteAt(at + 1) === CR && view.byteAt(at + 2) === LF ? at + 3 : -1;
  }
  if (!readNumber(view, at, DOLLAR)) return -1;
  return number < 0 ? lineEnd : lineEnd + number + 2;
}

function coalesceSum(request: SplitRequest, target: ByteChain): boolean {
  let sum = 0;
  for (let i = 0; i < request.fragments.length; i++) {
    if (!readNumber(viewAt(i), 0, COLON) || number < 0) return false;
    sum += number;
  }
  if (sum > NUMBER_MAX) return false;
  writeNumber(COLON, sum, target);
  return true;
}

function coalesceOk(request: SplitRequest, target: ByteChain): boolean {
  for (let i = 0; i < request.fragments.length; i++) {
    if (viewAt(i).byteAt(0) !== PLUS) return false;
  }
  target.append(OK, 0, OK.length);
  return true;
}

function writeNumber(type: number, value: number, target: ByteChain): void {
  const segment = target.reserve(NUMBER_LINE_BYTES_MAX);
  const bytes = segment.bytes;
  let at = segment.end;
  bytes[at++] = type;
  at = writeDecimal(bytes, at, value);
  bytes[at++] = CR;
  bytes[at++] = LF;
  target.grew(segment, at);
}
