/**
 * The table of Redis commands in README.md, from the table that decides about them.
 *
 *   bun scripts/command-table.ts     writes it to README.md, between its two marks
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Route } from "../src/protocol/protocol.ts";
import type { CommandRow } from "../src/protocol/redis/command-row.ts";
import { KeyRule } from "../src/protocol/redis/command-row.ts";
import { COMMANDS } from "../src/protocol/redis/commands.ts";

const README = join(import.meta.dir, "..", "README.md");
export const BEGIN = "<!-- Made by `bun scripts/command-table.ts` from the table in the code. -->";
export const END = "<!-- The end of what is made. -->";

/** A longer list of names goes on in the next row. */
const NAMES_WIDTH = 88;

interface Section {
  readonly title: string;
  readonly holds: (row: CommandRow) => boolean;
}

function isOfModule(row: CommandRow): boolean {
  return row.name.includes(".");
}

function hasOneKey(row: CommandRow): boolean {
  return row.keyRule === KeyRule.Range && row.firstKey === row.lastKey;
}

const SECTIONS: readonly Section[] = [
  {
    title: "sent to the server of the key",
    holds: (row) => row.route === Route.Key && hasOneKey(row) && !isOfModule(row),
  },
  {
    title: "the same, for modules of the servers",
    holds: (row) => row.route === Route.Key && hasOneKey(row) && isOfModule(row),
  },
  {
    title: "sent to the server of the first key",
    holds: (row) => row.route === Route.Key && !hasOneKey(row),
  },
  {
    title: "sent if all keys are on one server",
    holds: (row) => row.route === Route.SameServer && !row.mayBlock,
  },
  { title: "the same, and may block", holds: (row) => row.mayBlock },
  { title: "divided over the servers", holds: (row) => row.route === Route.Keys },
  { title: "sent to one server, always the same", holds: (row) => row.route === Route.Placeholder },
  { title: "answered by the proxy", holds: (row) => row.route === Route.Local },
];

/** Those with a star may pass in a pool of one server. */
function refusalTitle(row: CommandRow): string {
  return `refused${row.isForServer ? "\\*" : ""}: ${row.refusal.split(/[:,]/)[0]}`;
}

function refusals(): Section[] {
  const refused = COMMANDS.filter((row) => row.route === Route.Refuse);
  return [...new Set(refused.map(refusalTitle))].map((title) => ({
    title,
    holds: (row) => row.route === Route.Refuse && refusalTitle(row) === title,
  }));
}

/** The names in rows of at most NAMES_WIDTH characters. */
function wrap(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + name.length > NAMES_WIDTH) lines.push(name);
    else lines[lines.length - 1] = `${last} ${name}`;
  }
  return lines;
}

export function commandTable(): string {
  const rows: [string, string][] = [];
  for (const { title, holds } of [...SECTIONS, ...refusals()]) {
    const names = COMMANDS.filter(holds)
      .map((row) => row.name)
      .sort();
    for (const [index, line] of wrap(names).entries()) rows.push([index === 0 ? title : "", line]);
  }
  const head: [string, string] = ["What happens", "Commands"];
  const widths = [0, 1].map((column) =>
    Math.max(...[head, ...rows].map((row) => row[column as 0 | 1].length)),
  ) as [number, number];
  const line = ([title, names]: readonly [string, string]) =>
    `| ${title.padEnd(widths[0])} | ${names.padEnd(widths[1])} |`;
  const rule = `| ${"-".repeat(widths[0])} | ${"-".repeat(widths[1])} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** README with the table put in. @throws Error if the marks are not there */
export function withTable(readme: string): string {
  const start = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (start < 0 || end < start)
    throw new Error(`README.md must hold the lines ${BEGIN} and ${END}`);
  return `${readme.slice(0, start)}${BEGIN}\n\n${commandTable()}\n\n${readme.slice(end)}`;
}

if (import.meta.main) writeFileSync(README, withTable(readFileSync(README, "utf8")));
