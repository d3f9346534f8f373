/**
 * HELLO and CLIENT: what client libraries say about themselves when they connect.
 *
 * HELLO 3 moves the client to server connections that speak RESP3, so that replies come as the
 * client asked; nothing is translated here. CLIENT takes what does no harm and refuses the rest.
 */
import { timingSafeEqual } from "node:crypto";
import type { ClientSession } from "../protocol.ts";
import * as replies from "./replies.ts";

export const DEFAULT_USER = "default";

const VERSIONS = new Map([
  ["2", 2],
  ["3", 3],
]);

/** Subcommands of CLIENT that only tell the server something, with their numbers of arguments. */
const CLIENT_NOTES = new Map([
  ["SETNAME", 3],
  ["SETINFO", 4],
  ["NO-EVICT", 3],
  ["NO-TOUCH", 3],
]);

/** Compares in constant time. */
export function isPassword(session: ClientSession, user: string, given: Buffer): boolean {
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
  for (let i = 2; i < words.length; i++) {
    const option = words[i]!.toUpperCase();
    if (option === "AUTH" && i + 2 < words.length) {
      if (session.password === null) return replies.NO_PASSWORD_SET;
      isAuthenticated = isPassword(session, words[i + 1]!, Buffer.from(words[i + 2]!, "latin1"));
      if (!isAuthenticated) {
        return replies.errorReply("WRONGPASS invalid username-password pair or user is disabled.");
      }
      i += 2;
    } else if (option === "SETNAME" && i + 1 < words.length) {
      i++;
    } else {
      return replies.errorReply(
        `ERR Syntax error in HELLO option ${replies.quote(Buffer.from(words[i]!, "latin1"))}`,
      );
    }
  }
  if (!isAuthenticated) {
    return replies.errorReply(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO " +
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select " +
        "the RESP protocol version at the same time",
    );
  }
  if (!session.select(version, session.database)) return replies.TOO_MANY_LANES;
  session.isAuthenticated = true;
  return welcome(version);
}

/** What Redis answers to HELLO: a map in RESP3, the same in pairs in RESP2. */
function welcome(version: number): Buffer {
  const fields: [string, Buffer][] = [
    ["server", replies.bulk("redis")],
    ["version", replies.bulk(replies.REDIS_VERSION)],
    ["proto", Buffer.from(`:${version}\r\n`)],
    ["id", Buffer.from(":1\r\n")],
    ["mode", replies.bulk("standalone")],
    ["role", replies.bulk("master")],
    ["modules", Buffer.from("*0\r\n")],
  ];
  const head = version === 3 ? `%${fields.length}\r\n` : `*${fields.length * 2}\r\n`;
  const pairs = fields.flatMap(([name, value]) => [replies.bulk(name), value]);
  return Buffer.concat([Buffer.from(head), ...pairs]);
}

export function clientReply(words: readonly string[]): Buffer {
  const subcommand = words[1]!.toUpperCase();
  const count = CLIENT_NOTES.get(subcommand);
  if (count === words.length) return replies.OK;
  if (count !== undefined) {
    return replies.errorReply(
      `ERR wrong number of arguments for 'client|${subcommand.toLowerCase()}' command`,
    );
  }
  return replies.errorReply(
    `ERR CLIENT ${replies.quote(Buffer.from(subcommand, "latin1"))} is not supported by this proxy`,
  );
}
