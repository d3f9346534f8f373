/**
 * What a soak's clients need of a protocol: random requests that know their right replies.
 *
 * Every value is derived from its key, so a reply that belongs to another request shows.
 */
import type { RawClient } from "../support/raw-client.ts";
import type { SeededRandom } from "../support/seeded-random.ts";

export interface SoakRequest {
  readonly bytes: Uint8Array;
  /** Keys whose servers take part in the reply. */
  readonly keys: readonly string[];
  /** The whole reply as latin1 text. An error reply is not asked about. */
  readonly isRight: (reply: string) => boolean;
  /** The reply goes on to the client as it comes: a server that dies can only cut it off. */
  readonly isStreamed: boolean;
  readonly shown: string;
}

export interface Dialect {
  /** Any kind of request, of common size. */
  random(random: SeededRandom): SoakRequest;
  get(key: string): SoakRequest;
  set(key: string): SoakRequest;
  /** Stores a byte, to see where the key is put. The reply is a line. */
  place(key: string): Uint8Array;
  /** Reads one reply, as latin1 text. */
  read(client: RawClient): Promise<string>;
  /** The words of an error that trouble with a server causes, or null for any other reply. */
  troubleOf(reply: string): string | null;
}

/** Keys by what lives there. Large ones have 1, 2, 3 ... 8 MB. */
export const KEYS = {
  plain: names("p", 500),
  counter: names("c", 40),
  hash: names("h", 40),
  large: names("large", 8),
} as const;

export const ALL_KEYS: readonly string[] = Object.values(KEYS).flat();

/** From this size on a reply may be streamed: see Decisions in ARCHITECTURE.md. */
const STREAMED_BYTES = 64 * 1024;
const MEGABYTE = 1024 * 1024;
const HUGE_BYTES = 300_000;

/** Reasons that the proxy gives for a reply that a server did not send, and a server's own. */
export const TROUBLE =
  "Connection refused|Connection reset by peer|Connection timed out|Broken pipe|unknown|" +
  "Invalid argument|Software caused connection abort|No such file or directory|Host is down|" +
  "No buffer space available|Cannot allocate memory|" +
  "Server '[^']*'(?: of failover pool '[^']*')? is ejected(?:, too)?";

const valuesByKey = new Map<string, string>();

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** The number in a key's name. */
export function numberOf(key: string): number {
  return Number(key.replace(/^\D+/, ""));
}

/** The value of a key: most are short, some longer than a chunk, few longer than a read. */
export function valueOf(key: string): string {
  const known = valuesByKey.get(key);
  if (known !== undefined) return known;
  const sizeBytes = sizeOf(key);
  const value = `${key}=`.repeat(Math.ceil(sizeBytes / (key.length + 1))).slice(0, sizeBytes);
  valuesByKey.set(key, value);
  return value;
}

function sizeOf(key: string): number {
  const number = numberOf(key);
  if (key.startsWith("large")) return (number + 1) * MEGABYTE - 100;
  if (number % 61 === 0) return HUGE_BYTES + number;
  return number % 7 === 0 ? 9_000 + number * 40 : 8 + (number % 60);
}

export function isStreamed(key: string): boolean {
  return valueOf(key).length >= STREAMED_BYTES - 100;
}

/** A counter starts here and only grows by one: its value tells whose it is. */
export function counterStart(key: string): number {
  return (numberOf(key) + 1) * 1_000_000_000;
}

export function isCountOf(key: string, count: number): boolean {
  return count >= counterStart(key) && count < counterStart(key) + 1_000_000_000;
}

/** Some different keys: mostly few, sometimes hundreds. Small ones only, for many at a time. */
export function someKeys(random: SeededRandom): string[] {
  const count = random.chance(0.04) ? random.between(60, 200) : random.between(1, 10);
  const keys = Array.from({ length: count }, () => random.pick(KEYS.plain));
  return [...new Set(keys)].filter((key) => count === 1 || !isStreamed(key));
}

/** One of the rows, each as often as its weight says. */
export function pickWeighted<T extends { readonly weight: number }>(
  random: SeededRandom,
  rows: readonly T[],
): T {
  let left = random.integer(rows.reduce((total, { weight }) => total + weight, 0));
  for (const row of rows) {
    left -= row.weight;
    if (left < 0) return row;
  }
  throw new Error("no rows with a weight");
}
