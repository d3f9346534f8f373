/**
 * The text of a configuration file as a tree that remembers line numbers.
 *
 *   bytes --decode--> text --yaml--> documents --+--> exactly one, and its tree
 *                       '-----> lexemes ---------'--> what nutcracker forbids
 *
 * There are no types: every scalar is the text that was written, quoted or not. What may stand in
 * the tree is none of this file's business (pool-shape.ts).
 *
 * nutcracker reads with libyaml and refuses most of YAML: several documents, directives, "---",
 * "[a, b]", "{a: b}", anchors, aliases and tags. So do we, but behind eject_policy, a key of ours,
 * "{failover: b}" may stand. Where libyaml and the yaml package
 * differ about line ends, tabs and characters, libyaml's rule holds. Two differences are left: a
 * quoted text whose next line is less indented than its key is refused here, and a ':' alone on the
 * line after its key is accepted from the second key of a mapping on.
 */

import { CST, isMap, isScalar, isSeq, Lexer, LineCounter, parseAllDocuments } from "yaml";
import { type ConfigMistake, printable } from "./config-error.ts";

export type SourceNode = SourceScalar | SourceList | SourceMapping;

export interface SourceScalar {
  readonly kind: "scalar";
  readonly text: string;
  readonly line: number;
}

export interface SourceList {
  readonly kind: "list";
  readonly items: readonly SourceNode[];
  readonly line: number;
}

export interface SourceMapping {
  readonly kind: "mapping";
  readonly entries: readonly SourceEntry[];
  readonly line: number;
}

export interface SourceEntry {
  readonly key: SourceNode;
  readonly value: SourceNode;
}

export interface YamlSource {
  /** null if the mistakes leave no tree to speak of. */
  readonly root: SourceNode | null;
  /** In nutcracker's order: broken YAML, then what is forbidden; each in the order of the file. */
  readonly mistakes: readonly ConfigMistake[];
}

/** Something wrong at an offset of the text; `legacy` is what nutcracker logs after "conf: ". */
interface Fault {
  readonly offset: number;
  readonly legacy: string;
  readonly found: string;
  readonly allowed: string;
}

/** The part of libyaml that fails, as it numbers them. */
const LibyamlPart = { Reader: 2, Scanner: 3, Parser: 4, Composer: 5 } as const;

const SYNTAX_MISTAKES_MAX = 10;

/** Mapping of mappings of lists of scalars. What lies deeper is refused for what it is in. */
const DEPTH_MAX = 4;

const YAML_ALLOWED = 'lines like "key: value" and "- item", indented by blanks';

const NESTED_ALLOWED = 'a value that holds ": " in quotes, like eject_policy: "failover: beta"';

/** Messages of the yaml package for what libyaml's parser refuses; its scanner refuses the rest. */
const parserMessages = new RegExp(
  [
    "^All (?:mapping|sequence) items",
    "^A block sequence",
    "^Block collections",
    "^Flow (?:map|sequence) in",
    "^Sequence item without",
    "^Unexpected .*(?: at node end| in YAML (?:stream|document)|scalar token$)",
    "flow indicator",
  ].join("|"),
);

interface ForbiddenToken {
  /** Name and number of the token in libyaml. */
  readonly token: string;
  readonly found: string;
  readonly allowed: string;
}

const PLAIN_DOCUMENT = 'one document without "%", "---" and "..." lines';
const PLAIN_VALUE = "the value itself";

const forbiddenTokens: Readonly<Record<string, ForbiddenToken>> = {
  "%YAML": { token: "version directive token (3)", found: "%YAML", allowed: PLAIN_DOCUMENT },
  "%TAG": { token: "tag directive token (4)", found: "%TAG", allowed: PLAIN_DOCUMENT },
  "doc-start": { token: "document start token (5)", found: '"---"', allowed: PLAIN_DOCUMENT },
  "doc-end": { token: "document end token (6)", found: '"..."', allowed: PLAIN_DOCUMENT },
  "flow-seq-start": {
    token: "flow sequence start token (10)",
    found: 'a list in "[ ]"',
    allowed: 'a list of "- item" lines',
  },
  "flow-map-start": {
    token: "flow mapping start token (12)",
    found: 'a mapping in "{ }"',
    allowed: 'a mapping of "key: value" lines, or a text in quotes',
  },
  alias: { token: "alias token (18)", found: 'an alias ("*name")', allowed: PLAIN_VALUE },
  anchor: { token: "anchor token (19)", found: 'an anchor ("&name")', allowed: PLAIN_VALUE },
  tag: { token: "tag token (20)", found: 'a tag ("!name")', allowed: PLAIN_VALUE },
};

