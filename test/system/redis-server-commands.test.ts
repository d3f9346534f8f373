/**
 * redis_server_commands: what concerns a server as a whole passes in a pool of one server, if the
 * pool allows it; what would change the shared connection never does.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { COMMANDS } from "../../src/protocol/redis/commands.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";

const NAMES = COMMANDS.filter((row) => row.isForServer).map((row) => row.name);
const ALLOWED = { redis_server_commands: true };

/** They have no key, or none that could be told from the request. */
const WITHOUT_KEYS = [
  ["EVAL", "return 7", "0"],
  ["EVALSHA", "0".repeat(40), "0"],
  ["EVAL_RO", "return 7", "0"],
  ["FCALL", "nothing", "0"],
  ["MEMORY", "DOCTOR"],
  ["OBJECT", "HELP"],
];

/** They need a connection of their own, or would end the one that is there. */
const NEVER = [
  ["MULTI"],
  ["WATCH", "a"],
  ["SUBSCRIBE", "a"],
  ["WAIT", "1", "0"],
  ["MONITOR"],
  ["SYNC"],
  ["PSYNC", "?", "-1"],
  ["REPLCONF", "ACK", "0"],
  ["SHUTDOWN"],
  ["SCRIPT", "DEBUG", "YES"],
  ["SCRIPT", "kill"],
  ["FUNCTION", "KILL"],
  ["CLIENT", "TRACKING", "ON"],
  ["CLUSTER", "INFO"],
  ["FROBNICATE"],
];

let pool: RedisPool;
let client: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ pool: ALLOWED });
  client = await pool.connect();
});

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

async function requestsOfServer(): Promise<number> {
  return (await pool.proxy.serverStats("s0"))["requests"] ?? 0;
}

test("a pool of one server says how they would pass, a larger one that they cannot", async () => {
  await using one = await RedisPool.start();
  await using two = await RedisPool.start({ servers: 2 });
  const clients = [await one.connect(), await two.connect()] as const;
  for (const request of [...NAMES.map((name) => [name]), ...WITHOUT_KEYS]) {
    const name = request[0]!.toLowerCase();
    if (/^(info|config|object)$/.test(name)) continue;
    const [alone, among] = await Promise.all(clients.map((each) => each.call(...request)));
    expect(alone).toBe(
      `-ERR '${name}' is not supported by this proxy: it concerns the server, not one of its ` +
        "keys; redis_server_commands of this pool is false\r\n",
    );
    expect(among).toMatch(/^-ERR '[\w. ]+' (is not supported by this proxy: |needs the number of)/);
    expect(among).not.toContain("redis_server_commands");
  }
  expect((await one.proxy.serverStats("s0"))["requests"]).toBe(0);
});

test("every one of them reaches the server", async () => {
  expect(NAMES).toContain("FLUSHALL");
  for (const request of [...NAMES.map((name) => [name]), ...WITHOUT_KEYS]) {
    // CONFIG alone lacks a word, and so the proxy says.
    if (request[0] === "CONFIG") continue;
    const before = await requestsOfServer();
    const reply = await client.call(...request);
    expect(reply).not.toContain("this proxy");
    expect({ request, count: (await requestsOfServer()) - before }).toEqual({ request, count: 1 });
  }
  await client.expectOpen();
});

test("those that need a connection of their own never do", async () => {
  const before = await requestsOfServer();
  for (const request of NEVER) {
    expect(await client.call(...request)).toMatch(
      /^-ERR .*(is not supported by this proxy|unknown command)/,
    );
  }
  expect(await requestsOfServer()).toBe(before);
  expect(await client.call("PING")).toBe("+PONG\r\n");
});

test("keys of the whole server", async () => {
  await client.call("FLUSHALL");
  expect(await client.call("MSET", "a", "1", "b", "2")).toBe("+OK\r\n");
  expect(await client.call("DBSIZE")).toBe(":2\r\n");
  expect((await client.value("KEYS", "*")) as Buffer[]).toHaveLength(2);
  const [cursor, keys] = (await client.value("SCAN", "0")) as [Buffer, Buffer[]];
  expect([cursor.toString(), keys.map(String).sort()]).toEqual(["0", ["a", "b"]]);
  expect(["a", "b"]).toContain(String(await client.value("RANDOMKEY")));
  expect(await client.call("FLUSHDB")).toBe("+OK\r\n");
  expect(await client.call("GET", "a")).toBe("$-1\r\n");
});

test("they concern the database that the client has selected", async () => {
  const other = await pool.connect();
  await client.call("FLUSHALL");
  await client.call("SET", "here", "1");
  expect(await other.call("SELECT", "3")).toBe("+OK\r\n");
  await other.pipeline([["SET", "there", "1"]]);
  expect(await other.call("DBSIZE")).toBe(":1\r\n");
  expect(await other.call("MOVE", "there", "0")).toBe(":1\r\n");
  expect(await other.call("FLUSHDB")).toBe("+OK\r\n");
  expect(await client.call("DBSIZE")).toBe(":2\r\n");
  expect(await client.call("SWAPDB", "0", "3")).toBe("+OK\r\n");
  expect(await other.call("DBSIZE")).toBe(":2\r\n");
  other.close();
});

test("scripts and functions without keys", async () => {
  expect(await client.call("EVAL", "return 7", "0")).toBe(":7\r\n");
  const hash = String(await client.value("SCRIPT", "LOAD", "return ARGV[1]"));
  expect(await client.call("EVALSHA", hash, "0", "x")).toBe("$1\r\nx\r\n");
  expect(await client.call("SCRIPT", "EXISTS", hash)).toBe("*1\r\n:1\r\n");
  const library = "#!lua name=l\nredis.register_function('seven', function() return 7 end)";
  expect(await client.call("FUNCTION", "LOAD", library)).toBe("$1\r\nl\r\n");
  expect(await client.call("FCALL", "seven", "0")).toBe(":7\r\n");
});

test("CONFIG and INFO are the server's, INFO proxy is not", async () => {
  expect(await client.call("CONFIG", "SET", "maxmemory", "64mb")).toBe("+OK\r\n");
  expect(await client.call("CONFIG", "GET", "maxmemory")).toEndWith("$8\r\n67108864\r\n");
  const info = await client.call("INFO");
  expect(info).toContain(`tcp_port:${pool.server(0).port}\r\n`);
  expect(info).not.toContain("# Proxy");
  expect(await client.call("INFO", "proxy")).toContain("pool:alpha\r\n");
});

test("the words about wrong arguments are the server's", async () => {
  expect(await client.call("LMPOP", "0", "a", "LEFT")).toContain("numkeys should be greater");
  expect(await client.call("EVAL", "return 7", "-1")).toContain("Number of keys can't be negative");
  expect(await client.call("KEYS")).toContain("wrong number of arguments");
});

test("nobody empties a server who does not know the password", async () => {
  const settings = { ...ALLOWED, redis_auth: "secret" };
  await using guarded = await RedisPool.start({
    server: { requirepass: "secret" },
    pool: settings,
  });
  const stranger = await guarded.connect();
  expect(await stranger.call("FLUSHALL")).toStartWith("-NOAUTH ");
  expect(await stranger.call("AUTH", "secret")).toBe("+OK\r\n");
  expect(await stranger.call("FLUSHALL")).toBe("+OK\r\n");
});
