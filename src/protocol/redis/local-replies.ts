/**
 * Requests that the proxy answers by itself: PING, ECHO, QUIT, AUTH, SELECT, INFO, and refusals.
 * HELLO and CLIENT are in session-replies.ts.
 *
 * None of them is frequent but PING, which is a constant; the others may make strings.
 */
import type { MessageBytes } from "../../lib/message-bytes.ts";
import type { ClientSession } from "../protocol.ts";
import { Local } from "./commands.ts";
import type { RedisRequestParser } from "./request-parser.ts";
import { Refusal } from "./request-parser.ts";
import * as replies from "./replies.ts";
import { clientReply, DEFAULT_USER, helloReply, isPassword } from "./session-replies.ts";

/** All arguments that were marked, as texts. */
function argumentTexts(parser: RedisRequestParser, message: MessageBytes): string[] {
  const count = Math.min(parser.argumentCount, parser.command.markLast + 1);
  return Array.from({ length: count }, (_, i) => argument(parser, message, i).toString("latin1"));
}

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
    case Local.Hello:
      return helloReply(argumentTexts(parser, message), session);
    case Local.Client:
      return clientReply(argumentTexts(parser, message));
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
  const user = last === 1 ? DEFAULT_USER : argument(parser, message, 1).toString("latin1");
  session.isAuthenticated = isPassword(session, user, argument(parser, message, last));
  return session.isAuthenticated ? replies.OK : replies.INVALID_PASSWORD;
}

/** The client's requests go to connections that use this database. */
function selectReply(asked: Buffer, session: ClientSession): Buffer {
  const text = asked.toString("latin1");
  if (!/^\d{1,9}$/.test(text))
    return replies.errorReply("ERR value is not an integer or out of range");
  if (session.select(session.protocolVersion, Number(text))) return replies.OK;
  return replies.TOO_MANY_LANES;
}

/** What the ready checks of client libraries read. */
const INFO_TEXT = [
  "# Server",
  `redis_version:${replies.REDIS_VERSION}`,
  "redis_mode:standalone",
  "nutcracker_version:0.5.0",
  "# Persistence",
  "loading:0",
  "# Replication",
  "role:master",
  "",
].join("\r\n");
