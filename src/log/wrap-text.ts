/**
 * Long texts for the log, whose lines are cut at 256 bytes: broken at blanks into several lines.
 */

/** Leaves room for time and place in front. */
const WIDTH = 180;
const INDENT = "  ";

/** The text in pieces of at most 180 characters; all but the first are indented by two blanks. */
export function wrapText(text: string): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > WIDTH) {
    const blank = rest.lastIndexOf(" ", WIDTH);
    const end = blank > INDENT.length ? blank : WIDTH;
    lines.push(rest.slice(0, end));
    rest = INDENT + rest.slice(end).trimStart();
  }
  return [...lines, rest];
}
