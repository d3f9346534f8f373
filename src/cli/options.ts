/**
 * The table of command line options: one row per option, which feeds the parser, the usage text,
 * README's check and the tests. Texts and defaults are nutcracker's (upstream's, not Debian's),
 * but for the last row, which nutcracker does not have.
 *
 * Differs: a number above 2147483647 is refused; nutcracker lets it wrap around. Twin: nc.c.
 */

import { printable } from "../config/config-error.ts";
import { readWorkerCount, WORKERS_MAX } from "../config/settings.ts";
import { ProxyError } from "../lib/errors.ts";
import { LOG_LEVEL_DEFAULT, LOG_LEVEL_MAX, LOG_LEVEL_MIN } from "../log/log-level.ts";
import { PROGRAM_NAME } from "../process/version.ts";
import { getopt, type OptionName } from "./getopt.ts";

/** What the command line asks for. */
export interface Options {
  readonly showHelp: boolean;
  readonly showVersion: boolean;
  readonly testConfig: boolean;
  readonly daemonize: boolean;
  readonly describeStats: boolean;
  /** Log level; one above 11 counts as 11. */
  readonly verbosity: number;
  /** Null = stderr. */
  readonly logFile: string | null;
  readonly configFile: string;
  readonly statsPort: number;
  /** Host name, address, or the path of a unix socket. */
  readonly statsAddress: string;
  /** Accepted for old command lines. Our stats are exact at any time: there is nothing to do. */
  readonly statsIntervalMs: number;
  /** Null = none. */
  readonly pidFile: string | null;
  /** Room of one buffer chunk. */
  readonly mbufSizeBytes: number;
  /** Processes that serve; null = as the configuration says. */
  readonly workers: number | null;
}

export const DEFAULT_OPTIONS: Options = {
  showHelp: false,
  showVersion: false,
  testConfig: false,
  daemonize: false,
  describeStats: false,
  verbosity: LOG_LEVEL_DEFAULT,
  logFile: null,
  configFile: "conf/nutcracker.yml",
  statsPort: 22222,
  statsAddress: "0.0.0.0",
  statsIntervalMs: 30_000,
  pidFile: null,
  mbufSizeBytes: 16_384,
  workers: null,
};

const MBUF_SIZE_MIN_BYTES = 512;
const MBUF_SIZE_MAX_BYTES = 16 * 1024 * 1024;
const PORT_MAX = 65_535;
/** The largest number that nutcracker's 32 bits can hold. */
const NUMBER_MAX = 2_147_483_647;

/** One option. `takesArgument` follows from `argument`. */
export interface OptionRow extends OptionName {
  /** How the usage text calls the argument: a number N, a text S. */
  readonly argument: "" | "N" | "S";
  readonly help: string;
  /** What the usage text says about the default, "" = nothing. */
  readonly defaultText: string;
  /** What the option is told to require when its argument is missing. */
  readonly requires: string;
  /** The change that the option makes. @throws ProxyError OPTION_INVALID */
  readonly read: (argument: string) => Partial<Options>;
}

function flag(letter: string, name: string, help: string, change: Partial<Options>): OptionRow {
  return {
    letter,
    name,
    argument: "",
    takesArgument: false,
    help,
    defaultText: "",
    requires: "",
    read: () => change,
  };
}

type ArgumentRow = Omit<OptionRow, "argument" | "takesArgument" | "requires">;

function number(row: ArgumentRow): OptionRow {
  return { ...row, argument: "N", takesArgument: true, requires: "a number" };
}

function fileName(row: ArgumentRow): OptionRow {
  return { ...row, argument: "S", takesArgument: true, requires: "a file name" };
}

function text(row: ArgumentRow): OptionRow {
  return { ...row, argument: "S", takesArgument: true, requires: "a string" };
}

