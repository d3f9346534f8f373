/**
 * Which requests may wait at their server: they need a connection that nobody else waits for. And
 * what they are replied when they have waited in vain.
 */
import { ascii } from "../../lib/bytes.ts";
import type { MessageBytes } from "../../lib/message-bytes.ts";
import { requestTexts } from "./arguments.ts";
import { KeyRule } from "./command-row.ts";
import { Refusal } from "./refusal.ts";
import type { RedisRequestParser } from "./request-parser.ts";

/**
 * True also for an XREAD whose group or key is called BLOCK, which costs it nothing but the way:
 * better than to take one for harmless that is not.
 */
export function mayBlock(parser: RedisRequestParser, message: MessageBytes): boolean {
  const { command, argumentCount } = parser;
  // With a wrong number of arguments the server refuses it at once.
  if (!command.mayBlock || parser.refusal === Refusal.ArgumentCount) return false;
  if (command.keyRule !== KeyRule.Streams) return true;
  const texts = requestTexts(parser, message);
  for (let i = 1; i < argumentCount; i++) {
    if (texts.argumentText(i).toUpperCase() === "BLOCK") return true;
  }
  return false;
}

const NOTHING = ascii("_\r\n");
const NO_ELEMENT = ascii("$-1\r\n");
const NO_ARRAY = ascii("*-1\r\n");

/** Those whose reply is an element alone, not an array with its key. */
const MOVES = new Set(["BLMOVE", "BRPOPLPUSH"]);

/** What a server says when the time is over. */
export function timeoutReply(parser: RedisRequestParser, protocolVersion: number): Buffer {
  if (protocolVersion > 2) return NOTHING;
  return MOVES.has(parser.command.name) ? NO_ELEMENT : NO_ARRAY;
}
