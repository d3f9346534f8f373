/**
 * Texts of system errors, against the ones that this system's own programs print.
 */
import { expect, test } from "bun:test";
import { openSync, readdirSync } from "node:fs";
import { errnoText } from "../../src/log/errno-text.ts";

function failure(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("the action did not fail");
}

test("errors of real calls have glibc's texts", () => {
  const cases: [() => unknown, string][] = [
    [() => openSync("/nonexistent", "r"), "No such file or directory"],
    [() => openSync("/", "w"), "Is a directory"],
    [() => openSync("/dev/null/x", "w"), "Not a directory"],
    [() => readdirSync("/dev/null"), "Not a directory"],
    [() => openSync("/proc/version", "wx"), "File exists"],
  ];
  for (const [action, text] of cases) expect(errnoText(failure(action))).toBe(text);
});

test("a code without a row is shown as it is, and anything else by its message", () => {
  expect(errnoText(Object.assign(new Error("m"), { code: "EUNHEARD" }))).toBe("EUNHEARD");
  expect(errnoText(new Error("no code"))).toBe("no code");
  expect(errnoText("a text")).toBe("a text");
});
