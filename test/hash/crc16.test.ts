/**
 * The 32-bit register of nutcracker's CRC-16 against long division.
 */
import { expect, test } from "bun:test";
import { crc16 } from "../../src/hash/crc16.ts";
import { expectSame, hashOf, u32 } from "./reference.ts";

/** The remainder of a byte and sixteen zero bits divided by the polynomial, bit by bit. */
function remainder(byte: bigint): bigint {
  let value = byte << 16n;
  for (let bit = 23n; bit >= 16n; bit--) {
    if ((value >> bit) & 1n) value ^= 0x11021n << (bit - 16n);
  }
  return value;
}

test("any key, with all bits that a 16-bit register would lose", () => {
  expectSame(crc16, (key) =>
    key.reduce((register, byte) => {
      const index = ((register >> 8n) ^ BigInt(byte)) & 0xffn;
      return u32(register << 8n) ^ remainder(index);
    }, 0n),
  );
});

test("the lower 16 bits are the checksum of XMODEM", () => {
  expect(hashOf(crc16, "123456789") & 0xffff).toBe(0x31c3);
  expect(hashOf(crc16, "A")).toBe(0x58e5);
});

test("a known value of 32 bits", () => {
  expect(hashOf(crc16, "apple")).toBe(3662830516);
});
