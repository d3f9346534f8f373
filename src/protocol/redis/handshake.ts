/**
 * What a connection to a Redis server says before the first request: AUTH, then SELECT.
 *
 * Requests wait until both are answered. nutcracker sends SELECT first, waits for nothing and only
 * logs a refusal, so that with a wrong password or database everything lands in database 0. Here a
 * refusal goes to the clients instead, in the server's own words.
 */
import type { Handshake, HandshakeOptions } from "../protocol.ts";
import { encodeCommand } from "./inline.ts";

const MINUS = "-";

/**
 * What a server without a password says to AUTH (Redis since 6, and before). It is no refusal: the
 * password of the pool then guards the proxy only, which is how many pools are set up.
 */
const NO_PASSWORD_NEEDED = ["without any password configured", "no password is set"];

export function redisHandshake({ password, database }: HandshakeOptions): Handshake | null {
  const commands: string[][] = [];
  if (password !== null) commands.push(["AUTH", password]);
  if (database > 0) commands.push(["SELECT", String(database)]);
  if (commands.length === 0) return null;
  return {
    bytes: Buffer.concat(
      commands.map((words) => encodeCommand(words.map((word) => Buffer.from(word)))),
    ),
    replyCount: commands.length,
    refuses(reply) {
      const text = reply.toString("latin1");
      return text.startsWith(MINUS) && !NO_PASSWORD_NEEDED.some((words) => text.includes(words));
    },
  };
}