export const OPTION_ROWS: readonly OptionRow[] = [
  flag("h", "help", "this help", { showHelp: true, showVersion: true }),
  flag("V", "version", "show version and exit", { showVersion: true }),
  flag("t", "test-conf", "test configuration for syntax errors and exit", { testConfig: true }),
  flag("d", "daemonize", "run as a daemon", { daemonize: true }),
  flag("D", "describe-stats", "print stats description and exit", {
    describeStats: true,
    showVersion: true,
  }),
  number({
    letter: "v",
    name: "verbose",
    help: "set logging level",
    defaultText: `${DEFAULT_OPTIONS.verbosity}, min: ${LOG_LEVEL_MIN}, max: ${LOG_LEVEL_MAX}`,
    read: (argument) => ({ verbosity: readNumber("v", argument) }),
  }),
  fileName({
    letter: "o",
    name: "output",
    help: "set logging file",
    defaultText: "stderr",
    read: (argument) => ({ logFile: argument === "" ? null : argument }),
  }),
  fileName({
    letter: "c",
    name: "conf-file",
    help: "set configuration file",
    defaultText: DEFAULT_OPTIONS.configFile,
    read: (argument) => ({ configFile: argument }),
  }),
  number({
    letter: "s",
    name: "stats-port",
    help: "set stats monitoring port",
    defaultText: `${DEFAULT_OPTIONS.statsPort}`,
    read: (argument) => ({ statsPort: readPort("s", argument) }),
  }),
  text({
    letter: "a",
    name: "stats-addr",
    help: "set stats monitoring ip",
    defaultText: DEFAULT_OPTIONS.statsAddress,
    read: (argument) => ({ statsAddress: argument }),
  }),
  number({
    letter: "i",
    name: "stats-interval",
    help: "set stats aggregation interval in msec",
    defaultText: `${DEFAULT_OPTIONS.statsIntervalMs} msec`,
    read: (argument) => ({ statsIntervalMs: readNumber("i", argument) }),
  }),
  fileName({
    letter: "p",
    name: "pid-file",
    help: "set pid file",
    defaultText: "off",
    read: (argument) => ({ pidFile: argument }),
  }),
  number({
    letter: "m",
    name: "mbuf-size",
    help: "set size of mbuf chunk in bytes",
    defaultText: `${DEFAULT_OPTIONS.mbufSizeBytes} bytes`,
    read: (argument) => ({ mbufSizeBytes: readMbufSize("m", argument) }),
  }),
  number({
    letter: "w",
    name: "workers",
    help: "set number of worker processes, or auto",
    defaultText: "1",
    read: (argument) => ({ workers: readWorkers("w", argument) }),
  }),
];

/**
 * Reads the words behind the program's name. A later option overrides an earlier one; words that
 * are no options are passed over.
 *
 * @throws ProxyError OPTION_INVALID for the first bad option, in nutcracker's words
 */
export function parseOptions(words: readonly string[]): Options {
  let options = DEFAULT_OPTIONS;
  for (const result of getopt(OPTION_ROWS, words)) {
    switch (result.kind) {
      case "option":
        options = { ...options, ...result.row.read(result.argument) };
        break;
      case "no argument":
        throw invalid(`option -${result.row.letter} requires ${result.row.requires}`);
      case "unknown":
        throw invalid(`invalid option -- '${result.letter}'`);
    }
  }
  return options;
}

/** @param found what stands there; it gets a line of its own below nutcracker's */
function invalid(message: string, found: string | null = null): ProxyError {
  const text =
    found === null ? message : `${message}\n${PROGRAM_NAME}: found '${printable(found)}'`;
  return new ProxyError("OPTION_INVALID", "operator", text);
}

/** Decimal digits and nothing else; null for anything that nutcracker cannot hold. */
function parseNumber(argument: string): number | null {
  if (!/^[0-9]+$/.test(argument)) return null;
  const value = Number(argument);
  return value > NUMBER_MAX ? null : value;
}

function readNumber(letter: string, argument: string): number {
  const value = parseNumber(argument);
  if (value === null) throw invalid(`option -${letter} requires a number`, argument);
  return value;
}

function readPort(letter: string, argument: string): number {
  const port = readNumber(letter, argument);
  if (port < 1 || port > PORT_MAX) {
    throw invalid(`option -${letter} value ${port} is not a valid port`);
  }
  return port;
}

function readMbufSize(letter: string, argument: string): number {
  const sizeBytes = parseNumber(argument);
  if (sizeBytes === null || sizeBytes === 0) {
    throw invalid(`option -${letter} requires a non-zero number`, argument);
  }
  if (sizeBytes < MBUF_SIZE_MIN_BYTES || sizeBytes > MBUF_SIZE_MAX_BYTES) {
    const range = `between ${MBUF_SIZE_MIN_BYTES} and ${MBUF_SIZE_MAX_BYTES} bytes`;
    throw invalid(`mbuf chunk size must be ${range}`, argument);
  }
  return sizeBytes;
}

function readWorkers(letter: string, argument: string): number {
  const count = readWorkerCount(argument);
  if (count < 0) throw invalid(`option -${letter} requires a number or auto`, argument);
  if (count < 1 || count > WORKERS_MAX) {
    throw invalid(`number of workers must be between 1 and ${WORKERS_MAX}`, argument);
  }
  return count;
}
