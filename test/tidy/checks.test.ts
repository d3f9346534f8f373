/**
 * Shows that each rule of test/tidy/ can fail, and does not where all is well.
 */
import { describe, expect, test } from "bun:test";
import { CALL_EXAMPLES } from "./call-examples.ts";
import { CHECKS } from "./checks.ts";
import { DOCUMENT_EXAMPLES } from "./document-examples.ts";
import type { Project } from "./example.ts";
import { IMPORT_EXAMPLES } from "./import-examples.ts";
import { SHAPE_EXAMPLES } from "./shape-examples.ts";
import { problemText, sourceFile } from "./source-file.ts";

const EXAMPLES = [...IMPORT_EXAMPLES, ...SHAPE_EXAMPLES, ...CALL_EXAMPLES, ...DOCUMENT_EXAMPLES];

test("every rule has its examples, and every example its rule", () => {
  expect(EXAMPLES.map(({ check }) => check)).toEqual(CHECKS.map(({ name }) => name));
  for (const { bad, good } of EXAMPLES) {
    expect(bad.length).toBeGreaterThan(0);
    expect(good.length).toBeGreaterThan(0);
  }
});

for (const { check, bad, good } of EXAMPLES) {
  describe(check, () => {
    const rule = CHECKS.find(({ name }) => name === check);
    const find = (project: Project) => {
      const files = Object.entries(project).map(([path, text]) => sourceFile(path, text));
      return rule?.find(files).map(problemText);
    };
    test("finds what is wrong", () => {
      for (const [project, message] of bad) expect(find(project)?.[0] ?? "").toContain(message);
    });
    test("finds nothing where all is well", () => {
      for (const project of good) expect(find(project)).toEqual([]);
    });
  });
}
