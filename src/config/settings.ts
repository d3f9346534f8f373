/**
 * The table of settings: what holds for the whole process, and so stands in the file beside the
 * pools and not in one.
 *
 *   max_buffer_memory: 1gb        a setting: a text behind the key
 *   alpha:                        a pool: a mapping below it
 *     listen: 127.0.0.1:22121
 *
 * Made like the table of directives (directives.ts): defaults are texts and go through the same
 * reader as the file's. Differs: nutcracker knows no settings and refuses a file that has one.
 */

import { availableParallelism } from "node:os";
import { usableMemoryBytes } from "../lib/machine-memory.ts";
import { readDigits } from "./addresses.ts";
import type { Config } from "./config.ts";
import { type ConfigMistake, printable, quote } from "./config-error.ts";
import type { SettingSource } from "./pool-shape.ts";

/** The values of all settings. */
export type Settings = Omit<Config, "file" | "pools">;

export interface Setting {
  readonly key: string;
  readonly field: keyof Settings;
  /** As it would stand in the file. */
  readonly defaultText: string;
  readonly allowed: string;
  readonly help: string;
  /** The value that a text means, or -1. */
  readonly read: (text: string) => number;
}

export const WORKERS_MAX = 256;

const KB = 1024;
/** Below it a few large values would be too much. */
const BUFFER_MEMORY_MIN_BYTES = 16 * KB * KB;

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  kb: KB,
  mb: KB ** 2,
  gb: KB ** 3,
};

export const SETTINGS: readonly Setting[] = [
  {
    key: "max_buffer_memory",
    field: "maxBufferMemoryBytes",
    defaultText: "25%",
    allowed: "at least 16mb: a number of bytes, one with kb, mb or gb, or 1% to 100% of the memory",
    help: "Most memory for all buffers together; shared out equally among workers.",
    read: readBufferMemory,
  },
  {
    key: "workers",
    field: "workers",
    defaultText: "1",
    allowed: `a number from 1 to ${WORKERS_MAX}, or auto`,
    help: "Processes that serve; auto is one for each core, and -w wins.",
    read: (text) => {
      const count = readWorkerCount(text);
      return count >= 1 && count <= WORKERS_MAX ? count : -1;
    },
  },
];

/** "auto" is one for each core that this process may use. @returns -1 if it is no number either */
export function readWorkerCount(text: string): number {
  return text === "auto" ? Math.min(availableParallelism(), WORKERS_MAX) : readDigits(text);
}

/** Case sensitive. */
export const SETTING_KEYS: readonly string[] = SETTINGS.map(({ key }) => key);

/** Reads the settings of a file, and fills in the defaults; mistakes end in `mistakes`. */
export function readSettings(
  sources: readonly SettingSource[],
  file: string,
  mistakes: ConfigMistake[],
): Settings {
  const values: { -readonly [Field in keyof Settings]?: number } = {};
  for (const { key, field, defaultText, allowed, read } of SETTINGS) {
    values[field] = read(defaultText);
    const [first, ...others] = sources.filter((source) => source.key.text === key);
    if (first === undefined) continue;
    const report = (line: number, legacy: string, found: string, what: string) => {
      const legacyLine = `conf: '${printable(file)}' ${legacy}`;
      mistakes.push({ file, line, pool: null, key, legacyLine, found, allowed: what });
    };
    for (const other of others) {
      const found = `it for the second time (first on line ${first.key.line})`;
      report(other.key.line, `has more than one "${key}:"`, found, "it once");
    }
    const value = read(first.value.text);
    if (value >= 0) {
      values[field] = value;
      continue;
    }
    const found = first.value.text === "" ? "nothing" : quote(first.value.text);
    report(first.key.line, `has an invalid "${key}:"`, found, allowed);
  }
  return values as Settings;
}

/** A share of the memory is never too small: what is meant then is as little as possible. */
function readBufferMemory(text: string): number {
  const percent = /^([1-9][0-9]?|100)%$/.exec(text)?.[1];
  if (percent !== undefined) {
    const share = Math.floor((usableMemoryBytes() / 100) * Number(percent));
    return Math.max(share, BUFFER_MEMORY_MIN_BYTES);
  }
  const [, number, unit = ""] = /^([0-9]+)([kmg]b)?$/.exec(text.toLowerCase()) ?? [];
  const sizeBytes = Number(number) * (UNIT_BYTES[unit] ?? NaN);
  return sizeBytes >= BUFFER_MEMORY_MIN_BYTES && Number.isSafeInteger(sizeBytes) ? sizeBytes : -1;
}
