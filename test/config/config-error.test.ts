/** How mistakes are told: one line each, nothing of the file able to break out of it. */
import { expect, test } from "bun:test";
import { ConfigError, type ConfigMistake, formatMistake } from "../../src/config/config-error.ts";
import { ProxyError } from "../../src/lib/errors.ts";

const mistake: ConfigMistake = {
  file: "conf/a.yml",
  line: 12,
  pool: "alpha",
  key: "timeout",
  legacyLine: 'conf: directive "timeout" is not a number',
  found: '"abc"',
  allowed: "a number of milliseconds from 0 to 2147483647",
};

test("a mistake is one line with file, line, pool, key, what was found and what is allowed", () => {
  expect(formatMistake(mistake)).toBe(
    'conf/a.yml:12: pool "alpha": timeout: found "abc", allowed: a number of milliseconds from 0 to 2147483647',
  );
});

test("what is not known is left out", () => {
  const line = formatMistake({ ...mistake, line: 0, pool: null, key: null });
  expect(line).toStartWith('conf/a.yml: found "abc", allowed: ');
});

test("a text of the file cannot start a line of its own", () => {
  const odd = { ...mistake, file: "a\nb", pool: "p\r\n[2026] x", key: "k\u2028" };
  expect(formatMistake(odd)).not.toMatch(/[\r\n\u2028]/);
});

test("the error is the operator's and says every mistake", () => {
  const error = new ConfigError("CONFIG_INVALID", [mistake, { ...mistake, line: 13 }]);
  expect(error).toBeInstanceOf(ProxyError);
  expect(error.source).toBe("operator");
  expect(error.code).toBe("CONFIG_INVALID");
  expect(error.message.split("\n")).toEqual(error.mistakes.map(formatMistake));
});
