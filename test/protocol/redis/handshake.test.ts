/** Which replies to a handshake are refusals, and what clients read of them. */
import { expect, test } from "bun:test";
import { redisHandshake } from "../../../src/protocol/redis/handshake.ts";

const handshake = redisHandshake({ password: "secret", protocolVersion: 3, database: 5 });

function refusal(reply: string): string | null {
  return handshake?.refusal(Buffer.from(reply, "latin1"))?.toString("latin1") ?? null;
}

test("an error of RESP3 is a refusal, too, and told in one line", () => {
  expect(refusal("!13\r\nERR no\r\nmore\n\r\n")).toBe("-ERR no more\r\n");
  expect(refusal("!0\r\n\r\n")).toBe("-ERR\r\n");
});

test("a server's own words go to the client as they came", () => {
  expect(refusal("-WRONGPASS no\r\n")).toBe("-WRONGPASS no\r\n");
});

test("no password, no refusal", () => {
  expect(refusal("-ERR Client sent AUTH, but no password is set\r\n")).toBeNull();
  expect(refusal("+OK\r\n")).toBeNull();
});
