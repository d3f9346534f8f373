/**
 * The replies of fragments -> the one reply of the request: the values in the order of the keys and
 * one END, or one OK.
 *
 *   VALUE a, VALUE c, END   (server 0)     +
 *   VALUE b, END            (server 1)     =   VALUE a, VALUE b, VALUE c, END
 *
 * For each key comes the next value of its server, as in nutcracker; if keys are missing, values of
 * different servers may change places. If any fragment failed the whole reply is one error: the
 * server's own words if it answered with an error, otherwise nutcracker's. A reply of a kind that
 * nobody asked for is an error, too; it must never shift what the client reads next.
 */
import type { ByteChain } from "../../lib/byte-chain.ts";
import { ascii, CR, DIGIT_0, LF, SPACE } from "../../lib/bytes.ts";
import type { MessageBytes } from "../../lib/message-bytes.ts";
import {
  appendConstant,
  appendError,
  firstError,
  fragmentView,
  releaseViews,
  viewAt,
} from "../fragment-replies.ts";
import type { Request } from "../request.ts";
import type { SplitRequest } from "../split-request.ts";
import { CoalesceAs, Quiet } from "./commands.ts";
import { hidesReply } from "./meta.ts";
import { END, failureReply, INVALID_ARGUMENT, OK } from "./replies.ts";

const MISS = ascii("EN");
const VALUE = ascii("VALUE ");
const ERROR_STARTS = [ascii("ERROR"), ascii("CLIENT_ERROR"), ascii("SERVER_ERROR")];

/** Room for places of values that is kept after a reply with many. */
const VALUES_KEPT = 8192;

/** Where each value of all fragments ends, one fragment after the other. */
let valueEnds = new Float64Array(64);
let valueCount = 0;
/** By fragment: its next value in `valueEnds` and where that begins, and the end of its values. */
let nextValue = new Int32Array(16);
let nextStart = new Float64Array(16);
let lastValue = new Int32Array(16);

/** @returns false if the reply is an error that the proxy made */
export function coalesce(request: SplitRequest, target: ByteChain): boolean {
  const isAnswered = append(request, target);
  releaseViews();
  if (valueEnds.length > VALUES_KEPT) valueEnds = new Float64Array(64);
  return isAnswered;
}

function append(request: SplitRequest, target: ByteChain): boolean {
  const error = firstError(request, isErrorReply);
  if (error !== null) return appendError(error, failureReply, target);
  let isAnswered: boolean;
  // A request for every server has no keys.
  if (request.keyCount === 0) isAnswered = coalesceOk(request, target);
  else if (request.coalesceAs === CoalesceAs.Values) isAnswered = coalesceValues(request, target);
  else isAnswered = coalesceProbed(request, target);
  return isAnswered || appendConstant(INVALID_ARGUMENT, target);
}

function isErrorReply(reply: MessageBytes): boolean {
  for (const start of ERROR_STARTS) if (startsWith(reply, 0, start)) return true;
  return false;
}

function startsWith(view: MessageBytes, at: number, bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) if (view.byteAt(at + i) !== bytes[i]) return false;
  return true;
}

function coalesceValues(request: SplitRequest, target: ByteChain): boolean {
  const count = request.fragments.length;
  if (nextValue.length < count) {
    nextValue = new Int32Array(count * 2);
    nextStart = new Float64Array(count * 2);
    lastValue = new Int32Array(count * 2);
  }
  valueCount = 0;
  for (let i = 0; i < count; i++) {
    nextValue[i] = valueCount;
    nextStart[i] = 0;
    if (!findValues(fragmentView(i, request.fragments[i]!))) return false;
    lastValue[i] = valueCount;
  }
  for (let i = 0; i < request.keyCount; i++) {
    const fragment = request.fragmentOfKey[i]!;
    const value = nextValue[fragment]!;
    if (value === lastValue[fragment]!) continue;
    const start = nextStart[fragment]!;
    const end = valueEnds[value]!;
    viewAt(fragment).copyRange(start, end - start, target);
    nextStart[fragment] = end;
    nextValue[fragment] = value + 1;
  }
  target.append(END, 0, END.length);
  return true;
}

/**
 * Notes where the values of a reply end. @returns false if it is anything else than values and END
 */
function findValues(view: MessageBytes): boolean {
  let at = 0;
  while (startsWith(view, at, VALUE)) {
    at = valueEnd(view, at + VALUE.length);
    if (at < 0) return false;
    if (valueCount === valueEnds.length) {
      const ends = new Float64Array(valueCount * 2);
      ends.set(valueEnds);
      valueEnds = ends;
    }
    valueEnds[valueCount++] = at;
  }
  return startsWith(view, at, END) && at + END.length === view.sizeBytes;
}

/** Where the value ends whose line goes on at `at` with its key, or -1. */
function valueEnd(view: MessageBytes, at: number): number {
  for (let words = 0; words < 2; at++) {
    const byte = view.byteAt(at);
    if (byte === SPACE) words++;
    else if (byte === LF || byte < 0) return -1;
  }
  let size = 0;
  for (; view.byteAt(at) >= DIGIT_0; at++) size = size * 10 + view.byteAt(at) - DIGIT_0;
  // gets has one more word.
  while (view.byteAt(at) !== LF) if (at++ === view.sizeBytes) return -1;
  const end = at + 1 + size;
  return view.byteAt(end) === CR && view.byteAt(end + 1) === LF ? end + 2 : -1;
}

/** Writes nothing at all if the reply is one that the client is not to see. */
function coalesceProbed(request: SplitRequest, target: ByteChain): boolean {
  const [probe, fragment] = request.fragments as [Request, Request];
  const wasMissing = startsWith(fragmentView(0, probe), 0, MISS);
  fragment.replyFilter = Quiet.Arithmetic;
  if (wasMissing || !hidesReply(fragment)) fragmentView(1, fragment).moveTo(target);
  return true;
}

function coalesceOk(request: SplitRequest, target: ByteChain): boolean {
  for (const fragment of request.fragments) {
    if (!startsWith(fragmentView(0, fragment), 0, OK)) return false;
  }
  target.append(OK, 0, OK.length);
  return true;
}
