/**
 * What the proxy itself says to a Redis client: constant replies, and the words of errors.
 *
 * Where nutcracker answers, its words are kept; where it closes the connection, Redis's own words
 * are used as far as there are any, because client libraries react to them.
 */
import { ascii } from "../../lib/bytes.ts";
import type { FailureReason } from "../failure.ts";
import type { DifferentServers } from "../protocol.ts";
import { FramingError } from "./framing-error.ts";

/** The version that client libraries are told; they choose commands by it. */
export const REDIS_VERSION = "7.0.0";

export const OK = ascii("+OK\r\n");
export const PONG = ascii("+PONG\r\n");
export const AUTH_REQUIRED = ascii("-NOAUTH Authentication required\r\n");
export const NO_PASSWORD_SET = ascii("-ERR Client sent AUTH, but no password is set\r\n");
export const INVALID_PASSWORD = ascii("-ERR invalid password\r\n");
export const WRONG_USER_OR_PASSWORD = ascii(
  "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
);
export const INVALID_ARGUMENT = ascii("-ERR Invalid argument\r\n");
export const NOT_AN_INTEGER = ascii("-ERR value is not an integer or out of range\r\n");
export const UNBLOCKED = ascii("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
export const SYNTAX_ERROR = ascii("-ERR syntax error\r\n");
export const TOO_MANY_LANES = ascii(
  "-ERR too many databases and protocol versions are in use through this pool\r\n",
);
export const TOO_MANY_CLIENTS = ascii("-ERR max number of clients reached\r\n");

const FRAMING_ERRORS: Record<FramingError, string> = {
  [FramingError.None]: "",
  [FramingError.ArrayLength]: "invalid multibulk length",
  [FramingError.BulkLength]: "invalid bulk length",
  [FramingError.ExpectedDollar]: "expected '$', got ",
  [FramingError.ExpectedLineEnd]: "expected CR LF after an argument",
  [FramingError.InlineTooLong]: "too big inline request",
  [FramingError.UnbalancedQuotes]: "unbalanced quotes in request",
  [FramingError.HttpRequest]: "this is no HTTP server",
  [FramingError.TooLarge]: "too big request",
};

export function framingError(error: FramingError, byte: number): Buffer {
  const found = error === FramingError.ExpectedDollar ? quote(Buffer.of(byte)) : "";
  return errorReply(`ERR Protocol error: ${FRAMING_ERRORS[error]}${found}`);
}

/** An error reply with these words, which must hold no line end. */
export function errorReply(words: string): Buffer {
  return ascii(`-${words}\r\n`);
}

/** The keys of `command` had to be on one server: which are not, and how they would be. */
export function differentServersReply(command: string, found: DifferentServers): Buffer {
  const [first, other] = found.keys;
  const [firstServer, otherServer] = found.servers;
  const tag = found.hashTag === null ? "{}" : String.fromCharCode(...found.hashTag);
  const remedy =
    found.hashTag === null
      ? `with hash_tag: "${tag}" in the configuration of the pool, keys`
      : `keys`;
  const example = (name: string) => `${tag[0]}x${tag[1]}${name}`;
  return errorReply(
    `CROSSSLOT keys of '${command}' are on different servers: ${quote(first)} on ${firstServer}, ` +
      `${quote(other)} on ${otherServer}. All must be on one; ${remedy} are on the same server ` +
      `if they have the same text between ${tag[0]} and ${tag[1]}, like ${example("a")} and ` +
      example("b"),
  );
}

const failureReplies = new Map<string, Buffer>();

/** The reply of nutcracker for trouble with a server, or the server's own words. */
export function failureReply(failure: FailureReason): Buffer {
  if (failure.reply !== null) return failure.reply;
  let reply = failureReplies.get(failure.text);
  if (reply === undefined) {
    reply = errorReply(`ERR ${failure.text}`);
    failureReplies.set(failure.text, reply);
  }
  return reply;
}

/** A text of a client between quotes, safe to be put into a line and not too long. */
export function quote(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, QUOTED_BYTES_MAX)) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return `'${text}${bytes.length > QUOTED_BYTES_MAX ? "..." : ""}'`;
}

/** The same for a text that holds one byte per character. */
export function quoteText(text: string): string {
  return quote(ascii(text));
}

const QUOTED_BYTES_MAX = 64;
