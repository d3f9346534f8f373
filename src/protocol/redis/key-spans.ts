/**
 * Where the keys lie of a request whose keys must all be on one server.
 */
import type { MessageBytes } from "../../lib/message-bytes.ts";
import { requestTexts } from "./arguments.ts";
import { refuseIfLong } from "./key-limit.ts";
import { findKeys } from "./keys.ts";
import type { RedisRequestParser } from "./request-parser.ts";
import { Refusal } from "./refusal.ts";

const indexes: number[] = [];
const spans: number[] = [];

/**
 * @returns offset and length of each key in ascending order, valid until the next call; empty if
 *   the request does not tell its keys: then it is refused by `localReply`
 */
export function keySpans(parser: RedisRequestParser, message: MessageBytes): readonly number[] {
  const { command, argumentCount } = parser;
  spans.length = 0;
  const refusal = findKeys(command, argumentCount, requestTexts(parser, message), indexes);
  if (refusal !== "") {
    parser.refusal = Refusal.Keys;
    parser.keysRefusal = refusal;
    return spans;
  }
  for (const index of indexes) {
    const length = parser.spans[2 * index + 1]!;
    if (refuseIfLong(parser, length)) {
      spans.length = 0;
      return spans;
    }
    spans.push(parser.spans[2 * index]!, length);
  }
  return spans;
}
