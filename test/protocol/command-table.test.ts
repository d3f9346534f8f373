/** Every command is found in any case, and nothing else is. */
import { expect, test } from "bun:test";
import { CommandTable } from "../../src/protocol/command-table.ts";
import { COMMAND_TABLE, COMMANDS } from "../../src/protocol/redis/commands.ts";

test("finds every command, in any case and anywhere in a buffer", () => {
  for (const row of COMMANDS) {
    const mixed = [...row.name].map((c, i) => (i % 2 ? c.toLowerCase() : c)).join("");
    for (const name of [row.name, row.name.toLowerCase(), mixed]) {
      const bytes = Buffer.from(`??${name}??`);
      expect(COMMAND_TABLE.find(bytes, 2, name.length)).toBe(row);
    }
  }
});

test("finds nothing else", () => {
  const names = new Set(COMMANDS.map((row) => row.name));
  for (const { name } of COMMANDS) {
    for (const other of [
      `${name}X`,
      name.slice(0, -1),
      `X${name.slice(1)}`,
      `${name.slice(0, -1)}~`,
    ]) {
      if (names.has(other)) continue;
      expect([other, COMMAND_TABLE.find(Buffer.from(other), 0, other.length)]).toEqual([
        other,
        null,
      ]);
    }
  }
  expect(COMMAND_TABLE.find(Buffer.alloc(300, 0x47), 0, 300)).toBeNull();
});

test("a name that stands twice is refused", () => {
  expect(() => new CommandTable([{ name: "GET" }, { name: "get" }])).toThrow("Duplicate");
});
