/**
 * Limits of what a client may send and a server may answer, each reached through a whole proxy: an
 * error with clear words, a connection that goes on where it can, and no memory for what was only
 * announced.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { KEY_BYTES_MAX } from "../../src/protocol/redis/key-limit.ts";
import { DEPTH_MAX } from "../../src/protocol/redis/response-parser.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { encodeRequest } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";
import { ScriptedServer } from "../support/scripted-server.ts";

const KB = 1024;
const MB = 1024 * KB;
const KEY_TOO_LONG = "-ERR key is longer than 1048576 bytes\r\n";
const LONG_KEY = "k".repeat(KEY_BYTES_MAX + 1);

let pool: RedisPool;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
});

afterAll(() => pool?.[Symbol.asyncDispose]());

/** Bytes of memory that a process holds. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * KB;
}

test("a key of 1 MB passes, a longer one is an error and the connection goes on", async () => {
  const client = await pool.connect();
  const key = "k".repeat(KEY_BYTES_MAX);
  expect(await client.call("SET", key, "1")).toBe("+OK\r\n");
  expect(await client.call("MGET", "a", key)).toBe("*2\r\n$-1\r\n$1\r\n1\r\n");
  expect(await client.call("DEL", key)).toBe(":1\r\n");
  const requests = [
    ["GET", LONG_KEY],
    ["SET", LONG_KEY, "1"],
    ["MGET", "a", LONG_KEY],
    ["MGET", LONG_KEY, "a"],
    ["MSET", "a", "1", LONG_KEY, "2"],
    ["DEL", "a", LONG_KEY],
    ["EVAL", "return 1", "1", LONG_KEY],
    ["RENAME", "a", LONG_KEY],
    ["SINTER", LONG_KEY],
    ["XREAD", "STREAMS", LONG_KEY, "0"],
  ];
  for (const request of requests) expect(await client.call(...request)).toBe(KEY_TOO_LONG);
  // Cut in the middle of the key, and with a request behind it.
  const bytes = Buffer.concat([encodeRequest(["GET", LONG_KEY]), encodeRequest(["PING"])]);
  await client.send(bytes.subarray(0, KEY_BYTES_MAX / 2));
  await client.send(bytes.subarray(KEY_BYTES_MAX / 2));
  expect(await client.readReplies(2)).toEqual([KEY_TOO_LONG, "+PONG\r\n"]);
  client.close();
});

test("values may be longer than keys, wherever they stand", async () => {
  const client = await pool.connect();
  expect(await client.call("MSET", "a", LONG_KEY, "b", LONG_KEY)).toBe("+OK\r\n");
  expect(await client.call("STRLEN", "b")).toBe(`:${LONG_KEY.length}\r\n`);
  expect(await client.call("DEL", "a", "b")).toBe(":2\r\n");
  client.close();
});

test.each([
  ["4 GB", "*2\r\n$3\r\nGET\r\n$4294967296\r\n", "-ERR Protocol error: invalid bulk length\r\n"],
  ["a billion arguments", "*1000000000\r\n", "-ERR Protocol error: invalid multibulk length\r\n"],
])("a request that announces %s is refused at once", async (_, bytes, reply) => {
  const client = await pool.connect();
  await client.send(bytes);
  expect(await client.readToEnd()).toBe(reply);
});

test("what clients announce, up to the limits, takes no memory", async () => {
  const before = residentBytes(pool.proxy.pid);
  const announced = [
    "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$536870912\r\n",
    "*1048576\r\n$4\r\nMGET\r\n",
    "*1048576\r\n$4\r\nMSET\r\n$536870912\r\n",
  ];
  const clients = await Promise.all(Array.from({ length: 300 }, () => pool.connect()));
  await Promise.all(clients.map((client, index) => client.send(announced[index % 3]!)));
  const other = await pool.connect();
  await other.expectOpen();
  expect(residentBytes(pool.proxy.pid) - before).toBeLessThan(64 * MB);
  for (const client of [...clients, other]) client.close();
}, 30_000);

test("a reply that is nested too deep ends the server's connection, and no memory", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[1] === "deep") peer.write(`${"*1\r\n".repeat(DEPTH_MAX)}:1\r\n`);
    else if (args[1] === "deeper") peer.write("*2\r\n".repeat(1_000_000));
    else peer.write("+OK\r\n");
  });
  await using proxy = await Proxy.start({ pools: { alpha: { servers: [`${server.item}:1`] } } });
  const client = await proxy.connect();
  expect(await client.call("GET", "deep")).toBe(`${"*1\r\n".repeat(DEPTH_MAX)}:1\r\n`);
  const before = residentBytes(proxy.pid);
  for (let i = 0; i < 5; i++) {
    expect(await client.call("GET", "deeper")).toBe("-ERR Invalid argument\r\n");
    expect(await client.call("GET", "a")).toBe("+OK\r\n");
  }
  expect(residentBytes(proxy.pid) - before).toBeLessThan(64 * MB);
  client.close();
}, 30_000);

test("a reply that announces 2 GB or two billion elements takes no memory", async () => {
  using server = ScriptedServer.start((peer, args) => {
    peer.write(args[1] === "a" ? "$2147483647\r\n" : "*2147483647\r\n");
  });
  const pools = { alpha: { servers: [`${server.item}:1`], timeout: 300 } };
  await using proxy = await Proxy.start({ pools });
  const client = await proxy.connect();
  const before = residentBytes(proxy.pid);
  for (const key of ["a", "b"]) {
    expect(await client.call("GET", key)).toBe("-ERR Connection timed out\r\n");
  }
  expect(residentBytes(proxy.pid) - before).toBeLessThan(64 * MB);
  client.close();
}, 30_000);

test("memcached: keys of 250 bytes, and what a set announces", async () => {
  await using memcached = await MemcachedServer.start();
  const pools = { alpha: { servers: [`${memcached.item}:1`], redis: false } };
  await using proxy = await Proxy.start({ pools });
  const client = await proxy.connect();
  const key = "k".repeat(250);
  const line = async () => (await client.readLine()).trimEnd();
  await client.send(`set ${key} 0 0 1\r\na\r\n`);
  expect(await line()).toBe("STORED");
  await client.send(`get ${key}k\r\nget ${key}\r\n`);
  expect(await line()).toBe("CLIENT_ERROR bad command line format");
  expect(await line()).toBe(`VALUE ${key} 0 1`);
  expect(await line()).toBe("a");
  expect(await line()).toBe("END");
  await client.send("set a 0 0 1073741825\r\n");
  expect(await line()).toBe("SERVER_ERROR object too large for cache");
  expect(await client.readToEnd()).toBe("");
  client.close();
  const before = residentBytes(proxy.pid);
  const clients = await Promise.all(Array.from({ length: 200 }, () => proxy.connect()));
  await Promise.all(clients.map((one) => one.send("set a 0 0 1073741824\r\n")));
  const other = await proxy.connect();
  await other.send("version\r\n");
  expect(await other.readLine()).toStartWith("VERSION ");
  expect(residentBytes(proxy.pid) - before).toBeLessThan(64 * MB);
  for (const one of [...clients, other]) one.close();
}, 30_000);
