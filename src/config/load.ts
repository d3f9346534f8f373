/**
 * A configuration file -> a frozen Config, or every mistake that is in it at once.
 *
 *   file -readYaml-> tree -readPools-> keys and texts -readPool-> drafts -checkPools-> Config
 *            |               |                            |                  |
 *            '---------------'------ ConfigMistake[] -----'------------------'
 *
 * The mistakes come in the order of these steps, and within a step in the order of the file, so
 * that the first one is that at which nutcracker stops. Does not resolve host names.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { errnoText } from "../log/errno-text.ts";
import type { Config, PoolConfig } from "./config.ts";
import { ConfigError, type ConfigMistake, printable, quote } from "./config-error.ts";
import { DIRECTIVES, directiveOf, type PoolDraft } from "./directives.ts";
import { checkEjectPolicies, policyFields } from "./eject-policy.ts";
import { checkPools, type PoolReading } from "./pool-checks.ts";
import { type PoolSource, readPools } from "./pool-shape.ts";
import { readSettings, SETTING_KEYS } from "./settings.ts";
import { readYaml } from "./yaml-source.ts";

/** Far above any configuration; a mistaken -c must not fill the memory. */
export const FILE_BYTES_MAX = 16 * 1024 * 1024;

const READ_BYTES = 64 * 1024;

/**
 * Reads a configuration file.
 *
 * @param file as named on the command line; errors name it so
 * @throws ConfigError with code CONFIG_NOT_OPENED, or CONFIG_INVALID with every mistake in the file
 */
export function loadConfig(file: string): Config {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (cause) {
    const text = errnoText(cause);
    const legacy = `failed to open configuration '${printable(file)}': ${text}`;
    throw new ConfigError("CONFIG_NOT_OPENED", [
      fileMistake(file, legacy, text, "a file that can be read"),
    ]);
  }
  try {
    return parseConfig(readAll(handle, file), file);
  } finally {
    closeSync(handle);
  }
}

/**
 * Reads a configuration from a text, or from the bytes of one.
 *
 * @param file the name under which mistakes are reported
 * @throws ConfigError with code CONFIG_INVALID
 */
export function parseConfig(source: string | Uint8Array, file: string): Config {
  const yaml = readYaml(source, file);
  const mistakes = [...yaml.mistakes];
  if (yaml.root !== null) {
    const shapes = readPools(yaml.root, file, SETTING_KEYS);
    mistakes.push(...shapes.mistakes);
    const settings = readSettings(shapes.settings, file, mistakes);
    const pools = shapes.pools.map((pool) => readPool(pool, file, mistakes));
    if (pools.length > 0 || shapes.mistakes.length === 0) {
      mistakes.push(...checkPools(pools, file), ...checkEjectPolicies(pools, file));
    }
    if (mistakes.length === 0) {
      const sorted = pools.map(completePool).sort(byName);
      return Object.freeze({ file, pools: Object.freeze(sorted), ...settings });
    }
  }
  throw new ConfigError("CONFIG_INVALID", mistakes);
}

/** The order of pools and of servers: shorter names first, equal lengths byte by byte. */
export function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  const bytes = Buffer.from(one.name);
  const otherBytes = Buffer.from(other.name);
  return bytes.length - otherBytes.length || Buffer.compare(bytes, otherBytes);
}

function readAll(handle: number, file: string): Uint8Array {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for (;;) {
    const part = new Uint8Array(READ_BYTES);
    let count: number;
    try {
      count = readSync(handle, part);
    } catch (cause) {
      const legacy = "failed (err 2) to get the next yaml document";
      throw new ConfigError("CONFIG_INVALID", [
        fileMistake(file, legacy, errnoText(cause), "a file that can be read"),
      ]);
    }
    if (count === 0) {
      return Buffer.concat(parts);
    }
    parts.push(part.subarray(0, count));
    sizeBytes += count;
    if (sizeBytes > FILE_BYTES_MAX) {
      const legacy = `'${printable(file)}' is larger than ${FILE_BYTES_MAX} bytes`;
      const allowed = `at most ${FILE_BYTES_MAX} bytes`;
      throw new ConfigError("CONFIG_INVALID", [
        fileMistake(file, legacy, `more than ${FILE_BYTES_MAX} bytes`, allowed),
      ]);
    }
  }
}

