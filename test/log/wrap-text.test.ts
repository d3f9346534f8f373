/**
 * Long texts broken into log lines: nothing is lost, nothing is too long.
 */
import { expect, test } from "bun:test";
import { wrapText } from "../../src/log/wrap-text.ts";

test("a short text stays as it is", () => {
  for (const text of ["", "a", "a b", "x".repeat(180)]) expect(wrapText(text)).toEqual([text]);
});

test("a long text is broken at blanks", () => {
  const words = Array.from({ length: 100 }, (_, index) => `word${index},`);
  const lines = wrapText(words.join(" "));
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(180);
  for (const line of lines.slice(1)) expect(line).toStartWith("  word");
  expect(lines.map((line) => line.trim()).join(" ")).toBe(words.join(" "));
});

test("a text without blanks is broken anyway", () => {
  const lines = wrapText("k".repeat(1000));
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(180);
  expect(lines.map((line) => line.trim()).join("")).toBe("k".repeat(1000));
});
