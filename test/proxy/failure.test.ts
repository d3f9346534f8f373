/**
 * The table of failures: the text of each error code is glibc's.
 */
import { expect, test } from "bun:test";
import { dlopen } from "bun:ffi";
import { constants } from "node:os";
import { join } from "node:path";
import {
  BAD_RESPONSE,
  ejected,
  failureOf,
  NAME_NOT_RESOLVED,
  refusedConnection,
  refusedHandshake,
  SERVER_CLOSED,
  TOO_MANY_BLOCKED,
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

test("what clients read of an ejected server is one printable line, made once", () => {
  const reason = ejected("st\u00f6re\r\n+OK");
  expect(failureReply(reason).toString("latin1")).toBe("-ERR Server 'st?re??+OK' is ejected\r\n");
  expect(failureReply(ejected("b", "spare")).toString()).toBe(
    "-ERR Server 'b' of failover pool 'spare' is ejected, too\r\n",
  );
  expect(failureReply(reason)).toBe(failureReply(reason));
});

test("a server's own words are passed on as they came", () => {
  const words = Buffer.from("-NOAUTH Authentication required.\r\n");
  expect(failureReply(refusedHandshake(words))).toBe(words);
});

test("a refusal is one line, so that every client can read it", () => {
  const line = Buffer.from("-ERR max number of clients reached\r\n");
  expect(failureReply(refusedConnection(line))).toBe(line);
  for (const text of ["!6\r\nvvvvvv\r\n", "VALUE k 0 1\r\nx\r\nSERVER_ERROR out of memory\r\n"]) {
    expect(refusedConnection(Buffer.from(text))).toBe(BAD_RESPONSE);
  }
});

test("README's table for the night has every text that clients read", async () => {
  const readme = await Bun.file(join(import.meta.dir, "../../README.md")).text();
  const table = readme.slice(
    readme.indexOf("\n## At night"),
    readme.indexOf("\n## What it promises"),
  );
  const reasons = [...CODES, "ENOTFOUND", undefined].map((code) => failureOf(code));
  for (const { text } of [...reasons, TOO_MANY_BLOCKED, ejected("NAME")]) {
    const words = text.replace(" in system", "");
    expect([words, table.includes(`\`${words}`)]).toEqual([words, true]);
  }
});
