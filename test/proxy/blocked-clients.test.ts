/**
 * Clients that wait at a real server: who is served, in which order, and what is left afterwards.
 */
import { expect, test } from "bun:test";
import { nowMs } from "../../src/lib/clock.ts";
import { LANE_IDLE_MS } from "../../src/proxy/lane.ts";
import { PRIVATE_IDLE_MAX } from "../../src/proxy/limits.ts";
import { eventually } from "../support/eventually.ts";
import { freezeProcess, thawProcess } from "../support/freeze.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { withSeed } from "../support/seeded-random.ts";
import { blocked, keyOn, listOf, NIL, pair, start } from "./blocking.ts";
import { DataPlane } from "./data-plane.ts";

/** A request that waits, how another client ends the wait, and the reply. */
const COMMANDS: readonly (readonly [string, string, string])[] = [
  ["BLPOP l m 0", "RPUSH m a b", pair("m", "a")],
  ["BRPOP l m 0", "RPUSH m a b", pair("m", "b")],
  ["BLMOVE l m LEFT RIGHT 0", "RPUSH l a b", bulk("a")],
  ["BRPOPLPUSH l m 0", "RPUSH l a b", bulk("b")],
  ["BLMPOP 0 2 l m LEFT COUNT 2", "RPUSH m a b", `*2\r\n${bulk("m")}${pair("a", "b")}`],
  ["BZPOPMIN z y 0", "ZADD y 1 a 2 b", `*3\r\n${bulk("y")}${bulk("a")}${bulk("1")}`],
  ["BZPOPMAX z y 0", "ZADD y 1 a 2 b", `*3\r\n${bulk("y")}${bulk("b")}${bulk("2")}`],
  ["BZMPOP 0 1 z MIN", "ZADD z 1 a", `*2\r\n${bulk("z")}*1\r\n${pair("a", "1")}`],
  [
    "XREAD COUNT 1 BLOCK 0 STREAMS x $",
    "XADD x 1-0 f v",
    `*1\r\n*2\r\n${bulk("x")}*1\r\n*2\r\n${bulk("1-0")}${pair("f", "v")}`,
  ],
];

test.each(COMMANDS)("%s is served by %s", async (request, push, reply) => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const [waiting, other] = [await plane.connect(), await plane.connect()];
  for (const pushed of ["through the proxy", "directly"]) {
    await redis.command("FLUSHALL");
    void waiting.request(...request.split(" "));
    await blocked(redis, 1);
    await other.expectOpen();
    expect(await other.call("CLIENT", "LIST")).toMatch(/ flags=b [^]* flags=N /);
    expect(await other.call("INFO", "clients")).toContain("\r\nblocked_clients:1\r\n");
    if (pushed === "directly") await redis.command(...push.split(" "));
    else await other.call(...push.split(" "));
    expect(await waiting.readReply()).toBe(reply);
  }
  // One connection did for both.
  expect(plane.counters().serverConnections).toBe(2);
  expect(plane.counters().serverEof + plane.counters().serverErr).toBe(0);
  waiting.close();
  other.close();
  await plane.expectIdle();
});

test("XREADGROUP with BLOCK is served, too", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  using client = await plane.connect();
  expect(await client.call("XGROUP", "CREATE", "x", "g", "$", "MKSTREAM")).toBe("+OK\r\n");
  void client.send("XREADGROUP GROUP g me BLOCK 0 STREAMS x >\r\n");
  await blocked(redis, 1);
  await redis.command("XADD", "x", "1-0", "f", "v");
  expect(await client.readReply()).toContain(bulk("1-0"));
  expect(await client.call("XREAD", "STREAMS", "x", "0")).toContain(bulk("1-0"));
});

