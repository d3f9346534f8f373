/**
 * The stats port of nutcracker: what it says, and what has changed since it was asked last.
 */

/** The JSON document: numbers and texts, a record for each pool, and in it one for each server. */
export interface StatsRecord {
  readonly [field: string]: number | string | StatsRecord;
}

export interface Change {
  /** The way to the field: [field], [pool, field] or [pool, server, field]. */
  readonly path: readonly string[];
  readonly before: number;
  readonly after: number;
}

/** They always move, and say nothing about what was done. */
const CLOCKS = new Set(["uptime", "timestamp"]);

/** Connects to the stats port and reads until it closes. */
export function readStats(port: number): Promise<StatsRecord> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => reject(new Error("the stats port does not answer")), 5_000);
    const finish = (): void => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString()));
      } catch (error) {
        reject(new Error(`the stats are not JSON: ${error}`));
      }
    };
    const socket = {
      data: (_socket: unknown, bytes: Buffer) => void chunks.push(bytes),
      close: finish,
    };
    Bun.connect({ hostname: "127.0.0.1", port, socket }).catch(reject);
  });
}

/** @returns the number at a path, or 0 where there is none */
export function statAt(stats: StatsRecord, ...path: string[]): number {
  let value: StatsRecord[string] | undefined = stats;
  for (const field of path) value = typeof value === "object" ? value[field] : undefined;
  return typeof value === "number" ? value : 0;
}

/** @returns the numbers that differ, in the order of the document */
export function statsChanges(
  before: StatsRecord,
  after: StatsRecord,
  path: readonly string[] = [],
): Change[] {
  return Object.entries(after).flatMap(([field, value]) => {
    const here = [...path, field];
    if (typeof value === "object") return statsChanges(before, value, here);
    const earlier = statAt(before, ...here);
    const isSame = typeof value !== "number" || value === earlier || CLOCKS.has(field);
    return isSame ? [] : [{ path: here, before: earlier, after: value }];
  });
}
