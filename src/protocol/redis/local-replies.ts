/**
 * Requests that the proxy answers by itself: PING, ECHO, QUIT, AUTH, SELECT, INFO, and refusals.
 *
 * None of them is frequent but PING, which is a constant; the others may make strings.
 */
import { timingSafeEqual } from "node:crypto";
import type { MessageBytes } from "../../lib/message-bytes.ts";
import type { ClientSession } from "../protocol.ts";
import { Local } from "./commands.ts";
import type { RedisRequestParser } from "./request-parser.ts";
import { Refusal } from "./request-parser.ts";
import * as replies from "./replies.ts";

/** Argument `index` of the request, in one piece until the next call. */
function argument(parser: RedisRequestParser, message: MessageBytes, index: number): Buffer {
  message.locate(parser.spans[2 * index]!, parser.spans[2 * index + 1]!);
  return message.bytes.subarray(message.start, message.end);
}

export function localReply(
  parser: RedisRequestParser,
  message: MessageBytes,
  session: ClientSession,
): Buffer {
  if (parser.refusal !== Refusal.None) return refusalReply(parser, message);
  switch (parser.command.local) {
    case Local.Ping:
      if (parser.argumentCount === 1) return replies.PONG;
      return Buffer.concat([bulkBytes(argument(parser, message, 1))]);
    case Local.Echo:
      return bulkBytes(argument(parser, message, 1));
    case Local.Quit:
      session.isQuitting = true;
      return replies.OK;
    case Local.Auth:
      return authReply(parser, message, session);
    case Local.Select:
      return selectReply(argument(parser, message, 1), session);
    default:
      return replies.bulk(INFO_TEXT);
  }
}

function bulkBytes(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

function refusalReply(parser: RedisRequestParser, message: MessageBytes): Buffer {
  const { command, refusal } = parser;
  const name = command.name.toLowerCase();
  if (refusal === Refusal.ArgumentCount) {
    return replies.errorReply(`ERR wrong number of arguments for '${name}' command`);
  }
  if (refusal === Refusal.NoKeys) {
    return replies.errorReply(
      `ERR '${name}' needs the number of its keys, at least 1: the first key decides which ` +
        "server runs it",
    );
  }
  if (command.refusal !== "") {
    return replies.errorReply(`ERR '${name}' is not supported by this proxy: ${command.refusal}`);
  }
  return replies.errorReply(`ERR unknown command ${replies.quote(argument(parser, message, 0))}`);
}

/** AUTH password, and AUTH user password where the user is "default". */
function authReply(
  parser: RedisRequestParser,
  message: MessageBytes,
  session: ClientSession,
): Buffer {
  if (session.password === null) return replies.NO_PASSWORD_SET;
  const last = parser.argumentCount - 1;
  const isDefaultUser = last === 1 || argument(parser, message, 1).equals(DEFAULT_USER);
  const given = argument(parser, message, last);
  session.isAuthenticated =
    isDefaultUser &&
    given.length === session.password.length &&
    timingSafeEqual(given, session.password);
  return session.isAuthenticated ? replies.OK : replies.INVALID_PASSWORD;
}

const DEFAULT_USER = Buffer.from("default");

/** Every client of a pool uses the database of the pool: asking for that one is fine. */
function selectReply(asked: Buffer, session: ClientSession): Buffer {
  if (asked.toString("latin1") === String(session.database)) return replies.OK;
  return replies.errorReply(
    `ERR SELECT is not supported by this proxy: all clients of this pool use database ` +
      `${session.database} (redis_db)`,
  );
}

/** What the ready checks of client libraries read. */
const INFO_TEXT = [
  "# Server",
  "redis_version:7.0.0",
  "redis_mode:standalone",
  "nutcracker_version:0.5.0",
  "# Persistence",
  "loading:0",
  "# Replication",
  "role:master",
  "",
].join("\r\n");
