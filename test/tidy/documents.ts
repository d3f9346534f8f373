/**
 * What the files say about each other and about the world: paths that exist, tables that are
 * complete, and nothing that is true on one machine only.
 */
import { type Check, type Problem, programsOf, type SourceFile } from "./source-file.ts";

/** Words for work left undone; in pieces, so that this file does not hold them. */
const UNDONE = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "X".repeat(3)].join("|")})\\b`);

const MACHINE_PATH = /(?<![\w.)\]}*-])\/(?:work|root|home|Users)\/\w/;
const REGISTRY = /\bregistry\.[\w-]+\.\w+|\bnpmjs\.(?:org|com)|\bpkg\.github\.com|\bregistry\s*=/;

/** Texts of others, or made by a tool. */
const FOREIGN = new Set(["LICENSE", "bun.lock"]);

/** Applies a rule to each line of the files that are our own words. */
function checkLines(name: string, pattern: RegExp, message: string): Check {
  return {
    name,
    find: (files) =>
      files
        .filter((file) => !FOREIGN.has(file.path))
        .flatMap(({ path, lines }) =>
          lines.flatMap((text, i) => (pattern.test(text) ? [{ path, line: i + 1, message }] : [])),
        ),
  };
}

const undoneCheck = checkLines(
  "nothing is left undone",
  UNDONE,
  "leaves work undone: do it, or say in the documents what is not there",
);

const machineCheck = checkLines(
  "no path of one machine",
  MACHINE_PATH,
  "names a path of one machine: use a path within the project, or a temporary folder",
);

const registryCheck = checkLines(
  "no package registry is named",
  REGISTRY,
  "names a package registry: leave that to the settings of each user",
);

const npmrcCheck: Check = {
  name: "no .npmrc in the project",
  find: (files) =>
    files
      .filter(({ path }) => path.endsWith(".npmrc"))
      .map(({ path }) => ({ path, line: 1, message: "sets up npm for everybody: remove it" })),
};

const lockCheck: Check = {
  name: "bun.lock holds no address",
  find: (files) =>
    files
      .filter(({ path }) => path === "bun.lock")
      .flatMap(({ path, lines }) =>
        lines.flatMap((text, i) => {
          const message =
            "holds an address: take the registry setting away, and run bun install again";
          return /https?:\/\//.test(text) ? [{ path, line: i + 1, message }] : [];
        }),
      ),
};

/** A file, or a folder with its slash in backticks; not a part of a longer word, nor a pattern. */
const PATH_IN_TEXT = new RegExp(
  "(?<![\\w./<>*{}-])" + // begins here
    "([\\w@-]+(?:[./][\\w@-]+)*(?:\\.(?:ts|mjs|yml|md|toml|json)\\b|/(?=`)))" +
    "(?![\\w*<{]|:N)", // and does not go on
  "g",
);

const architectureCheck: Check = {
  name: "every path in ARCHITECTURE.md exists",
  find: (files) => {
    const paths = files.map((file) => file.path);
    const exists = (name: string): boolean =>
      ["", "src/"].some((start) =>
        name.endsWith("/")
          ? paths.some((path) => path.startsWith(start + name))
          : paths.includes(start + name),
      ) || paths.some((path) => path.endsWith(`/${name}`) && !name.includes("/"));
    return files
      .filter(({ path }) => path === "ARCHITECTURE.md")
      .flatMap(({ path, lines }) =>
        lines.flatMap((text, i) =>
          [...text.matchAll(PATH_IN_TEXT)]
            .map((match) => match[1] ?? "")
            .filter((name) => !exists(name))
            .map((name) => ({ path, line: i + 1, message: `${name} does not exist: correct it` })),
        ),
      );
  },
};

const exampleCheck: Check = {
  name: "every example configuration is mentioned in README or in a test",
  find: (files) => {
    const readers = [
      ...files.filter(({ path }) => path === "README.md"),
      ...programsOf(files).filter(({ path }) => path.startsWith("test/")),
    ];
    return files
      .filter(({ path }) => /^conf\/.*\.yml$/.test(path))
      .filter(({ path }) => !readers.some(({ text }) => text.includes(path)))
      .map(({ path }) => ({
        path,
        line: 1,
        message: `nothing mentions it: test it, or show in README.md what ${path} is for`,
      }));
  },
};

export const DOCUMENT_CHECKS = [
  undoneCheck,
  machineCheck,
  registryCheck,
  npmrcCheck,
  lockCheck,
  architectureCheck,
  exampleCheck,
];

/** What a row of a table in README has to say about a row of a table in the code. */
export interface DocumentedRow {
  /** As in README's first column, without the backticks: ["-c", "--conf-file"]. */
  readonly names: readonly string[];
  /** Null where there is none. */
  readonly defaultText: string | null;
}

/** Words in README for a default that stands for "nothing". */
const NO_DEFAULT = new Set(["", "none", "off", "(needed)"]);

/**
 * Compares a table of README with a table of the code, both ways.
 *
 * @param firstHeader the header of its first column, by which the table is found
 * @param source the file of the code's table, for the messages
 */
export function findTableProblems(
  readme: SourceFile,
  firstHeader: string,
  rows: readonly DocumentedRow[],
  source: string,
): Problem[] {
  const documented = readTable(readme, firstHeader);
  const problem = (line: number, message: string) => ({ path: readme.path, line, message });
  const nameOf = (names: readonly string[]) => names.join(", ");
  const missing = rows
    .filter(({ names }) => !documented.some((row) => nameOf(row.names) === nameOf(names)))
    .map(({ names }) => problem(1, `has no row for ${nameOf(names)} (${source}): add it`));
  const wrong = documented.flatMap(({ names, defaultText, line }) => {
    const row = rows.find((candidate) => nameOf(candidate.names) === nameOf(names));
    if (row === undefined)
      return [problem(line, `${nameOf(names)} is not in ${source}: remove it`)];
    const isNothing = NO_DEFAULT.has(defaultText);
    const isSame = isNothing ? isNoDefault(row.defaultText) : row.defaultText === defaultText;
    const message = `${nameOf(names)}: the default is ${row.defaultText} in ${source}: correct it`;
    return isSame ? [] : [problem(line, message)];
  });
  return [...missing, ...wrong];
}

function isNoDefault(text: string | null): boolean {
  return text === null || text === "0" || NO_DEFAULT.has(text) || text === "false";
}

/** The rows of the table with this header: names and default, found by the column "Default". */
function readTable({ lines }: SourceFile, firstHeader: string) {
  const cellsOf = (line: string) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const isTable = (line: string | undefined) => line?.startsWith("|") ?? false;
  const headerIndex = lines.findIndex((line) => cellsOf(line)[0] === firstHeader);
  const defaultColumn = cellsOf(lines[headerIndex] ?? "").indexOf("Default");
  const rows: { names: string[]; defaultText: string; line: number }[] = [];
  for (let i = headerIndex + 2; headerIndex >= 0 && isTable(lines[i]); i += 1) {
    const cells = cellsOf(lines[i] ?? "");
    const names = [...(cells[0] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
    const defaultText = (cells[defaultColumn] ?? "").replaceAll("`", "");
    rows.push({ names, defaultText, line: i + 1 });
  }
  return rows;
}
