/**
 * The architecture, as a test: what ARCHITECTURE.md says about floors, shapes and words is checked
 * on every file. A message names the place, what is wrong and how to mend it.
 *
 * The rules are in test/tidy/, and test/tidy/checks.test.ts shows that each of them can fail.
 */
import { expect, test } from "bun:test";
import { OPTION_ROWS } from "../src/cli/options.ts";
import { DIRECTIVES } from "../src/config/directives.ts";
import { SETTINGS } from "../src/config/settings.ts";
import { CHECKS, readProject } from "./tidy/checks.ts";
import { findTableProblems } from "./tidy/documents.ts";
import { type Problem, problemText } from "./tidy/source-file.ts";

const files = readProject();

for (const check of CHECKS) {
  test(check.name, () => expectNone(check.find(files)));
}

test("README has a row for every option of the command line, and no other", () => {
  const rows = OPTION_ROWS.map(({ letter, name, defaultText }) => ({
    names: [`-${letter}`, `--${name}`],
    // The usage text has the unit or the range behind the default.
    defaultText: defaultText.split(/[ ,]/)[0] ?? "",
  }));
  expectNone(findTableProblems(readme(), "Option", rows, "src/cli/options.ts"));
});

test("README has a row for every key of a pool, and no other", () => {
  const rows = DIRECTIVES.map(({ key, defaultText }) => ({ names: [key], defaultText }));
  expectNone(findTableProblems(readme(), "Key", rows, "src/config/directives.ts"));
});

test("README has a row for every setting of the process, and no other", () => {
  const rows = SETTINGS.map(({ key, defaultText }) => ({ names: [key], defaultText }));
  expectNone(findTableProblems(readme(), "Setting", rows, "src/config/settings.ts"));
});

function readme() {
  const file = files.find(({ path }) => path === "README.md");
  if (file === undefined) throw new Error("README.md does not exist");
  return file;
}

function expectNone(problems: Problem[]): void {
  expect(problems.map(problemText)).toEqual([]);
}
