/**
 * Unknown commands, unsupported ones, and wrong numbers of arguments: an error, and nothing else.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { ACCEPTS, UNSUPPORTED_COMMANDS } from "../support/command-grammar.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";

/** Answered by the proxy though nutcracker closes on them; tested where they belong. */
const TAKES_ONE_ARGUMENT_MORE =
  /^(AUTH|PING|QUIT|EXPIRE|EXPIREAT|PEXPIRE|PEXPIREAT|ZRANK|ZREVRANK)$/;

const ANSWERED_BY_THE_PROXY = new Set(["HELLO", "CLIENT"]);

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

test("a command that cannot pass is an error in one line, and the next request works", async () => {
  for (const name of UNSUPPORTED_COMMANDS) {
    if (ANSWERED_BY_THE_PROXY.has(name)) continue;
    const replies = await client.pipeline([
      [name],
      [name, "a"],
      [name, "a", "1"],
      ["SET", "k", name],
    ]);
    for (const reply of replies.slice(0, 3)) expect(reply).toMatch(/^-ERR .*\r\n$/);
    expect(replies[3]).toBe("+OK\r\n");
  }
  const stats = await pool.proxy.poolStats();
  expect(stats).toMatchObject({ client_err: 0, client_eof: 0, client_connections: 1 });
});

test("a name that nobody knows is named in the error, whatever its bytes", async () => {
  expect(await client.call("FROBNICATE", "x")).toContain("FROBNICATE");
  for (const name of ["", "\r\n+OK\r\n", "\0\xff", "x".repeat(100_000), "GETT", "GE"]) {
    const reply = await client.call(name, "x");
    expect(reply).toMatch(/^-ERR [^\r\n]{1,300}\r\n$/);
  }
  await client.expectOpen();
});

test("a wrong number of arguments is refused in Redis' words, by the proxy itself", async () => {
  const requests: string[][] = [];
  for (const [name, accepts] of ACCEPTS) {
    if (TAKES_ONE_ARGUMENT_MORE.test(name) || name === "COMMAND" || name === "MOVE") continue;
    for (let count = 1; count <= 9; count++) {
      if (!accepts(count)) requests.push([name, ...Array<string>(count - 1).fill("1")]);
    }
  }
  const before = await requestsOfServers();
  const replies = await client.pipeline(requests);
  for (const [index, reply] of replies.entries()) {
    const request = requests[index] as string[];
    const name = (request[0] as string).toLowerCase();
    const expected = `-ERR wrong number of arguments for '${name}' command\r\n`;
    if (reply !== expected) expect({ request, reply }).toEqual({ request, reply: expected });
  }
  expect(await requestsOfServers()).toBe(before);
  await client.expectOpen();
});

test("MSET without a last value writes nothing", async () => {
  expect(await client.call("MSET", "lonely1", "1", "lonely2")).toStartWith("-ERR wrong number");
  expect(await client.call("EXISTS", "lonely1", "lonely2")).toBe(":0\r\n");
});

test("scripts without a key have nowhere to go", async () => {
  for (const count of ["0", "-1", "abc", "", "1x", " 1"]) {
    expect(await client.call("EVAL", "return 1", count, "k")).toStartWith("-ERR ");
  }
  expect(await client.call("EVAL", "return 1", "1", "k")).toBe(":1\r\n");
});

test("newer forms of known commands work", async () => {
  expect(await client.call("PING", "hello\r\n")).toBe("$7\r\nhello\r\n\r\n");
  expect(await client.call("SET", "expiring", "1")).toBe("+OK\r\n");
  expect(await client.call("EXPIRE", "expiring", "1000", "NX")).toBe(":1\r\n");
  expect(await client.call("EXPIRE", "expiring", "1000", "NX")).toBe(":0\r\n");
  expect(await client.call("MOVE", "expiring", "1")).toStartWith("-ERR ");
  await client.expectOpen();
});

async function requestsOfServers(): Promise<number> {
  const counters = await Promise.all(["s0", "s1"].map((name) => pool.proxy.serverStats(name)));
  return counters.reduce((sum, server) => sum + (server["requests"] ?? 0), 0);
}
