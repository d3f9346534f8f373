/**
 * Requests that the proxy answers by itself, and refusals: which file has the reply.
 *
 *   PING ECHO QUIT              here
 *   HELLO AUTH SELECT RESET     session-replies.ts
 *   CLIENT                      client-commands.ts
 *   COMMAND                     command-info.ts
 *   INFO CONFIG TIME            info-replies.ts
 *
 * None of them is frequent but PING, which is a constant; the others may make strings.
 */
import type { MessageBytes } from "../../lib/message-bytes.ts";
import type { ClientSession, PeersReply } from "../protocol.ts";
import { argument, argumentTexts } from "./arguments.ts";
import { clientReply, isAboutPeers } from "./client-commands.ts";
import { commandReply } from "./command-info.ts";
import { Local } from "./command-row.ts";
import { configReply, infoReply, timeReply } from "./info-replies.ts";
import { noKeysWords } from "./keys.ts";
import * as replies from "./replies.ts";
import type { RedisRequestParser } from "./request-parser.ts";
import { Refusal } from "./refusal.ts";
import { encodeValue } from "./resp-values.ts";
import { concernsServer } from "./server-commands.ts";
import { authReply, helloReply, resetReply, selectReply } from "./session-replies.ts";

type LocalReply = (words: readonly string[], session: ClientSession) => Buffer;

const REPLIES: Readonly<Record<Local, LocalReply>> = {
  [Local.None]: () => replies.SYNTAX_ERROR,
  [Local.Ping]: echoReply,
  [Local.Echo]: echoReply,
  [Local.Quit]: quitReply,
  [Local.Auth]: authReply,
  [Local.Select]: selectReply,
  [Local.Info]: infoReply,
  [Local.Hello]: helloReply,
  [Local.Client]: clientReply,
  [Local.Reset]: (_, session) => resetReply(session),
  [Local.Command]: commandReply,
  [Local.Config]: configReply,
  [Local.Time]: (_, session) => timeReply(session),
  // The connections to the servers are what they are; there is no cluster.
  [Local.ReadMode]: () => replies.OK,
};

export function localReply(
  parser: RedisRequestParser,
  message: MessageBytes,
  session: ClientSession,
): Buffer {
  if (parser.refusal !== Refusal.None) return refusalReply(parser, message, session);
  const { local } = parser.command;
  if (local === Local.Ping && parser.argumentCount === 1) return replies.PONG;
  return REPLIES[local](argumentTexts(parser, message), session);
}

/** CLIENT LIST and the like. */
export function peersReply(parser: RedisRequestParser, message: MessageBytes): PeersReply | null {
  const { command, refusal } = parser;
  if (command.local !== Local.Client || refusal !== Refusal.None) return null;
  if (!isAboutPeers(argument(parser, message, 1).toString("latin1"))) return null;
  const words = argumentTexts(parser, message);
  return (session) => clientReply(words, session);
}

/** PING text, ECHO text */
function echoReply(words: readonly string[], session: ClientSession): Buffer {
  return encodeValue(words[1]!, session.protocolVersion);
}

function quitReply(_: readonly string[], session: ClientSession): Buffer {
  session.isQuitting = true;
  return replies.OK;
}

function refusalReply(
  parser: RedisRequestParser,
  message: MessageBytes,
  session: ClientSession,
): Buffer {
  const { command, refusal } = parser;
  const name = command.name.toLowerCase();
  const isWithoutKeys = refusal === Refusal.NoKeys || isScriptWithoutKeys(parser, message);
  if (refusal === Refusal.ArgumentCount && !isWithoutKeys) {
    return replies.errorReply(`ERR wrong number of arguments for '${name}' command`);
  }
  if (concernsServer(parser, message) && serverCount(session) === 1) {
    return replies.errorReply(
      `ERR '${name}' is not supported by this proxy: it concerns the server, not one of its ` +
        "keys; redis_server_commands of this pool is false",
    );
  }
  if (isWithoutKeys) return replies.errorReply(noKeysWords(command));
  if (refusal === Refusal.Keys) return replies.errorReply(parser.keysRefusal);
  if (command.refusal !== "") {
    return replies.errorReply(`ERR '${name}' is not supported by this proxy: ${command.refusal}`);
  }
  return replies.errorReply(`ERR unknown command ${replies.quote(argument(parser, message, 0))}`);
}

function serverCount(session: ClientSession): string | number | undefined {
  return session.poolFacts().find(([name]) => name === "servers")?.[1];
}

/** EVAL script 0: with a number of keys, its count of arguments would be wrong. */
function isScriptWithoutKeys(parser: RedisRequestParser, message: MessageBytes): boolean {
  const { keyCountAt } = parser.command;
  return (
    keyCountAt > 0 &&
    parser.argumentCount === keyCountAt + 1 &&
    argument(parser, message, keyCountAt).toString("latin1") === "0"
  );
}
