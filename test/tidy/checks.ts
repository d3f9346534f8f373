/**
 * All rules that hold for the files of the project, and the reading of those files.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { CALL_CHECKS } from "./calls.ts";
import { DOCUMENT_CHECKS } from "./documents.ts";
import { IMPORT_CHECKS } from "./imports.ts";
import { SHAPE_CHECKS } from "./shape.ts";
import { type Check, sourceFile, type SourceFile } from "./source-file.ts";

export const CHECKS: readonly Check[] = [
  ...IMPORT_CHECKS,
  ...SHAPE_CHECKS,
  ...CALL_CHECKS,
  ...DOCUMENT_CHECKS,
];

const PROJECT_FOLDER = dirname(dirname(import.meta.dir));

/** What .gitignore names, and git's own. */
const IGNORED = /^(?:\.git|node_modules|dist)$|\.(?:log|heapprofile|cpuprofile)$/;

/** All files of the project that are, or will be, in git. */
export function readProject(): SourceFile[] {
  return pathsIn(PROJECT_FOLDER).map((path) => {
    const name = relative(PROJECT_FOLDER, path).replaceAll(sep, "/");
    return sourceFile(name, readFileSync(path, "utf8"));
  });
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !IGNORED.test(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return pathsIn(path);
      return entry.isFile() ? [path] : [];
    });
}
