/**
 * The shape of a file: its header, its length and width, the length of its functions, its exports.
 */
import {
  type Check,
  type Problem,
  problemsAt,
  programsOf,
  type SourceFile,
} from "./source-file.ts";

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
const COLUMNS_MAX = 100;

const headerCheck: Check = {
  name: "every file begins with a header comment",
  find: (files) =>
    programsOf(files)
      .filter((file) => !file.text.startsWith("/**"))
      .map(({ path }) => ({
        path,
        line: 1,
        message: "has no header: begin with /** and say what it is for, and what it does not do",
      })),
};

const fileLengthCheck: Check = {
  name: `files have at most ${FILE_LINES_MAX} lines`,
  find: (files) =>
    programsOf(files).flatMap(({ path, text }) => {
      const count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
      if (count <= FILE_LINES_MAX) return [];
      const message = `has ${count} lines, more than ${FILE_LINES_MAX}: divide it by subject`;
      return [{ path, line: FILE_LINES_MAX + 1, message }];
    }),
};

const widthCheck: Check = {
  name: `lines have at most ${COLUMNS_MAX} columns`,
  find: (files) =>
    programsOf(files).flatMap((file) =>
      file.lines.flatMap((_text, i) => {
        const columns = columnsOf(file, i);
        const message = `has ${columns} columns, more than ${COLUMNS_MAX}: break the line`;
        return columns > COLUMNS_MAX ? [{ path: file.path, line: i + 1, message }] : [];
      }),
    ),
};

/** In tests the words between quotes do not count: what is expected is best read in one piece. */
function columnsOf({ path, lines, codeLines }: SourceFile, index: number): number {
  const width = [...(lines[index] ?? "")].length;
  if (!path.startsWith("test/")) return width;
  const code = codeLines[index] ?? "";
  return width - (code.length - code.replace(/(["'`])\s*\1/g, "$1$1").length);
}

const functionLengthCheck: Check = {
  name: `functions have at most ${FUNCTION_LINES_MAX} lines`,
  find: (files) =>
    programsOf(files).flatMap((file) =>
      functionsOf(file)
        .filter(({ start, end }) => end - start + 1 > FUNCTION_LINES_MAX)
        .map(({ name, start, end }): Problem => {
          const count = `${name} has ${end - start + 1} lines, more than ${FUNCTION_LINES_MAX}`;
          return { path: file.path, line: start, message: `${count}: give a part of it a name` };
        }),
    ),
};

interface FunctionSpan {
  readonly name: string;
  /** First line, with the word `function`, the name or the arrow's parameters. From 1. */
  readonly start: number;
  /** The line of the closing brace. */
  readonly end: number;
}

/** Words that look like the name of a method before their parenthesis. */
const CONTROL = /^(?:\} )?(?:if|for|while|switch|catch|with|do|else|return|throw|await|new|try)\b/;
const MODIFIERS = /^(?:(?:public|private|protected|static|async|override|get|set) |\*)*/;
const METHOD_NAME = /^(#?[\w$]+|\[[^\]]+\])\s*(?:<.*>)?\(/;

/**
 * Finds functions by indentation, which is exact on formatted code: a body opens with a brace at
 * the end of a line and closes with the next line of equal indentation that begins with one.
 */
export function functionsOf({ codeLines }: SourceFile): FunctionSpan[] {
  return codeLines.flatMap((text, i) => {
    if (!text.trimEnd().endsWith("{")) return [];
    const indent = indentOf(text);
    const isSibling = (line: string) => line.trim() !== "" && indentOf(line) === indent;
    // The brace may stand on the last line of a header: then the header began further up.
    let first = i;
    while (first > 0 && /^\s*[)}\]]/.test(codeLines[first] ?? "")) {
      first = codeLines.findLastIndex((line, j) => j < first && isSibling(line));
    }
    if (first < 0) return [];
    const name = functionName(codeLines.slice(first, i + 1).map((line) => line.trim()));
    const end = codeLines.findIndex((line, j) => j > i && isSibling(line) && /^\s*\}/.test(line));
    return name === null || end < 0 ? [] : [{ name, start: first + 1, end: end + 1 }];
  });
}

/** @returns null where the brace opens something else than the body of a function */
function functionName(header: readonly string[]): string | null {
  const text = header.join(" ");
  const first = header[0] ?? "";
  // A group of tests is no function, although it is written as one.
  if (/^describe\b/.test(first)) return null;
  const assigned = /^(?:export )?(?:const|let) ([\w$]+)/.exec(text)?.[1];
  if (/=> \{$/.test(text)) return assigned ?? `the function after "${first.slice(0, 40)}"`;
  const named = /\bfunction\b\*?\s*([\w$]*)/.exec(text);
  if (named !== null) return named[1] || assigned || "a function";
  const plain = text.replace(MODIFIERS, "");
  if (CONTROL.test(plain) || !/[)\w>\]}"'] \{$/.test(plain)) return null;
  return METHOD_NAME.exec(plain)?.[1] ?? null;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

const exportsCheck: Check = {
  name: "exports have names",
  find: (files) =>
    programsOf(files).flatMap((file) =>
      problemsAt(file, /\bexport default\b|\bas default\b/g, "exports without a name: give it one"),
    ),
};

export const SHAPE_CHECKS = [
  headerCheck,
  fileLengthCheck,
  widthCheck,
  functionLengthCheck,
  exportsCheck,
];