/** Reads the bytes of a file, or a text. Never throws. */
export function readYaml(source: Uint8Array | string, file: string): YamlSource {
  const decoded = typeof source === "string" ? source.replace(/^\ufeff/, "") : decode(source);
  if (decoded === null) {
    const fault = brokenAt(0, LibyamlPart.Reader, "bytes that are no UTF-8", "a text in UTF-8");
    return { root: null, mistakes: [mistakeOf(fault, file, lineOfBadBytes(source))] };
  }
  const text = withPlainLineEnds(decoded);
  const lines = countLines(text);
  const refuse = (faults: readonly Fault[]): readonly ConfigMistake[] =>
    faults.map((fault) => mistakeOf(fault, file, lines.linePos(fault.offset).line));

  const control = findControl(text);
  if (control !== null) {
    return { root: null, mistakes: refuse([control]) };
  }
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    strict: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const lexemes = readLexemes(text);
  const broken = [...syntaxFaults(documents), ...lexemes.broken];
  const [document] = documents;
  const root = toSource(document?.contents, 1, 1, { lines, broken });
  if (broken.length > 0) {
    return { root: null, mistakes: firstOfEachLine(refuse(broken)) };
  }
  if (documents.length !== 1) {
    return { root: null, mistakes: refuse([wrongCount(documents, file)]) };
  }
  return { root: lexemes.hasAlias ? null : root, mistakes: refuse(lexemes.forbidden) };
}

/** One broken line breaks those after it, and more mistakes than a few tell nobody anything. */
function firstOfEachLine(mistakes: readonly ConfigMistake[]): ConfigMistake[] {
  const sorted = mistakes.toSorted((one, other) => one.line - other.line);
  const firsts = sorted.filter(({ line }, index) => line !== sorted[index - 1]?.line);
  return firsts.slice(0, SYNTAX_MISTAKES_MAX);
}

