/**
 * Commands that nutcracker does not know: with their keys on one server they answer as Redis does,
 * with keys on several they are refused in words that help.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { RedisServer } from "../support/redis-server.ts";
import { encodeRequest } from "../support/resp.ts";

/** In this order; `a{t}` and its like are keys on one server. */
const REQUESTS = `
SET {t}a ohmytext
SET {t}b mynewtext
LCS {t}a {t}b
LCS {t}a {t}b IDX WITHMATCHLEN
SUBSTR {t}a 0 2
PEXPIREAT {t}a 9000000000000
EXPIRETIME {t}a
PEXPIRETIME {t}a
OBJECT ENCODING {t}a
OBJECT REFCOUNT {t}none
object freq {t}a
BITFIELD_RO {t}a GET u8 0
BITOP XOR {t}c {t}a {t}b
BITOP NOT {t}c {t}a
GET {t}c
RENAME {t}c {t}d
RENAME {t}none {t}d
RENAMENX {t}d {t}a
MSETNX {t}e 1 {t}f 2
MSETNX {t}e 1 {t}g 2
MGET {t}e {t}f {t}g
RPUSH {t}l 3 1 2
SORT_RO {t}l
SORT_RO {t}l BY {t}w* GET #
LMPOP 2 {t}none {t}l LEFT COUNT 2
LMPOP 1 {t}none RIGHT
ZADD {t}z 1 a 2 b 3 c
ZADD {t}y 1 a 2 b
ZMPOP 2 {t}none {t}z MAX
ZINTERCARD 2 {t}z {t}y
ZINTERCARD 2 {t}z {t}y LIMIT 1
SADD {t}s a b c
SADD {t}r b c d
SINTERCARD 2 {t}s {t}r
GEOADD {t}geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
GEORADIUS_RO {t}geo 15 37 200 km ASC
GEORADIUSBYMEMBER_RO {t}geo Palermo 200 km ASC
XADD {t}x 1-1 f v
XADD {t}x 2-1 g w
XADD {t}u 1-1 f v
XLEN {t}x
XRANGE {t}x - +
XREVRANGE {t}x + -
XREAD COUNT 1 STREAMS {t}x {t}u 0 0
XREAD STREAMS {t}x $
XGROUP CREATE {t}x group 0
XGROUP CREATECONSUMER {t}x group me
XREADGROUP GROUP group me COUNT 1 STREAMS {t}x >
XPENDING {t}x group
XACK {t}x group 1-1
XCLAIM {t}x group you 0 1-1
XAUTOCLAIM {t}x group you 0 0
XINFO GROUPS {t}x
XSETID {t}x 9-9
XTRIM {t}x MAXLEN 1
XDEL {t}x 2-1
EVAL_RO return{KEYS[1],KEYS[2],ARGV[1]} 2 {t}a {t}b x
EVALSHA_RO 1111111111111111111111111111111111111111 1 {t}a
FCALL nofunction 1 {t}a
FCALL_RO nofunction 1 {t}a
MEMORY USAGE {t}none
OBJECT NONSENSE {t}a
XADD {t}x
HEXPIRE {t}h 10 FIELDS 1 f
JSON.SET {t}j $ 1
`
  .trim()
  .split("\n");

let pool: RedisPool;
let client: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 3, pool: { hash_tag: "{}" } });
  client = await pool.connect();
});

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

test("with keys on one server they answer as Redis does", async () => {
  await using server = await RedisServer.start();
  const direct = await server.connect();
  for (const request of REQUESTS) {
    const words = request.split(" ");
    const reply = await client.call(...words);
    expect({ request, reply }).toEqual({ request, reply: await direct.call(...words) });
  }
  // And they were on one server only.
  const sizes = await Promise.all(pool.servers.map((each) => each.keys()));
  expect(sizes.filter((keys) => keys.length > 0).length).toBe(1);
  direct.close();
});

