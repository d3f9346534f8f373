/**
 * Words of a command line -> options, as GNU getopt_long does it.
 *
 *   -dv6  -v 6  -v6             letters in a cluster; the argument is the rest or the next word
 *   --verbose=6  --verb 6       long names, or as much of one as no other name begins with
 *   --                          everything after it is no option
 *   -  anything                 not an option: passed over
 *
 * Reads until the first bad option and stops there. Does not know what an option means.
 */

export interface OptionName {
  readonly letter: string;
  /** Without the two hyphens. */
  readonly name: string;
  readonly takesArgument: boolean;
}

export type GetoptResult<Row extends OptionName> =
  | { readonly kind: "option"; readonly row: Row; readonly argument: string }
  /** `letter` is what getopt leaves in optopt: NUL for a long name that is unknown or ambiguous. */
  | { readonly kind: "unknown"; readonly letter: string }
  | { readonly kind: "no argument"; readonly row: Row };

const UNKNOWN_LONG_NAME = "\0";

/** @returns the options in the order of the words; a result other than "option" is the last one */
export function getopt<Row extends OptionName>(
  rows: readonly Row[],
  words: readonly string[],
): GetoptResult<Row>[] {
  const results: GetoptResult<Row>[] = [];
  let index = 0;
  const nextWord = (): string | undefined => words[index++];
  for (let word = nextWord(); word !== undefined && word !== "--"; word = nextWord()) {
    if (word.startsWith("--")) results.push(readLong(rows, word.slice(2), nextWord));
    else if (word.startsWith("-")) results.push(...readCluster(rows, word.slice(1), nextWord));
    const last = results.at(-1);
    if (last !== undefined && last.kind !== "option") break;
  }
  return results;
}

function readLong<Row extends OptionName>(
  rows: readonly Row[],
  text: string,
  nextWord: () => string | undefined,
): GetoptResult<Row> {
  const equals = text.indexOf("=");
  const row = findLong(rows, equals < 0 ? text : text.slice(0, equals));
  if (row === undefined) return { kind: "unknown", letter: UNKNOWN_LONG_NAME };
  if (equals < 0) return row.takesArgument ? withArgument(row, nextWord()) : flag(row);
  if (!row.takesArgument) return { kind: "unknown", letter: row.letter };
  return withArgument(row, text.slice(equals + 1));
}

function readCluster<Row extends OptionName>(
  rows: readonly Row[],
  cluster: string,
  nextWord: () => string | undefined,
): GetoptResult<Row>[] {
  const results: GetoptResult<Row>[] = [];
  for (let at = 0; at < cluster.length; at++) {
    const letter = cluster.charAt(at);
    const row = rows.find((candidate) => candidate.letter === letter);
    if (row === undefined) return [...results, { kind: "unknown", letter }];
    if (row.takesArgument) {
      const rest = cluster.slice(at + 1);
      return [...results, withArgument(row, rest === "" ? nextWord() : rest)];
    }
    results.push(flag(row));
  }
  return results;
}

/** A whole name wins over longer names that begin with it. */
function findLong<Row extends OptionName>(rows: readonly Row[], name: string): Row | undefined {
  const candidates = rows.filter((row) => row.name.startsWith(name));
  return candidates.length === 1 ? candidates[0] : candidates.find((row) => row.name === name);
}

function flag<Row extends OptionName>(row: Row): GetoptResult<Row> {
  return { kind: "option", row, argument: "" };
}

function withArgument<Row extends OptionName>(
  row: Row,
  argument: string | undefined,
): GetoptResult<Row> {
  return argument === undefined ? { kind: "no argument", row } : { kind: "option", row, argument };
}
