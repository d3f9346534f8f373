/**
 * What a load is made of, whatever the protocol: keys, the values that belong to them, and requests
 * with the replies they must have. How a protocol spells them: redis-wire.ts, memcached-wire.ts.
 *
 * A value is its index and key, repeated: a reply that belongs to another key cannot pass for the
 * right one.
 */

/** A request: pieces to send, and the pieces that must come back, in order. */
export interface Exchange {
  readonly request: readonly Buffer[];
  readonly reply: readonly Buffer[];
}

/** The requests of one protocol; keys are named by their indexes. */
export interface Wire {
  get(index: number): Exchange;
  set(index: number): Exchange;
  /** One request for several keys, all of which must be there. */
  getMany(indexes: readonly number[]): Exchange;
  /** @throws Error where the protocol has no such request */
  setMany(indexes: readonly number[]): Exchange;
}

/** The key of an index, spelled as redis-benchmark -r does. */
export function keyOf(index: number): string {
  return `key:${String(index).padStart(12, "0")}`;
}

/** The index comes first, so that short values differ, too. */
export function valueOf(index: number, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${index}:${keyOf(index)}|`);
}
