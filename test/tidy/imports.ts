/**
 * Who may import whom: the floors, no circles, no file that nobody uses.
 *
 *   7 main.ts · 6 cli · 5 process · 4 proxy · 3 config · 2 routing
 *   1 hash protocol log stats · 0 lib
 *
 * Imports of types count like any other.
 */
import { posix } from "node:path";
import { type Check, lineAt, type Problem, type SourceFile, sourcesOf } from "./source-file.ts";

/** The folders of src, from the ground up. Neighbours on one floor do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["lib"],
  ["hash", "protocol", "log", "stats"],
  ["routing"],
  ["config"],
  ["proxy"],
  ["process"],
  ["cli"],
  ["main.ts"],
];

/** Folders that stand side by side within a folder, and do not know each other either. */
const TWINS: readonly (readonly [string, string])[] = [
  ["src/protocol/redis/", "src/protocol/memcached/"],
  ["src/protocol/memcached/", "src/protocol/redis/"],
];

/** Packages that the program may use, and the one folder that does. */
const PACKAGES: Readonly<Record<string, string>> = { yaml: "src/config/" };

const ENTRY = "src/main.ts";

interface Import {
  readonly specifier: string;
  /** The file it names, where it names one. */
  readonly target: string | null;
  readonly line: number;
}

/** Every import, export-from, dynamic import and imported type; the strings are still blank. */
const IMPORT = /\b(?:import|export)\b[^;"'()]*?\bfrom\s*(["'])|\bimport\s*\(?\s*(["'])/g;

export function importsOf(file: SourceFile): Import[] {
  return [...file.code.matchAll(IMPORT)].map((match) => {
    const quote = match[1] ?? match[2] ?? '"';
    const start = match.index + match[0].length;
    const specifier = file.text.slice(start, file.code.indexOf(quote, start));
    const isPath = specifier.startsWith(".");
    const target = isPath ? posix.join(posix.dirname(file.path), specifier) : null;
    return { specifier, target, line: lineAt(file.text, start) };
  });
}

const floorsCheck: Check = {
  name: "imports only go down, and neighbours do not import each other",
  find: (files) =>
    sourcesOf(files).flatMap((file) =>
      importsOf(file).flatMap(({ target, line }) => {
        const message = target === null ? null : floorMistake(file.path, target);
        return message === null ? [] : [{ path: file.path, line, message }];
      }),
    ),
};

function floorMistake(from: string, to: string): string | null {
  if (!to.startsWith("src/")) return `imports ${to}, but src knows only src: move it into src`;
  const [fromFolder, toFolder] = [folderOf(from), folderOf(to)];
  const [fromFloor, toFloor] = [floorOf(fromFolder), floorOf(toFolder)];
  if (fromFloor < 0) return `${fromFolder} has no floor: give it one in test/tidy/imports.ts`;
  if (fromFolder === toFolder) {
    const isTwin = TWINS.some(([one, other]) => from.startsWith(one) && to.startsWith(other));
    return isTwin ? `imports its twin ${to}: move what both need into src/protocol/` : null;
  }
  if (from === ENTRY && toFolder !== "cli") return `imports ${to}: import only cli/ here`;
  if (toFloor < fromFloor) return null;
  const way = `${fromFolder} (floor ${fromFloor}) imports ${toFolder} (floor ${toFloor})`;
  return toFloor === fromFloor
    ? `${way}, its neighbour: move what both need down, or join them on a floor above`
    : `${way}, which is above it: declare an interface here and implement it there`;
}

function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function floorOf(folder: string): number {
  return FLOORS.findIndex((folders) => folders.includes(folder));
}

const spellingCheck: Check = {
  name: "imports name an existing .ts file, a part of Bun, or an allowed package",
  find: (files) => {
    const paths = new Set(files.map((file) => file.path));
    return sourcesOf(files).flatMap((file) =>
      importsOf(file).flatMap(({ specifier, target, line }) => {
        const message =
          target === null ? packageMistake(file.path, specifier) : pathMistake(target, paths);
        return message === null ? [] : [{ path: file.path, line, message }];
      }),
    );
  },
};

function pathMistake(target: string, paths: ReadonlySet<string>): string | null {
  if (!/\.(ts|json)$/.test(target)) return `imports ${target}: write the ending .ts`;
  return paths.has(target) ? null : `imports ${target}, which does not exist: correct the path`;
}

function packageMistake(from: string, specifier: string): string | null {
  if (/^(node:|bun:|bun$)/.test(specifier)) return null;
  const folder = PACKAGES[specifier];
  if (folder === undefined) return `imports the package ${specifier}: the program uses only yaml`;
  return from.startsWith(folder) ? null : `imports ${specifier}: only ${folder} may, ask it there`;
}

const circlesCheck: Check = { name: "no circles of imports", find: findCircles };

function findCircles(files: readonly SourceFile[]): Problem[] {
  const inSource = sourcesOf(files);
  const graph = new Map(inSource.map((file) => [file.path, importsOf(file)]));
  const finished = new Set<string>();
  const problems: Problem[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (finished.has(path)) return;
    for (const { target, line } of graph.get(path) ?? []) {
      if (target === null) continue;
      const way = [...trail, path];
      const start = way.indexOf(target);
      if (start < 0) {
        visit(target, way);
        continue;
      }
      const circle = [...way.slice(start), target].join(" -> ");
      problems.push({
        path,
        line,
        message: `closes a circle, ${circle}: move what both need down`,
      });
    }
    finished.add(path);
  };
  for (const file of inSource) visit(file.path, []);
  return problems;
}

const orphansCheck: Check = {
  name: "every file of src is used by the program",
  find: (files) => {
    const byPath = new Map(sourcesOf(files).map((file) => [file.path, file]));
    const entry = byPath.get(ENTRY);
    if (entry === undefined) {
      return [{ path: ENTRY, line: 1, message: "does not exist: the program begins here" }];
    }
    const used = new Set([ENTRY]);
    const waiting = [entry];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      for (const { target } of importsOf(file)) {
        const next = byPath.get(target ?? "");
        if (next === undefined || used.has(next.path)) continue;
        used.add(next.path);
        waiting.push(next);
      }
    }
    const message = "nothing imports it on the way from src/main.ts: use it or remove it";
    return [...byPath.keys()]
      .filter((path) => !used.has(path))
      .map((path) => ({ path, line: 1, message }));
  },
};

const independenceCheck: Check = {
  name: "scripts do not lean on test",
  find: (files) =>
    files
      .filter((file) => file.path.startsWith("scripts/"))
      .flatMap((file) =>
        importsOf(file)
          .filter(({ target }) => target?.startsWith("test/"))
          .map(({ target, line }) => ({
            path: file.path,
            line,
            message: `imports ${target}: scripts have small parts of their own, under scripts/`,
          })),
      ),
};

export const IMPORT_CHECKS = [
  floorsCheck,
  spellingCheck,
  circlesCheck,
  orphansCheck,
  independenceCheck,
];
