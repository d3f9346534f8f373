/** Patterns of CONFIG GET and COMMAND LIST, and that none of them takes long. */
import { expect, test } from "bun:test";
import { globMatches } from "../../../src/protocol/redis/glob.ts";

test.each([
  ["*", "", true],
  ["*", "save", true],
  ["", "", true],
  ["", "a", false],
  ["s?ve", "save", true],
  ["s?ve", "sve", false],
  ["SAVE", "save", true],
  ["max*", "maxmemory-policy", true],
  ["*policy", "maxmemory-policy", true],
  ["*mem*pol*", "maxmemory-policy", true],
  ["*mem*pox*", "maxmemory-policy", false],
  ["[ms]ave", "save", true],
  ["[^s]ave", "save", false],
  ["[a-t]ave", "save", true],
  ["[t-a]ave", "save", true],
  ["[a-c]ave", "save", false],
  ["sav[e", "save", true],
  ["s\\*", "s*", true],
  ["s\\*", "save", false],
  ["a**", "a", true],
  ["*a", "aaab", false],
])("%s and %s", (pattern, text, expected) => {
  expect(globMatches(pattern, text)).toBe(expected);
});

test("many stars do not take for ever", () => {
  expect(globMatches("*a".repeat(5000), "a".repeat(4999))).toBe(false);
});
