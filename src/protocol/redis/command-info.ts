/**
 * COMMAND: what commands there are, from the table that decides about them. Commands that the proxy
 * refuses are not there.
 */
import type { ClientSession } from "../protocol.ts";
import { Route } from "../protocol.ts";
import type { CommandRow } from "./command-row.ts";
import { ANY, KeyRule } from "./command-row.ts";
import { COMMANDS } from "./commands.ts";
import { globMatches } from "./glob.ts";
import { findKeys } from "./keys.ts";
import { isReadOnly } from "./read-only-commands.ts";
import * as replies from "./replies.ts";
import type { RespValue } from "./resp-values.ts";
import { encodeValue, NULL_ARRAY, Status } from "./resp-values.ts";
import type { Subcommand } from "./subcommands.ts";
import { runSubcommand } from "./subcommands.ts";

const available: ReadonlyMap<string, CommandRow> = new Map(
  COMMANDS.filter((row) => row.route !== Route.Refuse).map((row) => [row.name.toLowerCase(), row]),
);

const ROUTES_OF_KEYS = new Set<Route>([Route.Key, Route.Keys, Route.SameServer]);

const RULES_OF_FIRST_KEY = new Set<KeyRule>([KeyRule.StoredCounted, KeyRule.StoreOption]);

/** Commands that may have no key at all. */
const SCRIPTS = /^(?:EVAL|FCALL)/;

/** What a route means for who sends the command. */
const SUMMARIES: Readonly<Partial<Record<Route, string>>> = {
  [Route.Key]: "Goes to the server of its first key.",
  [Route.Keys]: "Is divided over the servers of its keys.",
  [Route.SameServer]: "Goes to the server of its keys, which must be one.",
  [Route.Placeholder]: "Goes to one server, always the same.",
  [Route.Local]: "Is answered by the proxy.",
};

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ["COUNT", [2, 2, (_, session) => encodeValue(available.size, session.protocolVersion)]],
  ["INFO", [2, ANY, infoReply]],
  ["DOCS", [2, ANY, docsReply]],
  ["LIST", [2, 5, listReply]],
  ["GETKEYS", [3, ANY, getKeysReply]],
  ["GETKEYSANDFLAGS", "what a command does to its keys is known to the servers only"],
]);

export function commandReply(words: readonly string[], session: ClientSession): Buffer {
  if (words.length === 1) return infoReply(["COMMAND", "INFO"], session);
  return runSubcommand(SUBCOMMANDS, words, session);
}

/** COMMAND INFO [name ...]: those named, or all. */
function infoReply(words: readonly string[], session: ClientSession): Buffer {
  const names = words.length > 2 ? words.slice(2) : [...available.keys()];
  const found = names.map((name) => {
    const row = available.get(name.toLowerCase());
    return row === undefined ? NULL_ARRAY : describe(row);
  });
  return encodeValue(found, session.protocolVersion);
}

/** The ten elements that Redis gives since 7.0; those that only a server knows are empty. */
function describe(row: CommandRow): RespValue {
  const { argumentsMin, argumentsMax } = row;
  const hasKeys = ROUTES_OF_KEYS.has(row.route);
  const isMovable = hasKeys && row.keyRule !== KeyRule.Range;
  const flags = [
    ...(hasKeys ? [isReadOnly(row.name) ? "readonly" : "write"] : []),
    ...(row.mayBlock ? ["blocking"] : []),
    ...(isMovable ? ["movablekeys"] : []),
  ];
  // Rules that begin with a key that stands still tell that one, as Redis does.
  const isRange = hasKeys && (!isMovable || RULES_OF_FIRST_KEY.has(row.keyRule));
  return [
    row.name.toLowerCase(),
    argumentsMin === argumentsMax ? argumentsMin : -argumentsMin,
    new Set(flags.map((flag) => new Status(flag))),
    ...(isRange ? [row.firstKey, row.lastKey, row.keyStep] : [0, 0, 0]),
    new Set<RespValue>(),
    [],
    [],
    [],
  ];
}

/** COMMAND DOCS [name ...]: what the proxy does with them. */
function docsReply(words: readonly string[], session: ClientSession): Buffer {
  const names = words.length > 2 ? words.slice(2) : [...available.keys()];
  const found = new Map<string, RespValue>();
  for (const name of names) {
    const row = available.get(name.toLowerCase());
    if (row === undefined) continue;
    const summary = SUMMARIES[row.route] ?? "";
    found.set(
      row.name.toLowerCase(),
      new Map([
        ["summary", summary],
        ["since", ""],
        ["group", "generic"],
      ]),
    );
  }
  return encodeValue(found, session.protocolVersion);
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
function listReply(words: readonly string[], session: ClientSession): Buffer {
  let names = [...available.keys()];
  if (words.length > 2) {
    const [filterBy, kind, value] = words.slice(2).map((word) => word.toUpperCase());
    if (filterBy !== "FILTERBY" || value === undefined) return replies.SYNTAX_ERROR;
    // Neither modules nor categories are known here, so that none has a command.
    if (kind === "MODULE" || kind === "ACLCAT") names = [];
    else if (kind === "PATTERN") names = names.filter((name) => globMatches(value, name));
    else return replies.SYNTAX_ERROR;
  }
  return encodeValue(names, session.protocolVersion);
}

/** COMMAND GETKEYS command argument ... */
function getKeysReply(words: readonly string[], session: ClientSession): Buffer {
  const request = words.slice(2);
  const row = available.get(request[0]!.toLowerCase());
  if (row === undefined) return replies.errorReply("ERR Invalid command specified");
  if (!ROUTES_OF_KEYS.has(row.route)) {
    return replies.errorReply("ERR The command has no key arguments");
  }
  if (SCRIPTS.test(row.name) && request[row.firstKey - 1] === "0") return encodeValue([], 2);
  if (request.length < row.argumentsMin || request.length > row.argumentsMax) {
    return replies.errorReply("ERR Invalid number of arguments specified for command");
  }
  const found: number[] = [];
  const texts = { argumentText: (index: number) => request[index] ?? "" };
  const refusal = findKeys(row, request.length, texts, found);
  if (refusal !== "") return replies.errorReply(refusal);
  return encodeValue(
    found.map((index) => request[index] ?? ""),
    session.protocolVersion,
  );
}
