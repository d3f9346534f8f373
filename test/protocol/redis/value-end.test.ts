/** Where one string or null ends: whole, cut at every place, and with more behind it. */
import { describe, expect, test } from "bun:test";
import { valueEnd } from "../../../src/protocol/redis/value-end.ts";

const VALUES = [
  "$3\r\nabc\r\n",
  "$0\r\n\r\n",
  "$12\r\n\r\n$3\r\nabc\r\n\n\r\n",
  "$-1\r\n",
  "_\r\n",
];

describe.each(VALUES)("%j", (value) => {
  test("ends where it ends, wherever it lies and whatever follows", () => {
    for (const before of ["", "$3\r\n"]) {
      for (const after of ["", "\r\n", "$1\r\na\r\n", "0"]) {
        const bytes = Buffer.from(before + value + after);
        const end = before.length + value.length;
        expect(valueEnd(bytes, before.length, bytes.length)).toBe(end);
      }
    }
  });

  test("has no end before all of it is there, though the bytes lie behind", () => {
    const bytes = Buffer.from(value + value);
    for (let end = 0; end < value.length; end++) expect(valueEnd(bytes, 0, end)).toBe(-1);
  });
});

test.each([
  "+OK\r\n",
  ":1\r\n",
  "*1\r\n$1\r\na\r\n",
  "$\r\n",
  "$-2\r\n",
  "$-11\r\n",
  "$--1\r\n",
  "$+1\r\na\r\n",
  "$3\rabc\r\n",
  "$3\r\nabcd\r\n",
  "$3\r\nabc\n\r",
  "$1000000000\r\n",
  "_a\r\n",
])("%j is none", (text) => {
  const bytes = Buffer.from(text);
  expect(valueEnd(bytes, 0, bytes.length)).toBe(-1);
});