test("in RESP3 they answer as Redis does in RESP3", async () => {
  const modern = await pool.connect();
  await modern.call("HELLO", "3");
  await modern.call("XADD", "{r}x", "1-1", "f", "v");
  const reply = await modern.call("XREAD", "STREAMS", "{r}x", "0");
  expect(reply).toMatch(/^%1\r\n\$4\r\n\{r\}x\r\n/);
  modern.close();
});

test("keys on different servers: both are named, with their servers and the way out", async () => {
  const [a] = (await pool.keysOf(0, 1)) as [string];
  const [b] = (await pool.keysOf(2, 1)) as [string];
  const expected =
    `-CROSSSLOT keys of 'rename' are on different servers: '${a}' on s0, '${b}' on s2. All must ` +
    "be on one; keys are on the same server if they have the same text between { and }, like " +
    "{x}a and {x}b\r\n";
  expect(await client.call("RENAME", a, b)).toBe(expected);
  for (const request of [
    ["MSETNX", a, "1", b, "2"],
    ["BITOP", "OR", a, a, b],
    ["LMPOP", "2", a, b, "LEFT"],
    ["SINTERCARD", "2", a, b],
    ["EVAL_RO", "return 1", "2", a, b],
    ["XREAD", "STREAMS", a, b, "0", "0"],
    ["JSON.MGET", a, b, "$"],
    ["CMS.MERGE", a, "1", b],
  ]) {
    expect(await client.call(...request)).toStartWith("-CROSSSLOT keys of '");
  }
  // A key that is no text does not break the line.
  expect(await client.call("RENAME", a, `${b}\r\n+OK`)).toMatch(/^-?[^\r\n]+\r\n$/);
  await client.expectOpen();
  expect((await pool.proxy.poolStats())["client_err"]).toBe(0);
});

test("what nutcracker sends to the first key's server still goes there", async () => {
  const [a] = (await pool.keysOf(0, 1)) as [string];
  const [b] = (await pool.keysOf(1, 1)) as [string];
  await client.call("SADD", a, "1");
  await client.call("SADD", b, "2");
  expect(await client.call("SUNION", a, b)).toBe("*1\r\n$1\r\n1\r\n");
  expect(await client.call("EVAL", "return KEYS[2]", "2", a, b)).toBe(`$${b.length}\r\n${b}\r\n`);
  expect(await client.call("ZUNIONSTORE", a, "1", b)).toBe(":0\r\n");
});

test("without a hash tag the configuration is part of the way out", async () => {
  await using plain = await RedisPool.start({ servers: 2 });
  const other = await plain.connect();
  const [a] = (await plain.keysOf(0, 1)) as [string];
  const [b] = (await plain.keysOf(1, 1)) as [string];
  expect(await other.call("RENAME", a, b)).toContain('with hash_tag: "{}" in the configuration');
  other.close();
});

test("servers taken at random hold every key", async () => {
  await using random = await RedisPool.start({
    servers: 2,
    pool: { distribution: "random" },
  });
  const other = await random.connect();
  for (let i = 0; i < 20; i++) {
    expect(await other.call("SINTERCARD", "2", "a", "b")).toBe(":0\r\n");
  }
  other.close();
});

test("requests cut anywhere find their keys", async () => {
  const [a, c] = (await pool.keysOf(0, 2)) as [string, string];
  const [b] = (await pool.keysOf(2, 1)) as [string];
  const apart = encodeRequest(["LMPOP", "2", a, b, "LEFT"]);
  const together = encodeRequest(["SINTERCARD", "2", a, c]);
  const other = await pool.connect();
  for (const [bytes, reply] of [
    [apart, /^-CROSSSLOT /],
    [together, /^:0\r\n$/],
  ] as const) {
    for (let cut = 1; cut < bytes.length; cut++) {
      await client.send(bytes.subarray(0, cut));
      // What came first has been read when another client has its answer.
      await other.call("PING");
      await client.send(bytes.subarray(cut));
      expect(await client.readReply()).toMatch(reply);
    }
  }
  other.close();
});
