/**
 * The table of failures: the text of each error code is glibc's.
 */
import { expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import { constants } from "node:os";
import {
  failureOf,
  NAME_NOT_RESOLVED,
  refusedBy,
  SERVER_CLOSED,
} from "../../src/protocol/failure.ts";
import { failureReply } from "../../src/protocol/redis/replies.ts";

const CODES = [
  ...["ETIMEDOUT", "EINVAL", "EHOSTDOWN", "ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE"],
  ...["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ENOENT", "EACCES", "EPERM", "ENOTSOCK"],
  ...["EPROTOTYPE", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"],
];

/** Linux; node:os does not know it. */
const EHOSTDOWN = 112;

test.each(CODES)("%s has the text of strerror", (code) => {
  const libc = dlopen("libc.so.6", { strerror: { args: ["i32"], returns: "cstring" } });
  const numbers = constants.errno as Record<string, number>;
  const number = code === "EHOSTDOWN" ? EHOSTDOWN : numbers[code]!;
  const text = String(libc.symbols.strerror(number));
  libc.close();
  expect(failureOf(code).text).toBe(text);
  expect(failureReply(failureOf(code)).toString()).toBe(`-ERR ${text}\r\n`);
  // One reply for all requests that fail for this reason.
  expect(failureReply(failureOf(code))).toBe(failureReply(failureOf(code)));
});

test("names that do not resolve, closes without an error, codes without a row", () => {
  for (const code of ["ENOTFOUND", "DNS_ENOTFOUND", "EAI_AGAIN"]) {
    expect(failureOf(code).text).toBe(NAME_NOT_RESOLVED.text);
  }
  expect(failureOf(undefined)).toBe(SERVER_CLOSED);
  expect(failureReply(SERVER_CLOSED).toString()).toBe("-ERR unknown\r\n");
  expect(failureReply(failureOf("ESOMETHING")).toString()).toBe("-ERR ESOMETHING\r\n");
});

test("a server's own words are passed on as they came", () => {
  const words = Buffer.from("-NOAUTH Authentication required.\r\n");
  expect(failureReply(refusedBy(words))).toBe(words);
});
