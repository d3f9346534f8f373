/**
 * Numbers as memcached reads them: what is plain, what is not but is taken, and what is refused.
 */
import { describe, expect, test } from "bun:test";
import {
  canonicalNumber,
  NumberKind,
  plainNumber,
} from "../../../src/protocol/memcached/numbers.ts";

const { Flags, Exptime, Size, Unique } = NumberKind;

function plain(kind: NumberKind, text: string): number {
  const bytes = Buffer.from(`<${text}>`);
  return plainNumber(kind, bytes, 1, 1 + text.length);
}

describe("plain numbers", () => {
  test.each([
    [Flags, "0", 0],
    [Flags, "007", 7],
    [Flags, "4294967295", 4_294_967_295],
    [Exptime, "2147483647", 2_147_483_647],
    [Exptime, "-1", 1],
    [Size, "1048576", 1_048_576],
    [Unique, "123456789012345", 123_456_789_012_345],
  ])("kind %p: %p", (kind, text, value) => {
    expect(plain(kind, text)).toBe(value);
  });

  test.each([
    [Flags, ""],
    [Flags, "-1"],
    [Flags, "4294967296"],
    [Exptime, "-"],
    [Exptime, "--1"],
    [Exptime, "2147483648"],
    [Size, "-1"],
    [Size, "+1"],
    [Size, "1x"],
    [Size, "2147483646"],
    [Unique, "1234567890123456"],
  ])("kind %p: %p is not plain", (kind, text) => {
    expect(plain(kind, text)).toBe(-1);
  });
});

describe("numbers that memcached takes nevertheless", () => {
  test.each([
    [Size, "+5", "5"],
    [Size, "\t5", "5"],
    [Size, "5\tx", "5"],
    [Size, "4294967301", "5"],
    [Size, "0000000000000000000005", "5"],
    [Size, "2147483645", "2147483645"],
    [Flags, "4294967296", "0"],
    [Flags, "18446744073709551615", "4294967295"],
    [Flags, "-18446744073709551615", "1"],
    [Exptime, "1700000000000", "-807049216"],
    [Exptime, "-99999999999", "-1215752191"],
    [Unique, "18446744073709551615", "18446744073709551615"],
  ])("kind %p: %p is %p", (kind, text, value) => {
    expect(canonicalNumber(kind, text)).toBe(value);
  });

  test.each([
    [Size, ""],
    [Size, "x"],
    [Size, "5x"],
    [Size, "-5"],
    [Size, "2147483646"],
    [Size, "99999999999999999999"],
    [Flags, "-1"],
    [Flags, "18446744073709551616"],
    [Exptime, "9223372036854775808"],
    [Exptime, "1.5"],
    [Unique, "-1"],
    [Unique, "0x10"],
  ])("kind %p: %p is refused", (kind, text) => {
    expect(canonicalNumber(kind, text)).toBeNull();
  });
});
