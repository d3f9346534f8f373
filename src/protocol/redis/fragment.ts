/**
 * MGET, MSET, DEL, UNLINK, TOUCH, EXISTS of many keys -> one request per server.
 *
 *   MGET a b c   ->   *3 $4 mget $1 a $1 c     (server 0)
 *                     *2 $4 mget $1 b          (server 1)
 *
 * The text of a fragment is canonical, with nutcracker's lower case names. Arguments are copied as
 * they came, with their lengths: the parser accepts only the one normal way of writing those.
 */
import type { ByteChain } from "../../lib/byte-chain.ts";
import { CR, decimalLength, DOLLAR, LF, STAR, writeDecimal } from "../../lib/bytes.ts";
import type { MessageBytes } from "../../lib/message-bytes.ts";
import type { SplitRequest } from "../split-request.ts";
import type { RedisRequestParser } from "./request-parser.ts";

/** Room for "*1048576\r\n$6\r\nunlink\r\n" and any other head of a fragment. */
const HEAD_BYTES_MAX = 64;

export function writeFragment(
  parser: RedisRequestParser,
  message: MessageBytes,
  request: SplitRequest,
  group: number,
  target: ByteChain,
): void {
  const { command, spans } = parser;
  const { keyStep, firstKey } = command;
  const start = request.groupStart[group]!;
  const end = request.groupStart[group + 1]!;
  request.coalesceAs = command.coalesceAs;
  writeHead(command.fragmentName, 1 + (end - start) * keyStep, target);
  const { keyOrder } = request;
  for (let i = start; i < end; i++) {
    const first = firstKey + keyOrder[i]! * keyStep;
    // Neighbours go in one piece: every other key, with two servers (bench/micro/data-plane).
    while (i + 1 < end && keyOrder[i + 1] === keyOrder[i]! + 1) i++;
    const last = firstKey + (keyOrder[i]! + 1) * keyStep - 1;
    // From the '$' of the first argument to the line end of the last.
    const from = spans[2 * first]! - 3 - decimalLength(spans[2 * first + 1]!);
    const to = spans[2 * last]! + spans[2 * last + 1]! + 2;
    message.copyRange(from, to - from, target);
  }
}

function writeHead(name: string, argumentCount: number, target: ByteChain): void {
  const segment = target.reserve(HEAD_BYTES_MAX);
  const bytes = segment.bytes;
  let at = segment.end;
  bytes[at++] = STAR;
  at = writeDecimal(bytes, at, argumentCount);
  bytes[at++] = CR;
  bytes[at++] = LF;
  bytes[at++] = DOLLAR;
  at = writeDecimal(bytes, at, name.length);
  bytes[at++] = CR;
  bytes[at++] = LF;
  for (let i = 0; i < name.length; i++) bytes[at++] = name.charCodeAt(i);
  bytes[at++] = CR;
  bytes[at++] = LF;
  target.grew(segment, at);
}
