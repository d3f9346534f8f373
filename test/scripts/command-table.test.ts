/** The table of commands in README.md is the one of the code. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commandTable, withTable } from "../../scripts/command-table.ts";
import { COMMANDS } from "../../src/protocol/redis/commands.ts";

const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");

test("README.md has the table of the code", () => {
  if (withTable(readme) === readme) return;
  throw new Error("README.md has another table of commands: run `bun scripts/command-table.ts`");
});

test("every command stands in the table once", () => {
  const words = commandTable()
    .split("\n")
    .slice(2)
    .flatMap((line) => (line.split("|")[2] as string).trim().split(" "));
  expect(words.sort()).toEqual(COMMANDS.map((row) => row.name).sort());
});

test("a README without the marks is refused", () => {
  expect(() => withTable("no table here")).toThrow("must hold the lines");
});
