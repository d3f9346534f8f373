/**
 * SuperFastHash by Paul Hsieh (azillionmonkeys.com/qed/hash.html).
 *
 * Differs from the published function as nutcracker does: the hash starts at 0 instead of at the
 * length, and only the third byte of a three-byte tail is sign-extended. Twin: nc_hsieh.c.
 */

/** `hsieh`: four bytes per round, then a tail of up to three; 0 for the empty key. */
export function hsieh(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let i = start;
  for (const blocksEnd = end - ((end - start) & 3); i < blocksEnd; i += 4) {
    hash = (hash + (bytes[i]! | (bytes[i + 1]! << 8))) | 0;
    const upper = bytes[i + 2]! | (bytes[i + 3]! << 8);
    hash = (hash << 16) ^ (upper << 11) ^ hash;
    hash = (hash + (hash >>> 11)) | 0;
  }
  switch (end - i) {
    case 3:
      hash = (hash + (bytes[i]! | (bytes[i + 1]! << 8))) | 0;
      hash ^= hash << 16;
      hash ^= ((bytes[i + 2]! << 24) >> 24) << 18;
      hash = (hash + (hash >>> 11)) | 0;
      break;
    case 2:
      hash = (hash + (bytes[i]! | (bytes[i + 1]! << 8))) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
      break;
    case 1:
      hash = (hash + bytes[i]!) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
      break;
  }
  return avalanche(hash) >>> 0;
}

function avalanche(word: number): number {
  let hash = word;
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) | 0;
}
