/**
 * FNV-1 and FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv), under nutcracker's four names.
 *
 * Kept from nutcracker: of the two 64-bit variants only the lower 32 bits are computed, which are
 * those of the full computation too; and bytes from 0x80 on are sign-extended, because `char` is
 * signed on x86. Twin: nc_fnv.c.
 */

const OFFSET_BASIS_32 = 0x811c9dc5;
const PRIME_32 = 0x01000193;
/** Lower half of the 64-bit offset basis 0xcbf29ce484222325. */
const OFFSET_BASIS_64_LOW = 0x84222325;
/** Lower half of the 64-bit prime 0x100000001b3. */
const PRIME_64_LOW = 0x1b3;

/** `fnv1_64`: multiply, then mix in the byte. */
export function fnv1_64(bytes: Uint8Array, start: number, end: number): number {
  let hash = OFFSET_BASIS_64_LOW | 0;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash, PRIME_64_LOW) ^ ((bytes[i]! << 24) >> 24);
  }
  return hash >>> 0;
}

/** `fnv1a_64`: mix in the byte, then multiply. The default of a pool. */
export function fnv1a_64(bytes: Uint8Array, start: number, end: number): number {
  let hash = OFFSET_BASIS_64_LOW | 0;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ ((bytes[i]! << 24) >> 24), PRIME_64_LOW);
  }
  return hash >>> 0;
}

/** `fnv1_32`: multiply, then mix in the byte. */
export function fnv1_32(bytes: Uint8Array, start: number, end: number): number {
  let hash = OFFSET_BASIS_32 | 0;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash, PRIME_32) ^ ((bytes[i]! << 24) >> 24);
  }
  return hash >>> 0;
}

/** `fnv1a_32`: mix in the byte, then multiply. */
export function fnv1a_32(bytes: Uint8Array, start: number, end: number): number {
  let hash = OFFSET_BASIS_32 | 0;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ ((bytes[i]! << 24) >> 24), PRIME_32);
  }
  return hash >>> 0;
}