function fileMistake(file: string, legacy: string, found: string, allowed: string): ConfigMistake {
  return { file, line: 0, pool: null, key: null, legacyLine: `conf: ${legacy}`, found, allowed };
}

/** Reads every value of a pool; those that are refused end in `mistakes`. */
function readPool(source: PoolSource, file: string, mistakes: ConfigMistake[]): PoolReading {
  const pool = source.name.text;
  const draft: PoolDraft = { servers: [] };
  const lineOf = new Map<string, number>();
  const serverLines: number[] = [];
  const report = (
    line: number,
    key: string | null,
    legacy: string,
    found: string,
    allowed: string,
  ) => mistakes.push({ file, line, pool, key, legacyLine: `conf: ${legacy}`, found, allowed });

  let isWithoutList = !source.directives.some(({ isList }) => isList);
  if (pool === "") {
    const legacy = `'${printable(file)}' has a pool with an empty name`;
    report(source.name.line, null, legacy, "no name", "a name for the pool");
  }
  for (const { key, isList, values } of source.directives) {
    const directive = directiveOf(key.text);
    const named = `directive "${printable(key.text)}"`;
    if (directive === undefined) {
      isWithoutList ||= isList;
      const isSetting = SETTING_KEYS.includes(key.text);
      const found = isSetting ? "a setting of the whole process in a pool" : "an unknown key";
      const allowed = isSetting ? "it beside the pools, not indented" : `one of ${knownKeys}`;
      report(key.line, key.text, `${named} is unknown`, found, allowed);
      continue;
    }
    for (const { text, line } of values) {
      const firstLine = lineOf.get(directive.key);
      lineOf.set(directive.key, firstLine ?? line);
      if (text === "") {
        report(line, key.text, `${named} has an empty value`, "nothing", directive.allowed);
        continue;
      }
      if (firstLine !== undefined && directive !== serversDirective) {
        const found = `it for the second time (first on line ${firstLine})`;
        report(line, key.text, `${named} is a duplicate`, found, "it once in a pool");
        continue;
      }
      const refusal = directive.set(draft, text);
      if (refusal !== null) {
        const allowed = refusal.allowed ?? directive.allowed;
        report(line, key.text, `${named} ${refusal.legacy}`, quote(text), allowed);
      } else if (directive === serversDirective) {
        serverLines.push(line);
      }
    }
    lineOf.set(directive.key, lineOf.get(directive.key) ?? key.line);
  }
  return { name: pool, line: source.name.line, draft, lineOf, serverLines, isWithoutList };
}

const serversDirective = directiveOf("servers");
const knownKeys = DIRECTIVES.map((directive) => directive.key).join(", ");

/** Fills in the defaults and freezes. The checks have made sure that nothing is missing. */
function completePool({ name, draft, lineOf }: PoolReading): PoolConfig {
  for (const directive of DIRECTIVES) {
    if (!lineOf.has(directive.key) && directive.defaultText !== null) {
      directive.set(draft, directive.defaultText);
    }
  }
  const { hashTag = null, redisAuth = null, listen } = draft;
  for (const part of [listen, ...draft.servers]) {
    Object.freeze(part?.address);
    Object.freeze(part);
  }
  return Object.freeze({
    ...(draft as Required<PoolDraft>),
    name,
    ...policyFields(draft as Required<PoolDraft>, lineOf),
    hashTag,
    redisAuth,
    servers: Object.freeze(draft.servers.toSorted(byName)),
  });
}