/** UTF-8, or UTF-16 with a byte order mark, as libyaml; null if it is neither. */
function decode(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe
      ? "utf-16le"
      : first === 0xfe && second === 0xff
        ? "utf-16be"
        : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** No character spans two lines, so that each line can be tried by itself. */
function lineOfBadBytes(source: Uint8Array | string): number {
  const bytes = Buffer.from(source);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  for (let start = 0; ; line += 1) {
    const end = bytes.indexOf("\n", start);
    try {
      decoder.decode(bytes.subarray(start, end < 0 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end < 0) {
      return 0;
    }
    start = end + 1;
  }
}

/**
 * Gives the yaml package the lines that libyaml sees: CR, NEL, LS and PS end a line too. A byte
 * order mark at the start of a later line, where files were joined, counts as a blank.
 */
function withPlainLineEnds(text: string): string {
  return text.replace(/\r\n?|[\x85\u2028\u2029]/g, "\n").replace(/\n\ufeff/g, "\n ");
}

function countLines(text: string): LineCounter {
  const lines = new LineCounter();
  for (let start = 0; ;) {
    lines.addNewLine(start);
    const end = text.indexOf("\n", start);
    if (end < 0) {
      return lines;
    }
    start = end + 1;
  }
}

/** What libyaml calls a control character: not printable, and neither a tab nor a line end. */
function findControl(text: string): Fault | null {
  const match = /[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(text);
  if (match === null) {
    return null;
  }
  const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const found = `the control character U+${code}`;
  return brokenAt(match.index, LibyamlPart.Reader, found, "printable characters");
}

function syntaxFaults(documents: ReturnType<typeof parseAllDocuments>): Fault[] {
  const errors = "empty" in documents ? documents.errors : documents.flatMap((one) => one.errors);
  return errors.map(({ message, pos }) => {
    const part = parserMessages.test(message) ? LibyamlPart.Parser : LibyamlPart.Scanner;
    // Some messages end with the text in question, which may be a password.
    const reason = message.replace(/(?<=\S): .*/s, "");
    const isNested = message.startsWith("Nested mappings");
    const allowed = isNested ? `${YAML_ALLOWED}; ${NESTED_ALLOWED}` : YAML_ALLOWED;
    return brokenAt(pos[0], part, `broken YAML (${reason})`, allowed);
  });
}

interface LexemeFaults {
  readonly broken: readonly Fault[];
  readonly forbidden: readonly Fault[];
  readonly hasAlias: boolean;
}

/** Walks over the smallest parts of the text, as libyaml's scanner does. */
function readLexemes(text: string): LexemeFaults {
  const broken: Fault[] = [];
  const forbidden: Fault[] = [];
  const anchors = new Set<string>();
  let hasAlias = false;
  let flowDepth = 0;
  // Where a key or an item may begin libyaml takes no tab for a blank.
  let mayBegin = true;
  // The one directive whose value may be a mapping.
  let lastText = "";
  let isAfterColon = false;
  for (const { type, source, offset } of lexemesOf(text)) {
    if (mayBegin && type === "space" && source.includes("\t")) {
      broken.push(brokenAt(offset, LibyamlPart.Scanner, "a tab", YAML_ALLOWED));
    }
    mayBegin =
      flowDepth === 0 &&
      (type === "newline" ||
        type === "seq-item-ind" ||
        type === "explicit-key-ind" ||
        (mayBegin && type === "space"));
    const name = source.slice(1);
    if (type === "alias" ? !anchors.has(name) : type === "anchor" && anchors.has(name)) {
      const found = type === "alias" ? "an alias to nothing" : "an anchor for the second time";
      broken.push(brokenAt(offset, LibyamlPart.Composer, found, PLAIN_VALUE));
    } else if (type === "anchor") {
      anchors.add(name);
    }
    hasAlias ||= type === "alias";
    const rule =
      forbiddenTokens[type === "directive-line" ? (source.split(/\s/, 1)[0] ?? "") : type];
    const isPolicy = type === "flow-map-start" && lastText === "eject_policy" && isAfterColon;
    if (type === "text") lastText = source;
    if (type !== "space") isAfterColon = type === "map-value-ind";
    if (rule !== undefined && flowDepth === 0 && !isPolicy) {
      const { token, found, allowed } = rule;
      forbidden.push({ offset, legacy: `${token} is disallowed`, found, allowed });
    } else if (type === "directive-line" && rule === undefined) {
      broken.push(brokenAt(offset, LibyamlPart.Scanner, "an unknown directive", PLAIN_DOCUMENT));
    }
    if (type === "flow-seq-start" || type === "flow-map-start") {
      flowDepth += 1;
    } else if (type === "flow-seq-end" || type === "flow-map-end") {
      flowDepth -= 1;
    }
  }
  return { broken, forbidden, hasAlias };
}

interface Lexeme {
  readonly type: string;
  readonly source: string;
  readonly offset: number;
}

function* lexemesOf(text: string): Generator<Lexeme> {
  let offset = 0;
  let isText = false;
  for (const source of new Lexer().lex(text)) {
    if (isText) {
      yield { type: "text", source, offset };
      isText = false;
      offset += source.length;
      continue;
    }
    const type = CST.tokenType(source);
    if (type === "scalar") {
      isText = true;
    } else if (type !== "doc-mode" && type !== "flow-error-end") {
      yield { type: type ?? "unknown", source, offset };
      offset += source.length;
    }
  }
}

interface TreeContext {
  readonly lines: LineCounter;
  readonly broken: Fault[];
}

/** @param line where the node is, should it be empty and have no place of its own */
function toSource(node: unknown, line: number, depth: number, context: TreeContext): SourceNode {
  if (isScalar(node) && typeof node.value === "string" && node.value !== "") {
    return toSourceScalar(node.value, node.range?.[0] ?? 0, context);
  }
  if (depth > DEPTH_MAX || !(isMap(node) || isSeq(node))) {
    return { kind: "scalar", text: "", line };
  }
  const start = context.lines.linePos(node.range?.[0] ?? 0).line;
  if (isSeq(node)) {
    const items = node.items.map((item) => toSource(item, start, depth + 1, context));
    return { kind: "list", items, line: start };
  }
  const entries = node.items.map((pair) => {
    const key = toSource(pair.key, start, depth + 1, context);
    return { key, value: toSource(pair.value, key.line, depth + 1, context) };
  });
  return { kind: "mapping", entries, line: start };
}

function toSourceScalar(text: string, offset: number, context: TreeContext): SourceScalar {
  if (!text.isWellFormed()) {
    const found = "an escape for half a character";
    context.broken.push(brokenAt(offset, LibyamlPart.Scanner, found, "whole characters"));
  }
  return { kind: "scalar", text, line: context.lines.linePos(offset).line };
}

function wrongCount(documents: ReturnType<typeof parseAllDocuments>, file: string): Fault {
  const count = documents.length;
  const found = count === 0 ? "no pool" : `${count} YAML documents`;
  const bare = documents.slice(1).find((document) => document.directives?.docStart !== true);
  if (bare !== undefined) {
    return brokenAt(bare.range?.[0] ?? 0, LibyamlPart.Parser, found, PLAIN_DOCUMENT);
  }
  return {
    offset: 0,
    legacy: `'${file}' must contain only 1 document; found ${count} documents`,
    found,
    allowed: "exactly one YAML document",
  };
}

function brokenAt(offset: number, part: number, found: string, allowed: string): Fault {
  const legacy = `failed (err ${part}) to get the next yaml document`;
  return { offset, legacy, found, allowed };
}

function mistakeOf(fault: Fault, file: string, line: number): ConfigMistake {
  const { legacy, found, allowed } = fault;
  return {
    file,
    line,
    pool: null,
    key: null,
    legacyLine: `conf: ${printable(legacy)}`,
    found: printable(found),
    allowed,
  };
}
