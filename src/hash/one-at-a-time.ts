/**
 * One-at-a-time, Bob Jenkins' byte-wise mixing hash (Dr. Dobb's Journal, September 1997).
 *
 * Kept from nutcracker on x86: bytes from 0x80 on enter as negative numbers, because its `char` is
 * signed; keys outside ASCII would change their server otherwise. Twin: nc_one_at_a_time.c.
 */

/** `one_at_a_time`: any length, 0 for the empty key. */
export function oneAtATime(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) {
    hash = (hash + ((bytes[i]! << 24) >> 24)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  hash = (hash + (hash << 15)) | 0;
  return hash >>> 0;
}
