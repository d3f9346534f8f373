/**
 * A file of the project as the tidy checks see it: its text, its lines, and its code alone.
 *
 *   text   const a = "x"; // why        as written
 *   code   const a = " ";               comments and insides of strings are blank
 *
 * Both have the same length and the same lines, so that a place in one is the place in the other.
 * This is a scanner, not a parser: it is right for what `bun fmt` leaves, and knows no types.
 */

export interface SourceFile {
  /** From the top of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** Empty for files that are no program text. */
  readonly code: string;
  readonly codeLines: readonly string[];
}

/** What is wrong, and how to mend it. `line` counts from 1. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** One rule of the project. */
export interface Check {
  readonly name: string;
  readonly find: (files: readonly SourceFile[]) => Problem[];
}

export function sourceFile(path: string, text: string): SourceFile {
  const code = isProgram(path) ? codeOf(text) : "";
  return { path, text, lines: text.split("\n"), code, codeLines: code.split("\n") };
}

function isProgram(path: string): boolean {
  return /\.(ts|mjs)$/.test(path);
}

/** The program texts among the files. */
export function programsOf(files: readonly SourceFile[]): SourceFile[] {
  return files.filter((file) => isProgram(file.path));
}

/** The program texts of the proxy itself. */
export function sourcesOf(files: readonly SourceFile[]): SourceFile[] {
  return programsOf(files).filter((file) => file.path.startsWith("src/"));
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

export function problemText({ path, line, message }: Problem): string {
  return `${path}:${line}: ${message}`;
}

/** All matches of a pattern in the code of a file, as problems with one message. */
export function problemsAt(file: SourceFile, pattern: RegExp, message: string): Problem[] {
  return [...file.code.matchAll(pattern)].map((match) => ({
    path: file.path,
    line: lineAt(file.code, match.index),
    message,
  }));
}

/** A slash after one of these words begins a regular expression. */
const WORDS_BEFORE_PATTERN = /\b(?:return|typeof|case|in|of|delete|void|throw|else|await|yield)$/;
const SIGNS_BEFORE_PATTERN = /[(,=:[!&|?{;+\-*%<>~^]$/;

/** Blanks comments, the insides of strings, regular expressions and templates; `${…}` stays. */
function codeOf(text: string): string {
  let code = "";
  let index = 0;
  const keep = (end: number): void => {
    code += text.slice(index, end);
    index = end;
  };
  const blank = (end: number): void => {
    code += text.slice(index, end).replace(/[^\n]/g, " ");
    index = end;
  };
  // One entry for each template we are in: the depth of braces in its present `${…}`.
  const templates: number[] = [];
  while (index < text.length) {
    const sign = text[index];
    const two = text.slice(index, index + 2);
    if (two === "//") blank(endOf(text, "\n", index));
    else if (two === "/*") blank(endOf(text, "*/", index + 2) + 2);
    else if (sign === '"' || sign === "'") {
      keep(index + 1);
      blank(endOfQuoted(text, sign, index));
      keep(index + 1);
    } else if (sign === "/" && beginsPattern(code)) {
      blank(endOfPattern(text, index + 1));
    } else if (sign === "`") {
      keep(index + 1);
      skipTemplate();
    } else if (sign === "}" && templates.at(-1) === 0) {
      templates.pop();
      blank(index + 1);
      skipTemplate();
    } else {
      const depth = templates.pop();
      if (depth !== undefined) templates.push(depth + (sign === "{" ? 1 : sign === "}" ? -1 : 0));
      keep(index + 1);
    }
  }
  return code;

  /** Blanks the text of a template up to its end or to the next `${`, which it enters. */
  function skipTemplate(): void {
    let end = index;
    while (end < text.length && text[end] !== "`" && text.slice(end, end + 2) !== "${") {
      end += text[end] === "\\" ? 2 : 1;
    }
    blank(end);
    if (text[end] === "`") return keep(end + 1);
    templates.push(0);
    blank(end + 2);
  }
}

function beginsPattern(codeBefore: string): boolean {
  const before = codeBefore.slice(-200).trimEnd();
  return before === "" || SIGNS_BEFORE_PATTERN.test(before) || WORDS_BEFORE_PATTERN.test(before);
}

function endOf(text: string, mark: string, start: number): number {
  const end = text.indexOf(mark, start);
  return end < 0 ? text.length : end;
}

function endOfQuoted(text: string, quote: string, start: number): number {
  let end = start;
  while (end < text.length && text[end] !== quote) end += text[end] === "\\" ? 2 : 1;
  return end;
}

/** @returns the index after the closing slash; the flags are left, and look like a name */
function endOfPattern(text: string, start: number): number {
  let isInClass = false;
  let end = start;
  for (; end < text.length && text[end] !== "\n"; end += 1) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === "[") isInClass = true;
    else if (text[end] === "]") isInClass = false;
    else if (text[end] === "/" && !isInClass) return end + 1;
  }
  return end;
}
