/**
 * What the proxy itself says to a memcached client: constant replies, and the words of errors.
 *
 * They are memcached's own words where it has any, because client libraries react to them, and
 * nutcracker's for trouble with a server.
 */
import { ascii } from "../../lib/bytes.ts";
import type { FailureReason } from "../failure.ts";
import { NO_BYTES } from "../request.ts";
import type { CommandRow } from "./commands.ts";
import { Quiet } from "./commands.ts";
import { FramingError, Refusal } from "./request-line.ts";

/**
 * The oldest memcached that has all the commands of the proxy: clients ask for it before they use
 * one.
 */
const MEMCACHED_VERSION = "1.6.0";
const NUTCRACKER_VERSION = "0.5.0";

export const OK = ascii("OK\r\n");
export const END = ascii("END\r\n");
export const NOOP = ascii("MN\r\n");
export const RESET = ascii("RESET\r\n");
export const VERSION = ascii(`VERSION ${MEMCACHED_VERSION}\r\n`);
export const ERROR = ascii("ERROR\r\n");
export const BAD_FORMAT = ascii("CLIENT_ERROR bad command line format\r\n");
export const FLUSH_NOT_ALLOWED = ascii(
  "CLIENT_ERROR flush_all not allowed: memcached_flush_all of this pool is false\r\n",
);
export const INVALID_ARGUMENT = ascii("SERVER_ERROR Invalid argument\r\n");
export const UNAUTHENTICATED = ascii("CLIENT_ERROR unauthenticated\r\n");
export const TOO_MANY_CLIENTS = ascii("ERROR Too many open connections\r\n");

const FRAMING_ERRORS: Record<FramingError, Buffer> = {
  [FramingError.None]: NO_BYTES,
  [FramingError.BinaryProtocol]: ascii(
    "CLIENT_ERROR the binary protocol is not supported by this proxy: use the text protocol\r\n",
  ),
  [FramingError.HttpRequest]: ascii("CLIENT_ERROR this is no HTTP server\r\n"),
  [FramingError.LineTooLong]: ascii("CLIENT_ERROR line too long\r\n"),
  [FramingError.TooManyKeys]: ascii("CLIENT_ERROR too many keys\r\n"),
  [FramingError.ValueTooLarge]: ascii("SERVER_ERROR object too large for cache\r\n"),
};

export function framingError(error: FramingError): Buffer {
  return FRAMING_ERRORS[error];
}

const REFUSALS: Record<Exclude<Refusal, typeof Refusal.Command>, Buffer> = {
  [Refusal.None]: NO_BYTES,
  [Refusal.Error]: ERROR,
  [Refusal.BadFormat]: BAD_FORMAT,
  [Refusal.BadBlock]: ascii("CLIENT_ERROR bad data chunk\r\n"),
  [Refusal.TooManyFlags]: ascii("CLIENT_ERROR options flags too long\r\n"),
  [Refusal.DuplicateFlag]: ascii("CLIENT_ERROR duplicate flag\r\n"),
  [Refusal.BadExptime]: ascii("CLIENT_ERROR invalid exptime argument\r\n"),
  [Refusal.LineTooLong]: ascii("CLIENT_ERROR line too long\r\n"),
  [Refusal.NoKeys]: END,
  [Refusal.LineEndInKey]: ascii(
    "CLIENT_ERROR a key that holds a line feed can only be set, read and deleted\r\n",
  ),
};

/** memcached has other words for the same in some commands. */
const TOO_MANY_FLAGS_OF_GET = ascii("CLIENT_ERROR options flags are too long\r\n");
const INVALID_OR_DUPLICATE_FLAG = ascii("CLIENT_ERROR invalid or duplicate flag\r\n");

export function refusalReply(refusal: Refusal, command: CommandRow): Buffer {
  if (refusal === Refusal.Command) {
    const { name } = command;
    return ascii(`CLIENT_ERROR ${name} is not supported by this proxy: ${command.refusal}\r\n`);
  }
  const { quiet } = command;
  if (refusal === Refusal.TooManyFlags && quiet === Quiet.Get) return TOO_MANY_FLAGS_OF_GET;
  if (refusal === Refusal.DuplicateFlag && quiet !== Quiet.Get && quiet !== Quiet.Set) {
    return INVALID_OR_DUPLICATE_FLAG;
  }
  return REFUSALS[refusal];
}

const failureReplies = new Map<string, Buffer>();

/** The reply of nutcracker for trouble with a server. */
export function failureReply(failure: FailureReason): Buffer {
  if (failure.reply !== null) return failure.reply;
  let reply = failureReplies.get(failure.text);
  if (reply === undefined) {
    reply = ascii(`SERVER_ERROR ${failure.text}\r\n`);
    failureReplies.set(failure.text, reply);
  }
  return reply;
}

/** The reply to `stats`: the versions, and what the session counts. */
export function statsReply(rows: readonly (readonly [string, string | number])[]): Buffer {
  const all = [["version", MEMCACHED_VERSION], ["nutcracker_version", NUTCRACKER_VERSION], ...rows];
  return ascii(`${all.map(([name, value]) => `STAT ${name} ${value}\r\n`).join("")}END\r\n`);
}
