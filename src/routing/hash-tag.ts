/**
 * The part of a key that counts, when a pool has a `hash_tag`.
 *
 * With `hash_tag: "{}"` the keys `{user1}:name` and `{user1}:age` hash as `user1` and share a
 * server. The first opening byte counts and the first closing byte after it; with nothing between
 * them, or one of them missing, the whole key counts and no further pair is tried. Opening and
 * closing byte may be the same. Twin: nc_server.c, server_pool_idx().
 */

export class HashTag {
  /** After `find`: the first byte that counts, and the byte after the last one. */
  start = 0;
  end = 0;

  readonly #open: number;
  readonly #close: number;

  /** @param tag the opening and the closing byte */
  constructor(tag: Uint8Array) {
    this.#open = tag[0]!;
    this.#close = tag[1]!;
  }

  /** Leaves what counts of a key in `start` and `end`, which spares an object per key. */
  find(bytes: Uint8Array, start: number, end: number): void {
    this.start = start;
    this.end = end;
    const open = indexOfByte(bytes, this.#open, start, end);
    if (open === end) {
      return;
    }
    const close = indexOfByte(bytes, this.#close, open + 1, end);
    if (close !== end && close > open + 1) {
      this.start = open + 1;
      this.end = close;
    }
  }
}

/** The index of the first such byte, or `end`. Keys are short, and a loop is fast below 48 B. */
function indexOfByte(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i] !== byte) {
    i++;
  }
  return i;
}
