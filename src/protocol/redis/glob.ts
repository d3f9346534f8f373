/**
 * Patterns as CONFIG GET and COMMAND LIST take them: * ? [abc] [^a-c] and \x, in either case of
 * letters.
 */

/**
 * True if the whole text matches the pattern.
 *
 * Only the last star is tried again, so that no pattern takes longer than their lengths multiplied.
 */
export function globMatches(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let at = 0;
  let i = 0;
  let starAt = -1;
  let starText = 0;
  while (i < given.length) {
    if (wanted[at] === "*") {
      starAt = at++;
      starText = i;
      continue;
    }
    const next = matchOne(wanted, at, given[i]!);
    if (next >= 0) {
      at = next;
      i++;
    } else if (starAt >= 0) {
      at = starAt + 1;
      i = ++starText;
    } else {
      return false;
    }
  }
  while (wanted[at] === "*") at++;
  return at === wanted.length;
}

/** Matches one letter. @returns index behind what matched it, or -1 */
function matchOne(pattern: string, at: number, letter: string): number {
  switch (pattern[at]) {
    case undefined:
      return -1;
    case "?":
      return at + 1;
    case "[":
      return matchSet(pattern, at + 1, letter);
    case "\\":
      return at + 1 < pattern.length && pattern[at + 1] === letter ? at + 2 : -1;
    default:
      return pattern[at] === letter ? at + 1 : -1;
  }
}

/** A set that is not closed goes to the end of the pattern, as in Redis. */
function matchSet(pattern: string, start: number, letter: string): number {
  let at = start;
  const isNegated = pattern[at] === "^";
  if (isNegated) at++;
  let isIn = false;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\" && at + 1 < pattern.length) at++;
    const first = pattern[at]!;
    const isRange = pattern[at + 1] === "-" && at + 2 < pattern.length && pattern[at + 2] !== "]";
    const last = isRange ? pattern[at + 2]! : first;
    at += isRange ? 3 : 1;
    if ((letter >= first && letter <= last) || (letter >= last && letter <= first)) isIn = true;
  }
  return isIn === isNegated ? -1 : Math.min(at + 1, pattern.length);
}
