/**
 * HELLO, AUTH, SELECT, RESET: what a client says about its session, mostly when it connects.
 *
 * HELLO 3 moves the client to server connections that speak RESP3, so that replies come as the
 * client asked; nothing is translated here.
 */
import { timingSafeEqual } from "node:crypto";
import type { ClientSession } from "../protocol.ts";
import { takeName } from "./client-commands.ts";
import * as replies from "./replies.ts";
import type { RespValue } from "./resp-values.ts";
import { encodeValue, Status } from "./resp-values.ts";

const DEFAULT_USER = "default";

const VERSIONS = new Map([
  ["2", 2],
  ["3", 3],
]);

/** Compares in constant time. */
function isPassword(session: ClientSession, user: string, given: Buffer): boolean {
  const { password } = session;
  return (
    password !== null &&
    user === DEFAULT_USER &&
    given.length === password.length &&
    timingSafeEqual(given, password)
  );
}

/** HELLO [version [AUTH user password] [SETNAME name]] */
export function helloReply(words: readonly string[], session: ClientSession): Buffer {
  const version = words[1] === undefined ? session.protocolVersion : VERSIONS.get(words[1]);
  if (version === undefined) return replies.errorReply("NOPROTO unsupported protocol version");
  let isAuthenticated = session.isAuthenticated;
  let name: string | null = null;
  for (let i = 2; i < words.length; i++) {
    const option = words[i]!.toUpperCase();
    if (option === "AUTH" && i + 2 < words.length) {
      if (session.password === null) return replies.NO_PASSWORD_SET;
      isAuthenticated = isPassword(session, words[i + 1]!, Buffer.from(words[i + 2]!, "latin1"));
      if (!isAuthenticated) {
        return replies.WRONG_USER_OR_PASSWORD;
      }
      i += 2;
    } else if (option === "SETNAME" && i + 1 < words.length) {
      name = words[++i]!;
    } else {
      return replies.errorReply(`ERR Syntax error in HELLO option ${replies.quoteText(words[i]!)}`);
    }
  }
  if (!isAuthenticated) {
    return replies.errorReply(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO " +
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select " +
        "the RESP protocol version at the same time",
    );
  }
  const refusal = name === null ? null : takeName(name, session);
  if (refusal !== null) return refusal;
  if (!session.select(version, session.database)) return replies.TOO_MANY_LANES;
  session.isAuthenticated = true;
  return welcome(version, session);
}

/** What Redis answers to HELLO. */
function welcome(version: number, session: ClientSession): Buffer {
  const fields = new Map<string, RespValue>([
    ["server", "redis"],
    ["version", replies.REDIS_VERSION],
    ["proto", version],
    ["id", session.identity.id],
    ["mode", "standalone"],
    ["role", "master"],
    ["modules", []],
  ]);
  return encodeValue(fields, version);
}

/** AUTH password, and AUTH user password where the user is "default". */
export function authReply(words: readonly string[], session: ClientSession): Buffer {
  if (session.password === null) return replies.NO_PASSWORD_SET;
  const user = words.length === 2 ? DEFAULT_USER : words[1]!;
  const given = Buffer.from(words[words.length - 1]!, "latin1");
  session.isAuthenticated = isPassword(session, user, given);
  if (session.isAuthenticated) return replies.OK;
  // The old form is answered in nutcracker's words, the new one in those that libraries know.
  return words.length === 2 ? replies.INVALID_PASSWORD : replies.WRONG_USER_OR_PASSWORD;
}

/** The client's requests go to connections that use this database. */
export function selectReply(words: readonly string[], session: ClientSession): Buffer {
  const text = words[1]!;
  if (/^-\d{1,9}$/.test(text)) return replies.errorReply("ERR DB index is out of range");
  if (!/^\d{1,9}$/.test(text)) {
    return replies.errorReply("ERR value is not an integer or out of range");
  }
  if (session.select(session.protocolVersion, Number(text))) return replies.OK;
  return replies.TOO_MANY_LANES;
}

/** The client is as if it had just come. */
export function resetReply(session: ClientSession): Buffer {
  session.reset();
  return RESET_DONE;
}

const RESET_DONE = encodeValue(new Status("RESET"), 2);
