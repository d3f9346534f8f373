/**
 * Words -> options, in every spelling that getopt_long knows.
 */
import { expect, test } from "bun:test";
import { getopt } from "../../src/cli/getopt.ts";

const ROWS = [
  { letter: "h", name: "help", takesArgument: false },
  { letter: "d", name: "daemonize", takesArgument: false },
  { letter: "V", name: "version", takesArgument: false },
  { letter: "v", name: "verbose", takesArgument: true },
  { letter: "c", name: "conf", takesArgument: true },
  { letter: "C", name: "conf-file", takesArgument: true },
];

/** Options as "d", "v=6"; failures as "unknown x", "no argument v". */
function read(...words: string[]): string[] {
  return getopt(ROWS, words).map((result) => {
    if (result.kind === "unknown") return `unknown ${result.letter}`;
    if (result.kind === "no argument") return `no argument ${result.row.letter}`;
    const { letter, takesArgument } = result.row;
    return takesArgument ? `${letter}=${result.argument}` : letter;
  });
}

const CASES: readonly (readonly [words: readonly string[], options: readonly string[]])[] = [
  [[], []],
  [["-d"], ["d"]],
  [["-dh"], ["d", "h"]],
  [["-dv6"], ["d", "v=6"]],
  [["-v6d"], ["v=6d"]],
  [["-v", "6"], ["v=6"]],
  [["-v", "-d"], ["v=-d"]],
  [["-v", "--"], ["v=--"]],
  [["-v", ""], ["v="]],
  [
    ["-dv", "6", "-h"],
    ["d", "v=6", "h"],
  ],
  [["-v"], ["no argument v"]],
  [["-dv"], ["d", "no argument v"]],
  [["-v=6"], ["v==6"]],
  [["-x"], ["unknown x"]],
  [
    ["-dx", "-h"],
    ["d", "unknown x"],
  ],
  [["-?"], ["unknown ?"]],
  [["-d-"], ["d", "unknown -"]],
  [["--help"], ["h"]],
  [["--verbose", "6"], ["v=6"]],
  [["--verbose=6"], ["v=6"]],
  [["--verbose="], ["v="]],
  [["--verbose=a=b"], ["v=a=b"]],
  [["--verb", "6"], ["v=6"]],
  [["--verb=6"], ["v=6"]],
  [["--d"], ["d"]],
  [["--verbose"], ["no argument v"]],
  [["--ver"], ["unknown \0"]],
  [["--ver=1"], ["unknown \0"]],
  [["--versionx"], ["unknown \0"]],
  [["--bad", "-d"], ["unknown \0"]],
  [["--=1"], ["unknown \0"]],
  [["--help=1"], ["unknown h"]],
  [["--help="], ["unknown h"]],
  [["--conf=x"], ["c=x"]],
  [["--conf-=x"], ["C=x"]],
  [["--con=x"], ["unknown \0"]],
  [
    ["word", "-d", "-", "", "word", "-h"],
    ["d", "h"],
  ],
  [["-d", "--", "-h"], ["d"]],
  [
    ["-c", "a", "-c", "b"],
    ["c=a", "c=b"],
  ],
];

test.each(CASES)("%j", (words, options) => {
  expect(read(...words)).toEqual([...options]);
});
