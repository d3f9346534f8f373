/**
 * The arguments of a request that the parser has noted the places of.
 */
import type { MessageBytes } from "../../lib/message-bytes.ts";
import type { ArgumentTexts } from "./keys.ts";
import type { RedisRequestParser } from "./request-parser.ts";

/** Argument `index` of the request, in one piece until the next call. */
export function argument(parser: RedisRequestParser, message: MessageBytes, index: number): Buffer {
  message.locate(parser.spans[2 * index]!, parser.spans[2 * index + 1]!);
  return message.bytes.subarray(message.start, message.end);
}

/** All arguments that were noted, as texts. */
export function argumentTexts(parser: RedisRequestParser, message: MessageBytes): string[] {
  const count = Math.min(parser.argumentCount, parser.command.markLast + 1);
  return Array.from({ length: count }, (_, i) => argument(parser, message, i).toString("latin1"));
}

/** A request as `findKeys` looks at it; `texts` is used again and again. */
class RequestTexts implements ArgumentTexts {
  parser: RedisRequestParser | null = null;
  message: MessageBytes | null = null;

  argumentText(index: number): string {
    const { parser, message } = this;
    if (parser === null || message === null) return "";
    message.locate(parser.spans[2 * index]!, parser.spans[2 * index + 1]!);
    const end = Math.min(message.end, message.start + WORD_BYTES_MAX);
    return message.bytes.toString("latin1", message.start, end);
  }
}

/** Longer arguments are no word of ours whatever they are. */
const WORD_BYTES_MAX = 32;

const texts = new RequestTexts();

/** The request as texts, until the next call. */
export function requestTexts(parser: RedisRequestParser, message: MessageBytes): ArgumentTexts {
  texts.parser = parser;
  texts.message = message;
  return texts;
}
