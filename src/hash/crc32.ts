/**
 * CRC-32 (ISO 3309, the one of zlib and Ethernet) under nutcracker's two names.
 *
 * `crc32a` is the plain checksum. `crc32` is what libmemcached made of it: 15 of its bits. With
 * ketama nearly every key then meets the first point of the ring; people who have data placed that
 * way need it to stay so. Twin: nc_crc32.c.
 */

/** The polynomial 0x04c11db7 with its bits reversed. */
const POLYNOMIAL_REVERSED = 0xedb88320;

/** What one byte at the bottom of the register leaves behind after eight shifts. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) {
    register = register & 1 ? (register >>> 1) ^ POLYNOMIAL_REVERSED : register >>> 1;
  }
  return register;
});

/** `crc32a`: the whole checksum. */
export function crc32a(bytes: Uint8Array, start: number, end: number): number {
  let register = -1;
  for (let i = start; i < end; i++) {
    register = (register >>> 8) ^ TABLE[(register ^ bytes[i]!) & 0xff]!;
  }
  return ~register >>> 0;
}

/** `crc32`: bits 16 to 30 of the checksum, so at most 32767. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  return (crc32a(bytes, start, end) >>> 16) & 0x7fff;
}
