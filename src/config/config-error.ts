/**
 * What is wrong with a configuration, in two tongues: a line for people (file, line, pool, key,
 * what was found, what is allowed) and nutcracker's own log line, which scripts grep for.
 *
 * Mistakes are found in yaml-source.ts (the YAML), pool-shape.ts (where lists and mappings stand),
 * directives.ts with addresses.ts (single values) and pool-checks.ts (values against each other).
 */

import { ProxyError } from "../lib/errors.ts";

export interface ConfigMistake {
  /** The file as named on the command line. */
  readonly file: string;
  /** 1-based; 0 if no line is to blame. */
  readonly line: number;
  readonly pool: string | null;
  /** The directive, as written. */
  readonly key: string | null;
  /** What nutcracker would log, from "conf: " on. Always one line. */
  readonly legacyLine: string;
  /** What stands in the file. Never a password. */
  readonly found: string;
  /** What could stand there instead. */
  readonly allowed: string;
}

/** The outcome of reading one text: its value, or why it was refused. */
export type Reading<T> = { readonly value: T } | { readonly refusal: Refusal };

export interface Refusal {
  /** What nutcracker writes after `conf: directive "key" `. */
  readonly legacy: string;
  /** Where it is narrower than what the directive allows at all. */
  readonly allowed?: string;
}

/** A file that was opened but is wrong, and a file that could not be opened at all. */
export type ConfigErrorCode = "CONFIG_INVALID" | "CONFIG_NOT_OPENED";

/** Every mistake of a file at once. The first is the one at which nutcracker would have stopped. */
export class ConfigError extends ProxyError {
  readonly mistakes: readonly ConfigMistake[];

  constructor(code: ConfigErrorCode, mistakes: readonly ConfigMistake[]) {
    super(code, "operator", mistakes.map(formatMistake).join("\n"));
    this.name = "ConfigError";
    this.mistakes = mistakes;
  }
}

/**
 * One line for people:
 * `conf/a.yml:12: pool "alpha": timeout: found "abc", allowed: a number from 0 to 2147483647`.
 */
export function formatMistake(mistake: ConfigMistake): string {
  const place = mistake.line > 0 ? `${mistake.file}:${mistake.line}` : mistake.file;
  const pool = mistake.pool === null ? "" : ` pool ${quote(mistake.pool)}:`;
  const key = mistake.key === null ? "" : ` ${printable(mistake.key)}:`;
  return `${printable(place)}:${pool}${key} found ${mistake.found}, allowed: ${mistake.allowed}`;
}

const QUOTED_LENGTH_MAX = 120;

/** A text of the file in quotes, on one line and not longer than a reader can take in. */
export function quote(text: string): string {
  const shown = text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}...` : text;
  return `"${printable(shown)}"`;
}

/** Control characters as escapes, so that a text cannot start a line of its own in a log. */
export function printable(text: string): string {
  return text.replace(
    /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
