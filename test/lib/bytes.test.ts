/** Decimal numbers and copies, against the language's own. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { copyBytes, decimalLength, equalBytes, writeDecimal } from "../../src/lib/bytes.ts";

test("writeDecimal() writes what String() writes", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const target = Buffer.alloc(32);
      const end = writeDecimal(target, 3, value);
      expect(target.toString("latin1", 3, end)).toBe(String(value));
      expect(decimalLength(value)).toBe(String(value).length);
    }),
  );
});

test("copyBytes() and equalBytes() handle any length", () => {
  for (let length = 0; length < 200; length++) {
    const source = Buffer.from(Array.from({ length: length + 7 }, (_, i) => (i * 37) & 255));
    const target = Buffer.alloc(length + 10);
    copyBytes(source, 5, 5 + length, target, 2);
    expect(target.subarray(2, 2 + length)).toEqual(source.subarray(5, 5 + length));
    expect(target[2 + length]).toBe(0);
    expect(equalBytes(source, 5, 5 + length, target, 2, 2 + length)).toBe(true);
    expect(equalBytes(source, 5, 5 + length, target, 2, 3 + length)).toBe(false);
    if (length > 0) {
      target[2 + length - 1]! ^= 1;
      expect(equalBytes(source, 5, 5 + length, target, 2, 2 + length)).toBe(false);
    }
  }
});
