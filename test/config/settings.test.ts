/** What stands in the file beside the pools: values, defaults, mistakes with their lines. */
import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { ConfigError, formatMistake } from "../../src/config/config-error.ts";
import { parseConfig } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/settings.ts";
import { usableMemoryBytes } from "../../src/lib/machine-memory.ts";
import { poolWith } from "./config-case.ts";

const MB = 1024 * 1024;
const GB = 1024 * MB;

function settingsOf(...lines: readonly string[]) {
  const { file: _file, pools, ...settings } = parseConfig([...lines, poolWith()].join("\n"), "F");
  expect(pools.map(({ name }) => name)).toEqual(["alpha"]);
  return settings;
}

/** Each mistake in both tongues. */
function mistakesOf(...lines: readonly string[]): [people: string, legacy: string][] {
  try {
    parseConfig([...lines, poolWith()].join("\n"), "F");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map((mistake) => [formatMistake(mistake), mistake.legacyLine]);
  }
}

test("one that stands in a pool: where it belongs", () => {
  const text = `${poolWith()}`.replace(
    "alpha:\n",
    "alpha:\n  workers: 2\n  max_buffer_memory: 1gb\n",
  );
  expect(() => parseConfig(text, "F")).toThrow(
    'F:2: pool "alpha": workers: found a setting of the whole process in a pool, ' +
      'allowed: it beside the pools, not indented\nF:3: pool "alpha": max_buffer_memory: found a',
  );
});

test("without any there are the defaults", () => {
  expect(settingsOf()).toEqual({
    maxBufferMemoryBytes: Math.max(16 * MB, Math.floor((usableMemoryBytes() / 100) * 25)),
    workers: 1,
  });
});

test.each(SETTINGS.map((setting) => [setting.key, setting] as const))(
  "the row of %s is complete",
  (_key, { defaultText, read, help, allowed }) => {
    expect(read(defaultText)).toBeGreaterThan(0);
    expect(help).toMatch(/^[A-Z].*\.$/);
    expect(allowed).not.toBe("");
  },
);

test.each([
  ["max_buffer_memory: 1gb", { maxBufferMemoryBytes: GB }],
  ["max_buffer_memory: 512MB", { maxBufferMemoryBytes: 512 * MB }],
  ["max_buffer_memory: 20480Kb", { maxBufferMemoryBytes: 20 * MB }],
  ["max_buffer_memory: 16777216", { maxBufferMemoryBytes: 16 * MB }],
  ["max_buffer_memory: 16mb", { maxBufferMemoryBytes: 16 * MB }],
  ["max_buffer_memory: '4gb'", { maxBufferMemoryBytes: 4 * GB }],
  ["max_buffer_memory: 100%", { maxBufferMemoryBytes: usableMemoryBytes() }],
  ["workers: 1", { workers: 1 }],
  ["workers: 256", { workers: 256 }],
  ["workers: auto", { workers: availableParallelism() }],
])("%s", (line, expected) => {
  expect(settingsOf(line)).toMatchObject(expected);
});

test("they may stand anywhere between the pools, and in any order", () => {
  const text = `workers: 2\n${poolWith()}\nmax_buffer_memory: 64mb\n`;
  expect(parseConfig(text, "F")).toMatchObject({ workers: 2, maxBufferMemoryBytes: 64 * MB });
});

const MEMORY =
  "at least 16mb: a number of bytes, one with kb, mb or gb, or 1% to 100% of the memory";
const WORKERS = "a number from 1 to 256, or auto";

test.each([
  ...["15mb", "0", "16777215", "-1", "1tb", "1 gb", "1.5gb", "0%", "101%", "%", "gb", "1e9"].map(
    (text) => ["max_buffer_memory", text, MEMORY] as const,
  ),
  ["max_buffer_memory", "99999999999999999gb", MEMORY] as const,
  ...["0", "257", "-1", "Auto", "two", "1.5"].map((text) => ["workers", text, WORKERS] as const),
])("%s: %s is refused", (key, text, allowed) => {
  expect(mistakesOf("# a comment", `${key}: "${text}"`)).toEqual([
    [`F:2: ${key}: found "${text}", allowed: ${allowed}`, `conf: 'F' has an invalid "${key}:"`],
  ]);
});

test("nothing behind the key, and the same key twice", () => {
  expect(mistakesOf("workers:", "max_buffer_memory: 1gb", "max_buffer_memory: 2gb")).toEqual([
    [
      "F:3: max_buffer_memory: found it for the second time (first on line 2), allowed: it once",
      "conf: 'F' has more than one \"max_buffer_memory:\"",
    ],
    [`F:1: workers: found nothing, allowed: ${WORKERS}`, "conf: 'F' has an invalid \"workers:\""],
  ]);
});

test("a text behind any other key is nutcracker's mistake, and the settings are named", () => {
  const allowed =
    "the name of a pool and, indented below it, its directives; or a setting of the whole process: max_buffer_memory, workers";
  expect(mistakesOf("worker: 3", "Workers: 3")).toEqual(
    ["worker", "Workers"].map((key, index) => [
      `F:${index + 1}: pool "${key}": found "3", allowed: ${allowed}`,
      "conf: 'F' has invalid mapping \"key:\" at depth 1",
    ]),
  );
});

test("a pool may have the name of a setting; a list is no setting", () => {
  const pool = poolWith().replace("alpha", "workers");
  expect(parseConfig(pool, "F")).toMatchObject({ pools: [{ name: "workers" }], workers: 1 });
  expect(mistakesOf("workers:", "  - 1")[0]?.[1]).toBe(
    "conf: 'F' has sequence at depth 1 instead of 2",
  );
});

test("settings alone are no configuration", () => {
  expect(() => parseConfig("workers: 2\n", "F")).toThrow(/found no pool/);
});