test("what does not wait, and what the server does not understand", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const client = await plane.connect();
  await redis.command("RPUSH", "l", "a");
  expect(await client.call("BLPOP", "l", "0")).toBe(pair("l", "a"));
  expect(await client.call("BLPOP", "l", "0.01")).toBe(NIL);
  expect(await client.call("BLPOP", "l", "soon")).toMatch(/^-ERR timeout is not a float/);
  expect(await client.call("BLPOP", "l", "-1")).toBe("-ERR timeout is negative\r\n");
  expect(await client.call("BLPOP", "l")).toMatch(/^-ERR wrong number of arguments/);
  expect(await client.call("BLMPOP", "0", "0", "l", "LEFT")).toMatch(/^-ERR 'blmpop' is not supp/);
  expect(await client.call("XREAD", "BLOCK", "1", "STREAMS", "x", "$")).toBe(NIL);
  expect(await client.call("MULTI")).toMatch(/^-ERR 'multi' is not supported/);
  expect(await client.call("COMMAND", "INFO", "BLPOP")).toContain("+blocking\r\n");
  client.close();
  await plane.expectIdle();
});

test("keys on two servers are refused, a hash tag brings them together", async () => {
  const servers = await RedisServer.startMany(2);
  await using first = servers[0]!;
  await using second = servers[1]!;
  using plane = await DataPlane.start({
    servers: [`${first.item}:1 s0`, `${second.item}:1 s1`],
    hash_tag: "{}",
  });
  using client = await plane.connect();
  const keys = [keyOn(plane, 0), keyOn(plane, 1)] as const;
  expect(await client.call("BLPOP", ...keys, "0")).toMatch(/^-CROSSSLOT/);
  await client.call("RPUSH", "{x}2", "a");
  expect(await client.call("BLPOP", "{x}1", "{x}2", "0")).toBe(pair("{x}2", "a"));
});

test("clients that block at one key are served in the order they came", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const clients = [await plane.connect(), await plane.connect(), await plane.connect()];
  for (const [i, client] of clients.entries()) {
    void client.request("BLPOP", "l", "0");
    await blocked(redis, i + 1);
  }
  await redis.command("RPUSH", "l", "a", "b", "c");
  expect(await Promise.all(clients.map((client) => client.readReply()))).toEqual(
    ["a", "b", "c"].map((value) => pair("l", value)),
  );
});

test("a pipeline keeps its order around requests that block", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const client = await plane.connect();
  const pipeline = [
    ["SET", "x", "1"],
    ["BLPOP", "l", "0"],
    ["GET", "x"],
    ["RPUSH", "m", "b"],
    ["BLPOP", "m", "0"],
    ["BLPOP", "l", "0.01"],
    ["PING"],
  ];
  const bytes = Buffer.concat(pipeline.map((words) => encodeRequest(words)));
  for (const pieceBytes of [bytes.length, 7]) {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      await client.send(bytes.subarray(at, at + pieceBytes));
    }
    await blocked(redis, 1);
    // What stands behind has not been looked at, what came before has.
    expect(await redis.command("LLEN", "m")).toBe(0);
    expect(await client.readReply()).toBe("+OK\r\n");
    await redis.command("SET", "x", "2");
    await redis.command("RPUSH", "l", "a");
    expect(await client.readReplies(6)).toEqual([
      pair("l", "a"),
      bulk("2"),
      ":1\r\n",
      pair("m", "b"),
      NIL,
      "+PONG\r\n",
    ]);
  }
  client.close();
  await plane.expectIdle();
});

test("a request that blocks waits for what the client asked before", async () => {
  await using slow = await RedisServer.start();
  await using redis = await RedisServer.start();
  using plane = await start(slow, redis);
  using client = await plane.connect();
  const key = keyOn(plane, 1);
  freezeProcess(slow.pid);
  void client.send(`GET ${keyOn(plane, 0)}\r\nBLPOP ${key} 0\r\n`);
  await eventually(() => plane.counters(0).outQueue + plane.counters(0).inQueue === 1);
  await redis.command("RPUSH", key, "a");
  await Bun.sleep(20);
  expect(await listOf(redis, key)).toEqual(["a"]);
  thawProcess(slow.pid);
  await eventually(async () => (await redis.command("LLEN", key)) === 0);
});

