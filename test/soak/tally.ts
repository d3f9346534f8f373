/**
 * What all clients of a soak have seen, in numbers, with samples of what must not be.
 */

/** Of each kind. */
const SAMPLES_MAX = 6;

/** What must never happen, and how it is called. */
export const WRONGS = {
  stray: "errors on keys of servers without a fault",
  mismatch: "mismatched replies",
  lost: "lost replies",
} as const;

export type Wrong = keyof typeof WRONGS;

export class Tally {
  sessions = 0;
  requests = 0;
  /** Replies that were right. */
  values = 0;
  /** Connections that ended in the middle of a large reply of a faulty server. */
  cuts = 0;
  /** Clients that did not read and were closed for it. */
  closedNonReaders = 0;
  readonly errorsByReason = new Map<string, number>();
  readonly sessionsByKind = new Map<string, number>();
  readonly wrongs: Record<Wrong, number> = { stray: 0, mismatch: 0, lost: 0 };

  /** Called with the first few of each kind, when they happen. */
  readonly #onSample: (text: string) => void;

  constructor(onSample: (text: string) => void = () => {}) {
    this.#onSample = onSample;
  }

  get errors(): number {
    return sum(this.errorsByReason);
  }

  error(reason: string): void {
    addOne(this.errorsByReason, reason);
  }

  session(kind: string): void {
    this.sessions++;
    addOne(this.sessionsByKind, kind);
  }

  wrong(kind: Wrong, text: string): void {
    this.wrongs[kind]++;
    if (this.wrongs[kind] > SAMPLES_MAX) return;
    this.#onSample(`${kind}: ${text}`);
  }
}

function addOne(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** `name 12, other 3`, the most frequent first. */
export function shownCounts(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ${count}`).join(", ");
}
