/**
 * CRC-16 with the CCITT polynomial 0x1021, as XMODEM uses it: highest bit first, starting at 0.
 *
 * Kept from nutcracker: the register is 32 bits wide and never cut to 16, so the bits that a CRC
 * shifts out stay in the result. The table index only sees bits 8 to 15, as it should.
 * Twin: nc_crc16.c.
 */

const POLYNOMIAL = 0x1021;

/** What one byte at the top of the register leaves behind after eight shifts. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let register = byte << 8;
  for (let bit = 0; bit < 8; bit++) {
    register = register & 0x8000 ? (register << 1) ^ POLYNOMIAL : register << 1;
  }
  return register & 0xffff;
});

/** `crc16`: a full 32-bit number for keys of three bytes and more. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let register = 0;
  for (let i = start; i < end; i++) {
    register = (register << 8) ^ TABLE[((register >>> 8) ^ bytes[i]!) & 0xff]!;
  }
  return register >>> 0;
}
