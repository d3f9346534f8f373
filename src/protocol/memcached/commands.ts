/**
 * The memcached commands: how many words each line has, where its keys are, and what becomes of it.
 *
 * Words are counted with the command's own, as in `set key 0 0 5` (5 words); an optional noreply is
 * among them. A line that the server would refuse with its data block unread is refused here,
 * because the server would take the block for requests; most other mistakes are left to the words
 * of the server.
 *
 * To add a command: one name in a row, one line in the README table if its class is new.
 */
import { CommandTable } from "../command-table.ts";
import { Route } from "../protocol.ts";

/** How the replies of the fragments become one. */
export const CoalesceAs = {
  /** The VALUE blocks in the order of the keys, then one END. */
  Values: 0,
  /** The reply of the second, if the first did not find the key. */
  Probed: 1,
} as const;

/** What the proxy answers by itself; local-replies.ts has one case for each. */
export const Local = { None: 0, Version: 1, Verbosity: 2, Stats: 3, Noop: 4, Quit: 5 } as const;
export type Local = (typeof Local)[keyof typeof Local];

/** Which replies the q flag of a meta command hides; meta.ts knows the bytes. */
export const Quiet = { None: 0, Get: 1, Set: 2, Delete: 3, Arithmetic: 4 } as const;
export type Quiet = (typeof Quiet)[keyof typeof Quiet];

export interface CommandRow {
  readonly name: string;
  readonly route: Route;
  /** Lines with fewer or more words are answered ERROR. */
  readonly wordsMin: number;
  readonly wordsMax: number;
  /** Index of the word that is the first key. */
  readonly firstKey: number;
  /** Index of the word that says how long the data block is; 0 = there is none. */
  readonly sizeAt: number;
  /** Index of the first flag of a meta command; 0 = it is none. */
  readonly flagsAt: number;
  /** From this index on the last word may be noreply; 0 = never. */
  readonly noreplyFrom: number;
  readonly quiet: Quiet;
  readonly local: Local;
  /** Why the command is refused. */
  readonly refusal: string;
}

/** Keys of one request, as many as arguments in Redis. */
export const KEYS_MAX = 1024 * 1024;
const ANY = Infinity;

const EMPTY_ROW: CommandRow = {
  name: "",
  route: Route.Refuse,
  wordsMin: 1,
  wordsMax: ANY,
  firstKey: 1,
  sizeAt: 0,
  flagsAt: 0,
  noreplyFrom: 0,
  quiet: Quiet.None,
  local: Local.None,
  refusal: "",
};

/** The row of every name that no table knows. */
export const UNKNOWN_COMMAND: CommandRow = EMPTY_ROW;

type Settings = Partial<CommandRow>;

function rows(names: string, settings: Settings): CommandRow[] {
  return names.split(/\s+/).map((name) => ({ ...EMPTY_ROW, ...settings, name }));
}

/** Commands with one key and an optional noreply. */
function keyed(names: string, wordsMin: number, wordsMax: number, more: Settings = {}) {
  return rows(names, { route: Route.Key, wordsMin, wordsMax, noreplyFrom: 1, ...more });
}

/** Divided over the servers of their keys. */
function split(names: string, firstKey: number) {
  return rows(names, { route: Route.Keys, wordsMin: 2, firstKey });
}

function meta(name: string, settings: Settings) {
  return rows(name, { route: Route.Key, wordsMin: 2, flagsAt: 2, ...settings });
}

function local(name: string, what: Local, more: Settings = {}) {
  return rows(name, { route: Route.Local, local: what, ...more });
}

function refused(refusal: string, names: string): CommandRow[] {
  return rows(names, { refusal });
}

export const COMMANDS: readonly CommandRow[] = [
  ...split("get gets", 1),
  ...split("gat gats", 2),
  ...keyed("set add replace append prepend", 5, 6, { sizeAt: 4 }),
  ...keyed("cas", 6, 7, { sizeAt: 4 }),
  ...keyed("incr decr touch", 3, 4),
  // `delete noreply` has a key of that name.
  ...keyed("delete", 2, 4, { noreplyFrom: 2 }),
  ...meta("mg", { quiet: Quiet.Get }),
  ...meta("ms", { quiet: Quiet.Set, sizeAt: 2, flagsAt: 3 }),
  ...meta("md", { quiet: Quiet.Delete }),
  ...meta("ma", { quiet: Quiet.Arithmetic }),
  ...meta("me", { wordsMin: 1 }),
  ...rows("flush_all", { route: Route.Servers, wordsMax: 3, noreplyFrom: 1 }),
  // Answered by the proxy.
  ...local("mn", Local.Noop),
  ...local("version", Local.Version),
  ...local("verbosity", Local.Verbosity, { wordsMin: 2, wordsMax: 3, noreplyFrom: 1 }),
  ...local("stats", Local.Stats),
  ...local("quit", Local.Quit),
  // Known to memcached, but not to be had through a proxy.
  ...refused(
    "it concerns one server: connect to that server itself",
    "slabs lru lru_crawler cache_memlimit extstore watch shutdown refresh_certs",
  ),
];

const TABLE = new CommandTable(COMMANDS);

/** The row of a name, or null. Unlike in Redis, names are in lower case only. */
export function findCommand(bytes: Uint8Array, start: number, length: number): CommandRow | null {
  const row = TABLE.find(bytes, start, length);
  if (row === null) return null;
  for (let i = 0; i < length; i++) {
    if (bytes[start + i] !== row.name.charCodeAt(i)) return null;
  }
  return row;
}
