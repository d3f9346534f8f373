/**
 * The memcached commands over three servers: each answers as memcached itself does.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { MemcachedPool, setOf, valueOf } from "../support/memcached-pool.ts";
import { ask, askAll, readReply } from "../support/memcached-replies.ts";
import type { RawClient } from "../support/raw-client.ts";

let pool: MemcachedPool;
let client: RawClient;

beforeAll(async () => {
  pool = await MemcachedPool.start({ servers: 3 });
  client = await pool.connect();
});

afterEach(() => pool.flush());

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

/** Requests with their replies, one after the other on the same connection. */
const DIALOGUES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  "set, get and gets": [
    [setOf("k", "hello"), "STORED\r\n"],
    ["get k\r\n", `${valueOf("k", "hello")}END\r\n`],
    ["get missing\r\n", "END\r\n"],
    ["set k 4294967295 0 1\r\nx\r\n", "STORED\r\n"],
    ["get k\r\n", "VALUE k 4294967295 1\r\nx\r\nEND\r\n"],
  ],
  "add and replace": [
    ["replace k 0 0 1\r\nr\r\n", "NOT_STORED\r\n"],
    ["add k 0 0 1\r\na\r\n", "STORED\r\n"],
    ["add k 0 0 1\r\nb\r\n", "NOT_STORED\r\n"],
    ["replace k 0 0 1\r\nr\r\n", "STORED\r\n"],
    ["get k\r\n", `${valueOf("k", "r")}END\r\n`],
  ],
  "append and prepend": [
    ["append k 0 0 1\r\nz\r\n", "NOT_STORED\r\n"],
    [setOf("k", "m"), "STORED\r\n"],
    ["append k 0 0 1\r\nz\r\n", "STORED\r\n"],
    ["prepend k 0 0 1\r\na\r\n", "STORED\r\n"],
    ["get k\r\n", `${valueOf("k", "amz")}END\r\n`],
  ],
  "incr and decr": [
    ["incr n 1\r\n", "NOT_FOUND\r\n"],
    [setOf("n", "9"), "STORED\r\n"],
    ["incr n 1\r\n", "10\r\n"],
    ["decr n 11\r\n", "0\r\n"],
    ["incr n 18446744073709551615\r\n", "18446744073709551615\r\n"],
    ["incr n -1\r\n", "CLIENT_ERROR invalid numeric delta argument\r\n"],
    [setOf("n", "text"), "STORED\r\n"],
    ["incr n 1\r\n", "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"],
  ],
  "delete, also with the time of old": [
    ["delete k\r\n", "NOT_FOUND\r\n"],
    [setOf("k", "x"), "STORED\r\n"],
    ["delete k 0\r\n", "DELETED\r\n"],
    ["delete k 5\r\n", "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"],
  ],
  "touch, gat and gats": [
    ["touch k 100\r\n", "NOT_FOUND\r\n"],
    [setOf("k", "x"), "STORED\r\n"],
    ["touch k 100\r\n", "TOUCHED\r\n"],
    ["gat 0 k\r\n", `${valueOf("k", "x")}END\r\n`],
    ["mg k t\r\n", "HD t-1\r\n"],
    ["gat 1000 missing\r\n", "END\r\n"],
    ["touch k -1\r\n", "TOUCHED\r\n"],
    ["get k\r\n", "END\r\n"],
  ],
  "an exptime below zero expires at once": [
    ["set k 0 -1 1\r\nx\r\n", "STORED\r\n"],
    ["get k\r\n", "END\r\n"],
  ],
  "what the proxy answers": [
    ["version\r\n", "VERSION 1.6.0\r\n"],
    ["verbosity 1\r\n", "OK\r\n"],
    ["verbosity x\r\n", "CLIENT_ERROR bad command line format\r\n"],
    ["mn\r\n", "MN\r\n"],
    ["stats settings\r\n", "END\r\n"],
    ["stats reset\r\n", "RESET\r\n"],
    ["stats nosuch\r\n", "ERROR\r\n"],
  ],
};

test.each(Object.entries(DIALOGUES))("%s", async (_name, dialogue) => {
  for (const [request, reply] of dialogue) expect(await ask(client, request)).toBe(reply);
  await pool.flush();
  // And all at once.
  const replies = await askAll(client, dialogue.map(([request]) => request).join(""));
  expect(replies).toEqual(dialogue.map(([, reply]) => reply));
});

