/**
 * Imports in all their spellings.
 */
import { expect, test } from "bun:test";
import { importsOf } from "./imports.ts";
import { sourceFile } from "./source-file.ts";

test("imports of all kinds are found", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type { B } from "./b.ts";',
    'import "./c.ts";',
    'export * from "./d.ts";',
    'export {\n  e,\n} from "./e.ts";',
    'type F = import("./f.ts").F;',
    'const g = await import("./g.ts");',
    'import h, { i } from "h";',
    'const j = "./j.ts"; const from = "./k.ts"; // import "./l.ts"',
  ].join("\n");
  const found = importsOf(sourceFile("src/lib/x.ts", text)).map(({ specifier }) => specifier);
  expect(found).toEqual([
    "./a.ts",
    "./b.ts",
    "./c.ts",
    "./d.ts",
    "./e.ts",
    "./f.ts",
    "./g.ts",
    "h",
  ]);
});
