/**
 * Commands typed into telnet or nc: a line of words, with Redis' quoting.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";

let pool: RedisPool;
let client: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
  client = await pool.connect();
});

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

async function say(line: string): Promise<string> {
  void client.send(line);
  return client.readReply();
}

test("words between blanks, with CR LF or LF alone", async () => {
  expect(await say("PING\r\n")).toBe("+PONG\r\n");
  expect(await say("ping\n")).toBe("+PONG\r\n");
  expect(await say("SET greeting hello\r\n")).toBe("+OK\r\n");
  expect(await say("  GET   greeting  \r\n")).toBe(bulk("hello"));
  expect(await say("MGET greeting nothing greeting\n")).toBe(
    "*3\r\n$5\r\nhello\r\n$-1\r\n$5\r\nhello\r\n",
  );
  expect(await say("DEL greeting nothing\r\n")).toBe(":1\r\n");
});

test("quotes and escapes are those of Redis", async () => {
  expect(await say(`SET quoted "a b\\r\\n\\x41\\"c"\r\n`)).toBe("+OK\r\n");
  expect(await client.call("GET", "quoted")).toBe(bulk('a b\r\nA"c'));
  expect(await say(`SET 'single key' 'it\\'s \\n'\r\n`)).toBe("+OK\r\n");
  expect(await client.call("GET", "single key")).toBe(bulk("it's \\n"));
  expect(await say(`SET empty ""\r\n`)).toBe("+OK\r\n");
  expect(await client.call("GET", "empty")).toBe(bulk(""));
});

test("what a server gets is an ordinary request", async () => {
  const words = `SET "k k" 'v v'\n`;
  expect(await say(words)).toBe("+OK\r\n");
  const placed = await Promise.all(pool.servers.map((server) => server.keys()));
  expect(placed.flat()).toContain("k k");
});

test("empty lines are nothing", async () => {
  void client.send("\r\n\n   \r\nPING\r\n\r\n");
  expect(await client.readReply()).toBe("+PONG\r\n");
  await client.expectOpen();
});

test("inline and array requests mix in one write", async () => {
  void client.send(
    "SET mixed 1\r\n*2\r\n$3\r\nGET\r\n$5\r\nmixed\r\nINCR mixed\n*1\r\n$4\r\nPING\r\n",
  );
  expect(await client.readReplies(4)).toEqual(["+OK\r\n", bulk("1"), ":2\r\n", "+PONG\r\n"]);
});

test("a line in pieces waits for its end", async () => {
  for (const byte of 'SET pieces "in pieces"\r\nGET pieces\r\n') await client.send(byte);
  expect(await client.readReplies(2)).toEqual(["+OK\r\n", bulk("in pieces")]);
});

test("unknown words and wrong counts are errors; the client stays", async () => {
  expect(await say("FROBNICATE\r\n")).toStartWith("-ERR ");
  expect(await say("GET\r\n")).toStartWith("-ERR wrong number");
  await client.expectOpen();
});

test("a line without end, and quotes without end, are framing errors", async () => {
  for (const text of ["x".repeat(70_000), 'SET a "b\r\n', `SET a "b"c\r\n`]) {
    const other = await pool.connect();
    void other.send(text);
    expect(await other.readToEnd()).toMatch(/^-ERR Protocol error[^\r\n]*\r\n$/);
  }
});