test("RESP3 and other databases", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const [client, first] = [await plane.connect(), await plane.connect()];
  await client.call("HELLO", "3");
  await client.call("SELECT", "5");
  void first.request("BLPOP", "l", "0");
  void client.request("BLPOP", "l", "0.01");
  expect(await client.readReply()).toBe("_\r\n");
  void client.request("BZPOPMIN", "z", "0");
  await blocked(redis, 2);
  const direct = await redis.connect();
  await direct.call("SELECT", "5");
  await direct.call("ZADD", "z", "1.5", "a");
  expect(await client.readReply()).toBe(`*3\r\n${bulk("z")}${bulk("a")},1.5\r\n`);
  await direct.call("RPUSH", "l", "five");
  await redis.command("RPUSH", "l", "zero");
  expect(await first.readReply()).toBe(pair("l", "zero"));
  // Each has a connection of its own kind.
  expect(await first.call("BLPOP", "l", "0.01")).toBe(NIL);
  expect(await client.call("BLPOP", "l", "0.01")).toBe(pair("l", "five"));
  for (const one of [client, first, direct]) one.close();
  await plane.expectIdle();
});

test("CLIENT REPLY hides the reply of a request that blocks", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  using client = await plane.connect();
  void client.send("CLIENT REPLY SKIP\r\nBLPOP l 0.01\r\nPING\r\n");
  expect(await client.readReply()).toBe("+PONG\r\n");
});

test("a large element is handed on as it comes", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const client = await plane.connect();
  void client.request("BLPOP", "l", "0");
  await blocked(redis, 1);
  const value = "x".repeat(3_000_000);
  await redis.command("RPUSH", "l", value);
  expect(await client.readReply()).toBe(pair("l", value));
  client.close();
  await plane.expectIdle();
});

test("200 clients at once: all served, few connections kept, none for ever", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const clients = await Promise.all(Array.from({ length: 200 }, () => plane.connect()));
  for (const client of clients) void client.request("BRPOP", "l", "0");
  await blocked(redis, 200);
  expect(plane.counters().outQueue).toBe(200);
  expect(plane.descriptors.lent).toBe(200);
  for (let i = 0; i < 200; i++) await redis.command("LPUSH", "l", `v${i}`);
  const replies = await Promise.all(clients.map((client) => client.readReply()));
  expect(new Set(replies).size).toBe(200);
  await eventually(() => plane.counters().serverConnections === PRIVATE_IDLE_MAX);
  const [s0] = plane.pool.servers;
  s0!.expire(nowMs() + LANE_IDLE_MS);
  await eventually(() => plane.descriptors.lent === 0);
  expect(plane.counters().serverConnections).toBe(0);
  for (const client of clients) client.close();
  await plane.expectIdle();
});

test("every element is popped once, whatever comes and goes", async () => {
  const servers = await RedisServer.startMany(3);
  await using first = servers[0]!;
  await using second = servers[1]!;
  await using third = servers[2]!;
  using plane = await start(first, second, third);
  await withSeed(async (random) => {
    const keys = Array.from({ length: 9 }, (_, i) => `list${random.integer(1000)}-${i}`);
    const popped: string[] = [];
    let pushedCount = 0;
    let isOver = false;
    const POPS = ["BLPOP", "BRPOP"];
    const consume = async () => {
      const client = await plane.connect();
      while (!isOver) {
        const key = random.pick(keys);
        const count = random.between(1, 4);
        for (let i = 0; i < count; i++) void client.request(random.pick(POPS), key, "0.02");
        for (const reply of await client.readReplies(count)) {
          if (reply === NIL) continue;
          const value = /(v\d+)\r\n$/.exec(reply)![1]!;
          expect(reply).toBe(pair(key, value));
          popped.push(value);
        }
      }
      client.close();
    };
    const produce = async () => {
      const client = await plane.connect();
      for (let i = 0; i < 100; i++) {
        const values = Array.from({ length: random.between(1, 3) }, () => `v${pushedCount++}`);
        await client.call("RPUSH", random.pick(keys), ...values);
      }
      client.close();
    };
    const consumers = Array.from({ length: 20 }, consume);
    await Promise.all(Array.from({ length: 5 }, produce));
    await eventually(async () => {
      const lengths = await Promise.all(
        keys.flatMap((key) => servers.map((server) => server.command("LLEN", key))),
      );
      return lengths.every((length) => length === 0);
    });
    isOver = true;
    await Promise.all(consumers);
    expect(popped.length).toBe(pushedCount);
    expect(new Set(popped).size).toBe(pushedCount);
  });
  await plane.expectIdle();
});
