/**
 * What a fuzzer is: it makes inputs from a seed, and checks what the subject makes of each.
 *
 *   seed, run -> make() -> input -> check() -> nothing, or an error that says what is wrong
 *
 * All choices come from the generator that is handed in, so a run can be repeated by its numbers.
 * Knows neither the command line (fuzz.ts) nor how often anything is run (run-fuzzer.ts).
 */
import type { SeededRandom } from "../support/seeded-random.ts";

/** One fuzzer under way. */
export interface FuzzTarget {
  make(random: SeededRandom): Buffer;
  /**
   * @param random for choices beside the input, such as where it is cut
   * @throws Error that says what is not as it should be
   */
  check(input: Buffer, random: SeededRandom): void | Promise<void>;
  /** What the inputs were, in numbers: a fuzzer that only makes garbage finds nothing. */
  tally?(): string;
  /** Ends what was started, after a last look. @throws Error as `check` does */
  finish?(): Promise<void>;
}

export interface Fuzzer {
  readonly name: string;
  readonly feeds: string;
  readonly checks: string;
  /** So many runs take less than a second. */
  readonly smokeRuns: number;
  /** Bytes of this process that may be kept after all runs; null: it is not asked. */
  readonly keptBytesMax: number | null;
  /** Not among `all`, because it fails. */
  readonly isCanary?: true;
  start(): FuzzTarget | Promise<FuzzTarget>;
}

/** What parsers and other functions without a socket may keep. */
export const KEPT_BYTES_MAX = 1024 * 1024;

/** @throws Error with what `problem` says, unless the condition holds */
export function ensure(condition: boolean, problem: () => string): asserts condition {
  if (!condition) throw new Error(problem());
}

/** Counts by name, for `tally`. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  toString(): string {
    const rows = [...this.#counts].sort(([a], [b]) => a.localeCompare(b));
    return rows.map(([name, count]) => `${name} ${count}`).join(", ");
  }
}

/** Bytes as they are written between quotes: printable ASCII as it is, the rest escaped. */
export function escaped(bytes: Uint8Array, bytesMax = 400): string {
  let text = "";
  for (const byte of bytes.subarray(0, bytesMax)) {
    const letter = String.fromCharCode(byte);
    if (letter === "\r") text += "\\r";
    else if (letter === "\n") text += "\\n";
    else if (letter === "\\" || letter === '"') text += `\\${letter}`;
    else if (byte >= 0x20 && byte < 0x7f) text += letter;
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  const rest = bytes.length > bytesMax ? ` and ${bytes.length - bytesMax} bytes more` : "";
  return `"${text}"${rest}`;
}
