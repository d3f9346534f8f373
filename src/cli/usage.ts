/**
 * The texts of --version, --help and --describe-stats, byte for byte as nutcracker prints them.
 *
 * nutcracker ends most lines of its usage with CR LF and some with LF. Init scripts and wrappers
 * compare such texts, so the odd line ends stay.
 */

import { PROGRAM_NAME, VERSION } from "../process/version.ts";
import { type Metric, POOL_METRICS, SERVER_METRICS } from "../stats/metrics.ts";
import { OPTION_ROWS, type OptionRow, type Options } from "./options.ts";

/** How the system waits for sockets. */
const EVENT_BACKEND = process.platform === "linux" ? "epoll" : "kqueue";

const SYNOPSIS = [
  `Usage: ${PROGRAM_NAME} [-?hVdDt] [-v verbosity level] [-o output file]\r\n`,
  "                  [-c conf file] [-s stats port] [-a stats addr]\r\n",
  "                  [-i stats interval] [-p pid file] [-m mbuf size]\r\n",
];

/** As wide as "-i, --stats-interval=N". */
const OPTION_COLUMN = 22;
const METRIC_COLUMN = 20;

/** What -h, -V and -D ask for; if several are given, all of it in nutcracker's order. */
export function descriptionText(options: Options): string {
  const usage = options.showHelp ? usageText() : "";
  const stats = options.describeStats ? statsText() : "";
  return `${bannerText()}${usage}${stats}`;
}

/** @param message what is wrong with an option */
export function badOptionText(message: string): string {
  return `${PROGRAM_NAME}: ${message}\n${usageText()}`;
}

function bannerText(): string {
  return `This is ${PROGRAM_NAME}-${VERSION}\nasync event backend: ${EVENT_BACKEND}\n\n`;
}

function usageText(): string {
  return [...SYNOPSIS, "\n", "Options:\r\n", ...OPTION_ROWS.map(optionLine), "\n"].join("");
}

function statsText(): string {
  const pool = POOL_METRICS.map(metricLine);
  const server = SERVER_METRICS.map(metricLine);
  return ["pool stats:\n", ...pool, "\n", "server stats:\n", ...server].join("");
}

function optionLine(row: OptionRow): string {
  const argument = row.takesArgument ? `=${row.argument}` : "";
  const left = `-${row.letter}, --${row.name}${argument}`.padEnd(OPTION_COLUMN);
  const ending = row.defaultText === "" ? "" : ` (default: ${row.defaultText})`;
  // The one line of the list that nutcracker ends without a CR.
  const lineEnd = row.name === "describe-stats" ? "\n" : "\r\n";
  return `  ${left} : ${row.help}${ending}${lineEnd}`;
}

function metricLine(metric: Metric<string>): string {
  return `  ${metric.name.padEnd(METRIC_COLUMN)}"${metric.help}"\n`;
}
