/**
 * Commands that concern a server as a whole: FLUSHALL, SCAN, CONFIG SET, a script without keys.
 *
 * In a pool of one server there is no doubt which one is meant. Whether they pass there is up to
 * `redis_server_commands` of the pool; what would change or end the shared connection never does.
 */
import type { MessageBytes } from "../../lib/message-bytes.ts";
import { Route } from "../protocol.ts";
import { argument } from "./arguments.ts";
import type { RedisRequestParser } from "./request-parser.ts";
import { Refusal } from "./refusal.ts";

/** Subcommands that do not pass though their command does. */
const KEPT: ReadonlyMap<string, readonly string[]> = new Map([
  // The connection of the debugger belongs to nobody else, and KILL would wait for the very script
  // that it is to end.
  ["SCRIPT", ["debug", "kill"]],
  ["FUNCTION", ["kill"]],
  // What the proxy tells of itself.
  ["INFO", ["proxy"]],
]);

/** @param parser of a request that is answered or refused by the proxy */
export function concernsServer(parser: RedisRequestParser, message: MessageBytes): boolean {
  const { command, refusal } = parser;
  // Without a key to tell the server, the only one will do.
  if (refusal === Refusal.NoKeys || refusal === Refusal.Keys) return true;
  if (refusal === Refusal.ArgumentCount) return command.route !== Route.Local;
  if (!command.isForServer) return false;
  const kept = KEPT.get(command.name);
  if (kept === undefined || parser.argumentCount < 2) return true;
  return !kept.includes(argument(parser, message, 1).toString("latin1").toLowerCase());
}
