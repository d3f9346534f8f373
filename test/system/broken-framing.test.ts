/**
 * Bytes that are no request: an error, then the connection is closed; nobody else notices.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import type { RawClient } from "../support/raw-client.ts";
import { bulk } from "../support/resp.ts";

const BROKEN: readonly (readonly [string, string])[] = [
  ["no number of arguments", "*\r\n"],
  ["letters for a number", "*abc\r\n"],
  ["a number with letters", "*2x\r\n$3\r\nGET\r\n$1\r\nk\r\n"],
  ["a sign before the number", "*+2\r\n$3\r\nGET\r\n$1\r\nk\r\n"],
  ["far too many arguments", "*99999999999\r\n"],
  ["more arguments than Redis takes", "*1048577\r\n"],
  ["no dollar", "*2\r\n$3\r\nGET\r\n:1\r\nk\r\n"],
  ["a missing length", "*2\r\n$3\r\nGET\r\n$\r\n\r\n"],
  ["a negative length", "*2\r\n$3\r\nGET\r\n$-1\r\n"],
  ["a length with letters", "*2\r\n$3\r\nGET\r\n$1a\r\nk\r\n"],
  ["a length beyond 512 MB", "*2\r\n$3\r\nGET\r\n$536870913\r\n"],
  ["a length beyond 32 bits", "*2\r\n$3\r\nGET\r\n$4294967297\r\nk\r\n"],
  ["a body longer than said", "*2\r\n$3\r\nGET\r\n$1\r\nkk\r\n"],
  ["a body shorter than said", "*2\r\n$3\r\nGET\r\n$3\r\nk\r\n*1\r\n"],
  ["LF alone after a body", "*2\r\n$3\r\nGET\n$1\r\nk\r\n"],
  ["CR alone", "*2\r$3\r\nGET\r\n$1\r\nk\r\n"],
];

let pool: RedisPool;
let neighbour: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
  neighbour = await pool.connect();
  await pool.fill(["a", "b", "c"]);
});

afterAll(async () => {
  neighbour?.close();
  await pool?.[Symbol.asyncDispose]();
});

test.each(BROKEN)("%s", async (_, bytes) => {
  const client = await pool.connect();
  // Replies of complete requests come first; what follows the broken one is not looked at.
  void client.send("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n");
  void client.send(bytes);
  void client.send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$6\r\nbroken\r\n");
  expect(await client.readReply()).toBe(bulk(valueOf("a")));
  expect(await client.readReply()).toBe("+PONG\r\n");
  expect(await client.readToEnd()).toMatch(/^-ERR Protocol error[^\r\n]*\r\n$/);
  const values = await neighbour.pipeline([
    ["GET", "a"],
    ["GET", "b"],
    ["GET", "c"],
  ]);
  expect(values).toEqual(["a", "b", "c"].map((key) => bulk(valueOf(key))));
});

test("sloppy numbers are refused or made proper, and reach no shared connection", async () => {
  for (const bytes of [
    "*02\r\n$3\r\nGET\r\n$1\r\na\r\n",
    "*2\r\n$03\r\nGET\r\n$1\r\na\r\n",
    "*2\r\n$3\r\nGET\r\n$001\r\na\r\n",
  ]) {
    const client = await pool.connect();
    void client.send(bytes);
    expect(await client.readReply()).toMatch(/^-ERR Protocol error|^\$10\r\nvalue of a\r\n$/);
    client.close();
    expect(await neighbour.call("GET", "a")).toBe(bulk(valueOf("a")));
  }
  const counters = await Promise.all(["s0", "s1"].map((name) => pool.proxy.serverStats(name)));
  for (const server of counters) expect(server).toMatchObject({ server_eof: 0, server_err: 0 });
});

test("empty arrays are nothing", async () => {
  const client = await pool.connect();
  void client.send("*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n");
  expect(await client.readReply()).toBe("+PONG\r\n");
  expect(client.unreadSize).toBe(0);
  client.close();
});

test("an HTTP request and TLS bytes are thrown out", async () => {
  for (const bytes of ["POST / HTTP/1.1\r\nHost: x\r\n\r\nSET a 1\r\n", "\x16\x03\x01\x02\n\x01"]) {
    const client = await pool.connect();
    void client.send(bytes);
    expect(await client.readReply()).toStartWith("-ERR ");
    client.close();
  }
  expect(await neighbour.call("GET", "a")).toBe(bulk(valueOf("a")));
});
