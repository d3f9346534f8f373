/**
 * Small projects for shape.ts: files and functions just right, and one line too long.
 */
import type { Example } from "./example.ts";

const LONG_WORD = "x".repeat(100);

const linesOf = (count: number, line: string) => `${line}\n`.repeat(count);
const body = (count: number) => linesOf(count, "  run();");

export const SHAPE_EXAMPLES: readonly Example[] = [
  {
    check: "every file begins with a header comment",
    bad: [
      [{ "src/lib/a.ts": "const a = 1;\n/** Not here. */" }, "src/lib/a.ts:1: has no header"],
      [{ "scripts/a.mjs": "// Not such a one.\n" }, "scripts/a.mjs:1: has no header"],
    ],
    good: [{ "src/lib/a.ts": "/** What it is for. */\n", "conf/a.yml": "alpha:\n" }],
  },
  {
    check: "files have at most 400 lines",
    bad: [[{ "src/lib/a.ts": linesOf(401, "a;") }, "src/lib/a.ts:401: has 401 lines"]],
    good: [{ "src/lib/a.ts": linesOf(400, "a;"), "test/vectors.json": linesOf(500, "1") }],
  },
  {
    check: "lines have at most 100 columns",
    bad: [
      [{ "src/lib/a.ts": `a;\n${LONG_WORD}x` }, "src/lib/a.ts:2: has 101 columns"],
      [{ "src/lib/a.ts": `f("${LONG_WORD}");` }, "src/lib/a.ts:1: has 106 columns"],
      [{ "test/a.test.ts": `// "${LONG_WORD}"` }, "test/a.test.ts:1: has 105 columns"],
    ],
    good: [
      {
        "src/lib/a.ts": LONG_WORD,
        "test/a.test.ts": `f("${LONG_WORD}");`,
        "README.md": LONG_WORD.repeat(2),
      },
      { "src/lib/b.ts": "─".repeat(100) },
    ],
  },
  {
    check: "functions have at most 60 lines",
    bad: [
      [
        { "src/lib/a.ts": `\nfunction tooLong(): void {\n${body(59)}}\n` },
        "src/lib/a.ts:2: tooLong has 61 lines",
      ],
      [
        {
          "src/lib/a.ts": `class A {\n  static async #run<T>(a: T): Promise<T[]> {\n${body(59)}  }\n}\n`,
        },
        "src/lib/a.ts:2: #run has 61 lines",
      ],
      [
        { "src/lib/a.ts": `export const arrow = (a: number) => {\n${body(59)}};\n` },
        "src/lib/a.ts:1: arrow has 61 lines",
      ],
      [{ "test/a.test.ts": `test("b", () => {\n${body(59)}});\n` }, 'the function after "test('],
    ],
    good: [
      { "src/lib/a.ts": `function justRight(): void {\n${body(58)}}\n` },
      { "test/a.test.ts": `describe("a", () => {\n${body(80)}});\n` },
      { "src/lib/a.ts": `const table = {\n${linesOf(80, "  a: 1,")}};\n` },
      { "src/lib/a.ts": `export class A {\n${linesOf(80, "  a = 1;")}}\n` },
    ],
  },
  {
    check: "exports have names",
    bad: [
      [{ "src/lib/a.ts": "\nexport default class A {}" }, "src/lib/a.ts:2: exports without a name"],
      [{ "src/lib/a.ts": "export { a as default };" }, "src/lib/a.ts:1: exports without a name"],
    ],
    good: [{ "src/lib/a.ts": "export class A {}\n// export default would be wrong." }],
  },
];
