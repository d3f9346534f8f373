/**
 * What a program under Bun allocates, read from the log of its garbage collector.
 *
 *   Requesting GC because bytes allocated this cycle: 8394626 …
 *   START M 8752kb => EdenCollection … => 5129kb, p=0.6ms      8,752 KB before, 5,129 KB after
 *
 * A collection that was asked for because of what was allocated says how much that was, bytes of
 * Buffers included. For others it is the heap before less the heap after the one before: without
 * the bytes of Buffers, which lie outside, so rather too little. What came after the last
 * collection is not in the log.
 */

/** The environment in which a program writes the log, to stderr. */
export const COLLECTOR_LOG = { BUN_JSC_logGC: "1" } as const;

const LINES = /allocated this cycle: (\d+)|START \w (\d+)kb|=> (\d+)kb, p=/g;

export interface Allocated {
  readonly bytes: number;
  readonly collections: number;
}

/** What was allocated behind position `from` of the log. */
export function allocatedSince(log: string, from: number): Allocated {
  let bytes = 0;
  let collections = 0;
  let toldBytes = 0;
  let afterKb: number | null = null;
  for (const { 1: told, 2: before, 3: after, index } of log.matchAll(LINES)) {
    if (told !== undefined) toldBytes = Number(told);
    if (after !== undefined) afterKb = Number(after);
    if (before === undefined) continue;
    if (index >= from) {
      collections++;
      const grownKb = afterKb === null ? 0 : Number(before) - afterKb;
      bytes += Math.max(toldBytes, grownKb * 1024);
    }
    toldBytes = 0;
  }
  return { bytes, collections };
}
