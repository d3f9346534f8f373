/**
 * The scanner that tells code from comments and strings, on which all other rules rest.
 */
import { describe, expect, test } from "bun:test";
import { sourceFile } from "./source-file.ts";

describe("the scanner", () => {
  const codeOf = (text: string) => sourceFile("a.ts", text).code;

  test("blanks comments and the insides of strings, and keeps every place", () => {
    expect(codeOf("a; // b\nc")).toBe("a;     \nc");
    expect(codeOf("a /* b\n c */ d")).toBe("a     \n      d");
    expect(codeOf('f("//", \'\\\'\', "\\"")')).toBe('f("  ", \'  \', "  ")');
    expect(codeOf("'unclosed")).toBe("'        ");
  });

  test("reads what is inserted into a template", () => {
    expect(codeOf("`a ${b({ c: `d ${e}` })} f` + g")).toBe("`    b({ c: `    e ` })   ` + g");
    expect(codeOf("`\\`${a}\n//`; b")).toBe("`    a \n  `; b");
  });

  test("tells a pattern from a division", () => {
    expect(codeOf('a = /["/]\\//g; b')).toBe("a =         g; b");
    expect(codeOf('a / b; "c" / d')).toBe('a / b; " " / d');
    expect(codeOf("return /'/.test(a)")).toBe("return    .test(a)");
  });
});
