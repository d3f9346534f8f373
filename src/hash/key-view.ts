/**
 * A key as an array of its own, for Bun's hashes: they take no range of a buffer.
 *
 * Short keys are copied into one array that has a view of every length; long ones become a
 * subarray.
 */

/** Up to about here a copy costs less than a subarray, which takes 38 ns and is garbage then. */
const COPIED_BYTES_MAX = 64;

const copy = new Uint8Array(COPIED_BYTES_MAX);
/** `views[n]` is the first n bytes of `copy`. */
const views = Array.from({ length: COPIED_BYTES_MAX + 1 }, (_, n) => copy.subarray(0, n));

/** The bytes of a range as an array; valid until the next call. */
export function keyView(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length > COPIED_BYTES_MAX) {
    return bytes.subarray(start, end);
  }
  for (let i = 0; i < length; i++) {
    copy[i] = bytes[start + i]!;
  }
  return views[length]!;
}
