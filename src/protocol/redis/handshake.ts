/**
 * What a connection to a Redis server says before the first request: AUTH, HELLO 3, SELECT.
 *
 * Requests wait until all are answered. nutcracker sends SELECT first, waits for nothing and only
 * logs a refusal, so that with a wrong password or database everything lands in database 0. Here a
 * refusal goes to the clients instead, in the server's own words.
 */
import type { Handshake, HandshakeOptions } from "../protocol.ts";
import { encodeCommand } from "./inline.ts";
import { errorReply } from "./replies.ts";

/**
 * What a server without a password says to AUTH (Redis since 6, and before). It is no refusal: the
 * password of the pool then guards the proxy only, which is how many pools are set up.
 */
const NO_PASSWORD_NEEDED = ["without any password configured", "no password is set"];

/** What a server says to HELLO that is older than Redis 6. */
const HELLO_UNKNOWN = /^-ERR unknown command [`']HELLO/i;
const NO_RESP3 = errorReply("NOPROTO the server behind this proxy does not speak RESP3");

export function redisHandshake(options: HandshakeOptions): Handshake | null {
  const { password, protocolVersion, database } = options;
  const commands: string[][] = [];
  if (password !== null) commands.push(["AUTH", password]);
  if (protocolVersion > 2) commands.push(["HELLO", String(protocolVersion)]);
  if (database > 0) commands.push(["SELECT", String(database)]);
  if (commands.length === 0) return null;
  return {
    bytes: Buffer.concat(
      commands.map((words) => encodeCommand(words.map((word) => Buffer.from(word)))),
    ),
    replyCount: commands.length,
    refusal(reply) {
      const text = reply.toString("latin1");
      if (!/^[-!]/.test(text) || NO_PASSWORD_NEEDED.some((words) => text.includes(words))) {
        return null;
      }
      if (text.startsWith("!")) return asLine(text);
      return HELLO_UNKNOWN.test(text) ? NO_RESP3 : reply;
    },
  };
}

/** An error of RESP3, which may have several lines, as one that every client can read. */
function asLine(text: string): Buffer {
  const words = text.slice(text.indexOf("\n") + 1).trim();
  return errorReply(words === "" ? "ERR" : words.replace(/[\r\n]+/g, " "));
}
