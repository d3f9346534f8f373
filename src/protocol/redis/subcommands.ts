/**
 * Commands of which the proxy answers some subcommands: a table of those, and of the reasons why
 * others cannot be had.
 */
import type { ClientSession } from "../protocol.ts";
import * as replies from "./replies.ts";
import type { RespValue } from "./resp-values.ts";
import { encodeValue, Status } from "./resp-values.ts";

/** Least and most arguments, command and subcommand included, and the reply; or why not. */
export type Subcommand =
  | readonly [
      argumentsMin: number,
      argumentsMax: number,
      reply: (words: readonly string[], session: ClientSession) => Buffer,
    ]
  | string;

/** The reply to `words`, of which the first is a command and the second a subcommand. */
export function runSubcommand(
  subcommands: ReadonlyMap<string, Subcommand>,
  words: readonly string[],
  session: ClientSession,
): Buffer {
  const command = words[0]!.toUpperCase();
  const name = words[1]!.toUpperCase();
  const row = subcommands.get(name);
  if (row === undefined && name === "HELP") return helpReply(command, subcommands, session);
  if (row === undefined) {
    return replies.errorReply(
      `ERR ${command} ${replies.quoteText(words[1]!)} is not supported by this proxy; try ` +
        `${command} HELP`,
    );
  }
  if (typeof row === "string") {
    return replies.errorReply(`ERR ${command} ${name} is not supported by this proxy: ${row}`);
  }
  const [argumentsMin, argumentsMax, reply] = row;
  if (words.length < argumentsMin || words.length > argumentsMax) {
    const full = `${command}|${name}`.toLowerCase();
    return replies.errorReply(`ERR wrong number of arguments for '${full}' command`);
  }
  return reply(words, session);
}

function helpReply(
  command: string,
  subcommands: ReadonlyMap<string, Subcommand>,
  session: ClientSession,
): Buffer {
  const lines: RespValue[] = [new Status(`${command} <subcommand>: this proxy answers`)];
  for (const [name, row] of subcommands) {
    if (typeof row !== "string") lines.push(new Status(`    ${name}`));
  }
  return encodeValue(lines, session.protocolVersion);
}