test("cas stores what nobody has changed", async () => {
  expect(await ask(client, "cas k 0 0 1 1\r\nx\r\n")).toBe("NOT_FOUND\r\n");
  await ask(client, setOf("k", "a"));
  const [, unique] = /^VALUE k 0 1 (\d+)\r\na\r\nEND\r\n$/.exec(await ask(client, "gets k\r\n"))!;
  expect(await ask(client, `cas k 0 0 1 ${unique}\r\nb\r\n`)).toBe("STORED\r\n");
  expect(await ask(client, `cas k 0 0 1 ${unique}\r\nc\r\n`)).toBe("EXISTS\r\n");
  expect(await ask(client, "gats 0 k\r\n")).toMatch(/^VALUE k 0 1 \d+\r\nb\r\nEND\r\n$/);
});

test("noreply has no reply, whatever happens, and the next request has its own", async () => {
  const silent = [
    "set a 0 0 1 noreply\r\n1\r\n",
    "add a 0 0 1 noreply\r\n2\r\n",
    "append a 0 0 1 noreply\r\n0\r\n",
    "incr a 5 noreply\r\n",
    "incr a x noreply\r\n",
    "set b 0 0 1 noreply\r\nx\r\n",
    "delete b noreply\r\n",
    "delete b noreply\r\n",
    "touch b 5 noreply\r\n",
    "set c x 0 0 noreply\r\n",
    "verbosity 1 noreply\r\n",
    "flush_all noreply\r\n",
    "incr a noreply\r\n",
    "cas a 0 0 1 99999 noreply\r\nx\r\n",
  ];
  void client.send(`${silent.join("")}get a\r\n${silent[3]}get a b\r\n`);
  expect(await readReply(client)).toBe(`${valueOf("a", "15")}END\r\n`);
  expect(await readReply(client)).toBe(`${valueOf("a", "20")}END\r\n`);
});

test("thousands of requests without a reply do not stop a client", async () => {
  const requests = Array.from(
    { length: 40_000 },
    (_, i) => `set n 0 0 5 noreply\r\n${10_000 + i}\r\n`,
  );
  void client.send(requests.join(""));
  expect(await ask(client, "get n\r\n")).toBe(`${valueOf("n", "49999")}END\r\n`);
});

test("keys and values are bytes; a key may have 250 of them", async () => {
  const value = Buffer.from(Array.from({ length: 512 }, (_, i) => i & 255)).toString("latin1");
  for (const key of ["k".repeat(250), "\xff\xfe\t\x01", "a\rb", "é", "{}"]) {
    expect(await ask(client, setOf(key, value))).toBe("STORED\r\n");
    expect(await ask(client, `get ${key}\r\n`)).toBe(`${valueOf(key, value)}END\r\n`);
  }
});

test("quit closes without a word, after the replies to what came before", async () => {
  const leaving = await pool.connect();
  await leaving.send(`${setOf("k", "x")}get k\r\nquit\r\nget k\r\n`);
  expect(await leaving.readToEnd()).toBe(`STORED\r\n${valueOf("k", "x")}END\r\n`);
});

test("stats tell of the proxy", async () => {
  const stats = Object.fromEntries(
    [...(await ask(client, "stats\r\n")).matchAll(/STAT (\S+) (\S+)/g)].map((row) => [
      row[1],
      row[2],
    ]),
  );
  expect(stats).toMatchObject({ version: "1.6.0", nutcracker_version: "0.5.0" });
  expect(Number(stats.pid)).toBe(pool.proxy.pid);
  expect(Number(stats.curr_connections)).toBeGreaterThanOrEqual(4);
  expect(Math.abs(Number(stats.time) - Date.now() / 1000)).toBeLessThan(60);
  expect(Number(stats.uptime)).toBeLessThan(600);
});

test("what a proxy cannot do is refused with the reason", async () => {
  for (const name of ["slabs", "watch", "shutdown", "lru_crawler", "cache_memlimit"]) {
    expect(await ask(client, `${name} x\r\n`)).toBe(
      `CLIENT_ERROR ${name} is not supported by this proxy: ` +
        "it concerns one server: connect to that server itself\r\n",
    );
  }
});

test("the stats port counts what goes to the servers", async () => {
  const before = await pool.proxy.poolStats();
  await ask(client, "get a\r\n");
  await askAll(client, "set a 0 0 1 noreply\r\nx\r\n");
  const after = await pool.proxy.poolStats();
  expect(after["client_err"]).toBe(before["client_err"]);
  const requests = (stats: Record<string, unknown>) =>
    [0, 1, 2].reduce((sum, i) => sum + (stats[`s${i}`] as { requests: number }).requests, 0);
  // The third one is the mark at the end of askAll.
  expect(requests(after) - requests(before)).toBe(3);
});
