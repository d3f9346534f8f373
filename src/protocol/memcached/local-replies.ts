/**
 * Requests that the proxy answers by itself: version, verbosity, stats, mn, quit, and every
 * refusal.
 *
 * mn is a constant; the others are rare and may make strings. mn keeps the promise of its order
 * without asking a server: its answer takes its place behind all requests before it.
 */
import type { MessageBytes } from "../../lib/message-bytes.ts";
import { Route } from "../protocol.ts";
import type { ClientSession } from "../protocol.ts";
import { NO_BYTES } from "../request.ts";
import { Local } from "./commands.ts";
import { canonicalNumber, NumberKind } from "./numbers.ts";
import * as replies from "./replies.ts";
import { Refusal } from "./request-line.ts";
import type { MemcachedRequestParser } from "./request-parser.ts";

export function localReply(
  parser: MemcachedRequestParser,
  message: MessageBytes,
  session: ClientSession,
): Buffer {
  const { refusal, command } = parser;
  if (refusal !== Refusal.None) return replies.refusalReply(refusal, command);
  // A broadcast that the pool does not allow.
  if (command.route === Route.Servers) {
    return parser.isSilent ? NO_BYTES : replies.FLUSH_NOT_ALLOWED;
  }
  switch (command.local) {
    case Local.Noop:
      return replies.NOOP;
    case Local.Version:
      return replies.VERSION;
    case Local.Verbosity: {
      const isNumber = canonicalNumber(NumberKind.Flags, word(parser, message, 1)) !== null;
      return isNumber ? replies.OK : replies.BAD_FORMAT;
    }
    case Local.Stats:
      return statsReply(parser, message, session);
    default:
      session.isQuitting = true;
      return NO_BYTES;
  }
}

/** Kinds of statistics that memcached has and the proxy has not. */
const EMPTY_STATISTICS = ["items", "slabs", "sizes", "settings", "conns", "extstore"];

function statsReply(
  parser: MemcachedRequestParser,
  message: MessageBytes,
  session: ClientSession,
): Buffer {
  if (parser.wordCount === 1) return replies.statsReply(session.statistics());
  const kind = word(parser, message, 1);
  if (kind === "reset") return replies.RESET;
  return EMPTY_STATISTICS.includes(kind) ? replies.END : replies.ERROR;
}

function word(parser: MemcachedRequestParser, message: MessageBytes, index: number): string {
  message.locate(parser.spans[2 * index]!, parser.spans[2 * index + 1]!);
  return message.bytes.toString("latin1", message.start, message.end);
}
