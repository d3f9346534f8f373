/**
 * The shape of a row of the command table, and the words in which rows are written down.
 *
 * commands.ts and module-commands.ts hold the rows themselves.
 */
import { Route } from "../protocol.ts";

/** How the replies of the fragments become one. */
export const CoalesceAs = {
  /** One array with the values in the order of the keys. */
  Values: 0,
  /** The sum of the numbers. */
  Sum: 1,
  /** One +OK. */
  Ok: 2,
} as const;

/** Where the keys of a request are, beyond the one that decides its server. */
export const KeyRule = {
  /** From firstKey to lastKey, keyStep apart. */
  Range: 0,
  /** From firstKey on, as many as the argument before it says. */
  Counted: 1,
  /** firstKey, a number, and as many keys more: a destination and its sources. */
  StoredCounted: 2,
  /** Behind the word STREAMS; half of what follows. */
  Streams: 3,
  /** At firstKey, behind one subcommand; the others are refused. */
  Subcommand: 4,
  /** At firstKey, and where the option STORE says so. */
  StoreOption: 5,
} as const;
export type KeyRule = (typeof KeyRule)[keyof typeof KeyRule];

/** What the proxy answers by itself; local-replies.ts has the reply to each. */
export const Local = {
  None: 0,
  Ping: 1,
  Echo: 2,
  Quit: 3,
  Auth: 4,
  Select: 5,
  Info: 6,
  Hello: 7,
  Client: 8,
  Reset: 9,
  Command: 10,
  Config: 11,
  Time: 12,
  ReadMode: 13,
} as const;
export type Local = (typeof Local)[keyof typeof Local];

export interface CommandRow {
  readonly name: string;
  readonly route: Route;
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  /** Index of the first key among the arguments. */
  readonly firstKey: number;
  /** Index of the last key; negative: from the end, -1 is the last argument. */
  readonly lastKey: number;
  /** From one key to the next: 1 for MGET, 2 for MSET. */
  readonly keyStep: number;
  readonly keyRule: KeyRule;
  /** The subcommand that has a key, where keyRule is Subcommand. */
  readonly subcommand: string;
  /** The last argument whose place the parser notes. */
  readonly markLast: number;
  /** Index of the argument that counts the keys and must be 1 or more; -1 = none. */
  readonly keyCountAt: number;
  readonly coalesceAs: number;
  /** Name for fragments, in lower case as nutcracker writes it. */
  readonly fragmentName: string;
  readonly local: Local;
  /** Why the command is refused. */
  readonly refusal: string;
  /** It may wait at the server for what is not there yet; XREAD only with BLOCK (blocking.ts). */
  readonly mayBlock: boolean;
  /** It concerns a server as a whole: a pool of one server may pass it on (server-commands.ts). */
  readonly isForServer: boolean;
}

/** No upper limit: as many arguments as a request can have. */
export const ANY = 1024 * 1024;

const EMPTY_ROW: CommandRow = {
  name: "",
  route: Route.Refuse,
  argumentsMin: 1,
  argumentsMax: ANY,
  firstKey: 1,
  lastKey: 1,
  keyStep: 1,
  keyRule: KeyRule.Range,
  subcommand: "",
  markLast: 1,
  keyCountAt: -1,
  coalesceAs: 0,
  fragmentName: "",
  local: Local.None,
  refusal: "",
  mayBlock: false,
  isForServer: false,
};

/** The row of every name that no table knows. */
export const UNKNOWN_COMMAND: CommandRow = EMPTY_ROW;

export type Settings = Partial<CommandRow>;

/** One row for each of the names, which are alike but for that. */
export function rows(names: string, settings: Settings): CommandRow[] {
  const lastKey = settings.lastKey ?? settings.firstKey ?? EMPTY_ROW.lastKey;
  return names.split(/\s+/).map((name) => ({ ...EMPTY_ROW, ...settings, lastKey, name }));
}

/** Commands that go to the server of one key, wherever their other keys may be. */
export function keyed(
  argumentsMin: number,
  argumentsMax: number,
  names: string,
  more: Settings = {},
): CommandRow[] {
  return rows(names, { route: Route.Key, argumentsMin, argumentsMax, ...more });
}

/** Commands whose keys must all be on one server. */
export function together(argumentsMin: number, names: string, more: Settings): CommandRow[] {
  return rows(names, { route: Route.SameServer, argumentsMin, markLast: ANY, ...more });
}

/** The same, for commands that may block. */
export function blocking(argumentsMin: number, names: string, more: Settings): CommandRow[] {
  return together(argumentsMin, names, { mayBlock: true, ...more });
}

/** A command that is divided over the servers of its keys. */
export function split(
  name: string,
  argumentsMin: number,
  keyStep: number,
  coalesceAs: number,
): CommandRow[] {
  const fragmentName = name.toLowerCase();
  const settings = { argumentsMin, keyStep, lastKey: -1, coalesceAs, fragmentName, markLast: ANY };
  return rows(name, { ...settings, route: Route.Keys });
}

export function local(
  name: string,
  argumentsMin: number,
  argumentsMax: number,
  what: Local,
  more: Settings = {},
): CommandRow[] {
  const settings = { argumentsMin, argumentsMax, markLast: ANY };
  return rows(name, { ...settings, route: Route.Local, local: what, ...more });
}

export function refused(refusal: string, names: string): CommandRow[] {
  return rows(names, { refusal });
}

/** Commands that are refused because there are several servers, if there are. */
export function forServer(refusal: string, names: string): CommandRow[] {
  return rows(names, { refusal, isForServer: true });
}

export const ALL_KEYS =
  "it concerns all keys of a server, and keys are spread over several: ask each server itself";
export const ONE_SERVER = "it concerns one server: connect to that server itself";
