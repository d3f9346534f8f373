/**
 * Text for the person or script at the terminal: everything nutcracker says outside its log goes
 * to stderr. Written at once, because the program may end right after.
 */

import { writeSync } from "node:fs";

const STDERR_FD = 2;

/** Writes the text as it is. A stderr that is closed or full loses it; never throws. */
export function printStderr(text: string): void {
  const bytes = Buffer.from(text);
  let start = 0;
  try {
    while (start < bytes.length) {
      start += writeSync(STDERR_FD, bytes, start, bytes.length - start);
    }
  } catch {
    // There is no place left to complain to.
  }
}
