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

/** Room for a type byte, 20 digits and CR LF. */
const NUMBER_LINE_BYTES_MAX = 32;
const UNDERSCORE = 0x5f;
/** A bulk length or a sum beyond this is no number of ours. */
const NUMBER_MAX = 2 ** 53;

/** Where reading each fragment's reply has come to. */
let cursors = new Float64Array(16);

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
  if (cursors.length < count) cursors = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    fragmentView(i, request.fragments[i]!);
    // A second one reads ahead, so that the first need not go back to the start of a chain.
    fragmentView(count + i, request.fragments[i]!);
    cursors[i] = 0;
  }
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
  for (let i = 0; i < request.fragments.length; i++) {
    const keys = request.groupStart[i + 1]! - request.groupStart[i]!;
    if (!readNumber(viewAt(i), 0, STAR) || number !== keys) return false;
    cursors[i] = lineEnd;
    if (!holdsValues(viewAt(i), lineEnd, keys)) return false;
  }
  writeNumber(STAR, request.keyCount, target);
  const { keyCount, fragmentOfKey } = request;
  const count = request.fragments.length;
  for (let i = 0; i < keyCount; i++) {
    const fragment = fragmentOfKey[i]!;
    const ahead = viewAt(count + fragment);
    const start = cursors[fragment]!;
    let end = valueEnd(ahead, start);
    // Neighbours go in one piece, as in writeFragment.
    for (; i + 1 < keyCount && fragmentOfKey[i + 1] === fragment; i++) end = valueEnd(ahead, end);
    viewAt(fragment).copyRange(start, end - start, target);
    cursors[fragment] = end;
  }
  return true;
}

/** True if `count` strings or nulls follow; nothing may be written before that is known. */
function holdsValues(view: MessageBytes, at: number, count: number): boolean {
  for (let i = 0; i < count; i++) {
    at = valueEnd(view, at);
    if (at < 0) return false;
  }
  return at === view.sizeBytes;
}

/** Where the string or null at `at` ends, or -1 if there is none. */
function valueEnd(view: MessageBytes, at: number): number {
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
