/**
 * How a block ends but by its reply: the client leaves, the server dies, the proxy is drained.
 *
 * The worst that could happen is an element that is taken out for nobody.
 */
import { expect, test } from "bun:test";
import { BlackHole } from "../support/black-hole.ts";
import { eventually, within } from "../support/eventually.ts";
import { freezeProcess, thawProcess } from "../support/freeze.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { withSeed } from "../support/seeded-random.ts";
import { blocked, keyOn, listOf, NIL, pair, start } from "./blocking.ts";
import { DataPlane } from "./data-plane.ts";

function expectNothingHeld({ listener, descriptors, chunkPool }: DataPlane): void {
  expect(listener.clients.size).toBe(0);
  expect(descriptors.clients).toBe(0);
  expect(chunkPool.chunksInUse).toBe(0);
  expect(chunkPool.bytesInUse).toBe(0);
}

/** Ways for a client to leave. */
const LEAVING: readonly (readonly [string, (client: RawClient, plane: DataPlane) => unknown])[] = [
  ["FIN", (client) => client.close()],
  ["half a FIN", (client) => client.halfClose()],
  ["RST", (client) => client.reset()],
  ["FIN with requests behind", (client) => client.send("GET a\r\n").then(() => client.close())],
  [
    "CLIENT KILL",
    async (client, plane) => {
      const [victim] = plane.listener.clients;
      const killer = await plane.connect();
      expect(await killer.call("CLIENT", "KILL", "ID", String(victim!.identity.id))).toBe(":1\r\n");
      killer.close();
      await client.expectClosed();
    },
  ],
];

test.each(LEAVING)("%s ends the block at the server at once", async (_, leave) => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  for (let round = 0; round < 5; round++) {
    const client = await plane.connect();
    void client.request("BLPOP", "l", "0");
    await blocked(redis, 1);
    await leave(client, plane);
    await blocked(redis, 0);
    await redis.command("RPUSH", "l", "a");
    expect(await listOf(redis, "l")).toEqual(["a"]);
    await redis.command("DEL", "l");
    await plane.expectIdle();
  }
  // Nobody's failure.
  const { serverErr, serverEof, serverTimedout } = plane.counters();
  expect({ serverErr, serverEof, serverTimedout }).toEqual({
    serverErr: 0,
    serverEof: 0,
    serverTimedout: 0,
  });
  expect(plane.log.filter((line) => /^(warn|error)/.test(line))).toEqual([]);
});

test("a client that leaves before its turn is never blocked, and gets the replies before", async () => {
  await using slow = await RedisServer.start();
  await using redis = await RedisServer.start();
  using plane = await start(slow, redis);
  const client = await plane.connect();
  freezeProcess(slow.pid);
  void client.send(`GET ${keyOn(plane, 0)}\r\nBLPOP ${keyOn(plane, 1)} 0\r\n`);
  await eventually(() => plane.counters(0).outQueue === 1);
  const [leaving] = plane.listener.clients as unknown as Iterable<{ isHalfClosed: boolean }>;
  client.halfClose();
  await eventually(() => leaving?.isHalfClosed);
  thawProcess(slow.pid);
  expect(await client.readToEnd()).toBe("$-1\r\n");
  expect(plane.counters(1).requests).toBe(0);
  await plane.expectIdle();
});

/** A request, and the reply when it is made to wait no longer. */
const UNBLOCKED: readonly (readonly [string, string])[] = [
  ["BLPOP l 0", NIL],
  ["BLMOVE l l LEFT LEFT 0", "$-1\r\n"],
  ["BRPOPLPUSH l l 0", "$-1\r\n"],
  ["BZMPOP 0 1 l MIN", NIL],
  ["XREAD BLOCK 0 STREAMS l $", NIL],
];

test("a client whose request is not sent yet is not blocked, and cannot be unblocked", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "BLPOP") peer.write(pair("q", "element"));
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const [waiting, other] = [await plane.connect(), await plane.connect()];
  const id = `${await waiting.value("CLIENT", "ID")}`;
  await waiting.send("GET key\r\nBLPOP q 0\r\n");
  await eventually(() => server.requests.length === 1);
  expect(Array.from(plane.listener.clients, (client) => client.isBlocked)).toEqual([false, false]);
  expect(await other.call("CLIENT", "UNBLOCK", id)).toBe(":0\r\n");
  server.peers[0]!.write(bulk("value"));
  expect(await waiting.readReplies(2)).toEqual([bulk("value"), pair("q", "element")]);
  waiting.close();
  other.close();
  await plane.expectIdle();
});

test.each(UNBLOCKED)("CLIENT UNBLOCK ends %s", async (request, nothing) => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const [client, other] = [await plane.connect(), await plane.connect()];
  const id = String(await client.value("CLIENT", "ID"));
  const cases = [
    [[], nothing],
    [["timeout"], nothing],
    [["ERROR"], "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"],
  ] as const;
  for (const [words, reply] of cases) {
    void client.send(`${request}\r\nPING\r\n`);
    await blocked(redis, 1);
    expect(await other.call("CLIENT", "UNBLOCK", id, ...words)).toBe(":1\r\n");
    expect(await client.readReply()).toBe(reply);
    expect(await client.readReply()).toBe("+PONG\r\n");
    expect(await other.call("CLIENT", "UNBLOCK", id, ...words)).toBe(":0\r\n");
  }
  await client.call("HELLO", "3");
  void client.send(`${request}\r\n`);
  await blocked(redis, 1);
  expect(await other.call("CLIENT", "UNBLOCK", id)).toBe(":1\r\n");
  expect(await client.readReply()).toBe("_\r\n");
  expect(await other.call("CLIENT", "UNBLOCK", "x")).toMatch(/^-ERR value is not an integer/);
  expect(await other.call("CLIENT", "UNBLOCK", id, "x")).toMatch(/^-ERR CLIENT UNBLOCK reason/);
  client.close();
  other.close();
  await plane.expectIdle();
});

test("a server that dies while clients are blocked, and is back", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const clients = [await plane.connect(), await plane.connect()];
  for (const client of clients) void client.request("BLPOP", "l", "0");
  await blocked(redis, 2);
  await redis.kill();
  for (const client of clients) expect(await client.readReply()).toMatch(/^-ERR /);
  expect(await clients[0]!.call("BLPOP", "l", "0")).toBe("-ERR Connection refused\r\n");
  await redis.restart();
  await redis.command("RPUSH", "l", "a", "b");
  for (const [i, client] of clients.entries()) {
    expect(await client.call("BLPOP", "l", "0")).toBe(pair("l", "ab"[i]!));
    client.close();
  }
  await plane.expectIdle();
});

/** Of a pool: long enough for what takes no time, on any machine. */
const SHORT_MS = 500;

test("neither timeout nor client_idle_timeout ends a block", async () => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start({
    servers: [`${redis.item}:1 s0`],
    timeout: SHORT_MS,
    client_idle_timeout: SHORT_MS,
  });
  const client = await plane.connect();
  expect(await client.call("BLPOP", "l", (3 * SHORT_MS) / 1000)).toBe(NIL);
  void client.request("BLPOP", "l", "0");
  await blocked(redis, 1);
  freezeProcess(redis.pid);
  await Bun.sleep(3 * SHORT_MS);
  thawProcess(redis.pid);
  await redis.command("RPUSH", "l", "a");
  expect(await client.readReply()).toBe(pair("l", "a"));
  expect(plane.counters().serverTimedout).toBe(0);
  client.close();
  await plane.expectIdle();
});

test("connecting has its deadline, and may be given up before", async () => {
  using hole = await BlackHole.open();
  const servers = [`127.0.0.1:${hole.port}:1 s0`];
  using plane = await DataPlane.start({ servers, timeout: 1000 });
  const [waiting, leaving] = [await plane.connect(), await plane.connect()];
  void leaving.request("BLPOP", "l", "0");
  await eventually(() => plane.descriptors.lent === 1);
  leaving.close();
  expect(await waiting.call("BLPOP", "l", "0")).toBe("-ERR Connection timed out\r\n");
  waiting.close();
  await plane.expectIdle();
  await eventually(() => plane.descriptors.lent === 0);
});

test("an ejected server refuses at once", async () => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start({
    servers: [`${redis.item}:1 s0`],
    auto_eject_hosts: true,
    eject_policy: "fail_fast",
    server_failure_limit: 1,
    server_retry_timeout: 60_000,
  });
  using client = await plane.connect();
  void client.request("BLPOP", "l", "0");
  await blocked(redis, 1);
  await redis.kill();
  expect(await client.readReply()).toMatch(/^-ERR /);
  expect(await client.call("BLPOP", "l", "0")).toBe("-ERR Server 's0' is ejected\r\n");
});

test("drain ends the blocks without a loss", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const pusher = await redis.connect();
  const clients = await Promise.all(Array.from({ length: 20 }, () => plane.connect()));
  for (const client of clients) void client.send("PING\r\nBLPOP l 0\r\nPING\r\n");
  await blocked(redis, 20);
  plane.listener.stop();
  const drained = plane.listener.drain();
  // Not on the connection that was asked just now: a Redis that has yet to sleep serves that one
  // first, and forgets the replies of those whose end it finds behind it.
  await pusher.call("RPUSH", "l", ...Array.from({ length: 30 }, (_, i) => `v${i}`));
  const texts = await Promise.all(clients.map((client) => client.readToEnd()));
  await within(drained, 3000, "drain");
  const found = texts.flatMap((text) => /v\d+/.exec(text) ?? []);
  for (const text of texts) expect(text.startsWith("+PONG\r\n")).toBe(true);
  const left = await listOf(redis, "l");
  expect([...found, ...left].length).toBe(30);
  expect(new Set([...found, ...left]).size).toBe(30);
  expect(plane.log.filter((line) => /^(warn|error)/.test(line))).toEqual([]);
  expectNothingHeld(plane);
});

test("an element that is on its way when the proxy is drained still comes", async () => {
  let requests = 0;
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      data: () => void requests++,
      end: (socket) => void socket.end(pair("l", "late")),
    },
  });
  using plane = await DataPlane.start({ servers: [`127.0.0.1:${server.port}:1 s0`] });
  const client = await plane.connect();
  void client.send("BLPOP l 0\r\nPING\r\n");
  await eventually(() => requests === 1);
  plane.listener.stop();
  const drained = plane.listener.drain();
  expect(await client.readToEnd()).toBe(`${pair("l", "late")}+PONG\r\n`);
  await within(drained, 3000, "drain");
  expectNothingHeld(plane);
});

test("a connection whose block was ended is not used again", async () => {
  const requests: string[] = [];
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      data: (_, chunk) => void requests.push(chunk.toString()),
      // It may take its time to close.
      end: (socket) => void socket.write(pair("l", "late")),
    },
  });
  using plane = await DataPlane.start({ servers: [`127.0.0.1:${server.port}:1 s0`] });
  const [client, other] = [await plane.connect(), await plane.connect()];
  const id = String(await client.value("CLIENT", "ID"));
  for (let round = 1; round <= 3; round++) {
    void client.send("BLPOP l 0\r\n");
    await eventually(() => requests.length === round);
    expect(await other.call("CLIENT", "UNBLOCK", id)).toBe(":1\r\n");
    expect(await client.readReply()).toBe(pair("l", "late"));
  }
  client.close();
  other.close();
  await plane.expectIdle();
  await eventually(() => plane.descriptors.lent === 0);
});

test("SIGTERM ends a proxy with clients that are blocked", async () => {
  await using pool = await RedisPool.start({ servers: 1 });
  const clients = [await pool.connect(), await pool.connect()];
  for (const client of clients) void client.request("BLPOP", "l", "0");
  const [redis] = pool.servers;
  await blocked(redis!, 2);
  await within(pool.proxy.stop("SIGTERM"), 4000, "the end of the proxy");
  for (const client of clients) expect(await client.readToEnd()).toBe("");
  await blocked(redis!, 0);
});

test("drain does not wait for a server that hangs", async () => {
  await using redis = await RedisServer.start();
  using plane = await start(redis);
  const client = await plane.connect();
  void client.request("BLPOP", "l", "0");
  await blocked(redis, 1);
  freezeProcess(redis.pid);
  plane.listener.stop();
  await within(plane.listener.drain(), 4000, "drain");
  thawProcess(redis.pid);
  expect(await client.readToEnd()).toBe("");
  expectNothingHeld(plane);
});

test("whoever leaves and whatever fails, nothing is left behind", async () => {
  const servers = await RedisServer.startMany(2);
  await using first = servers[0]!;
  await using second = servers[1]!;
  using plane = await start(first, second);
  await withSeed(async (random) => {
    const keys = [keyOn(plane, 0), keyOn(plane, 1)];
    const visit = async () => {
      const client = await plane.connect();
      const count = random.between(1, 6);
      for (let i = 0; i < count; i++) {
        const key = random.pick(keys);
        const timeout = random.pick(["0.01", "0.02", "0"]);
        void client.send(
          random.pick([
            `BLPOP ${key} ${timeout}\r\n`,
            `RPUSH ${key} v\r\n`,
            `GET x${random.integer(9)}\r\n`,
            `SELECT ${random.integer(3)}\r\n`,
            `XREAD BLOCK 10 STREAMS s${key} $\r\nPING\r\n`,
            `BLMOVE ${key} ${key} LEFT RIGHT ${timeout}\r\nQUIT\r\n`,
            "HELLO 3\r\n",
            "MGET a b c d\r\n",
          ]),
        );
        if (random.chance(0.3)) await Bun.sleep(random.integer(15));
      }
      await Bun.sleep(random.integer(15));
      random.pick([() => client.close(), () => client.reset(), () => client.halfClose()])();
    };
    const visits = async () => {
      for (let i = 0; i < 25; i++) await visit();
    };
    const faults = async () => {
      for (let i = 0; i < 6; i++) {
        await Bun.sleep(random.integer(60));
        const server = random.pick(servers);
        await server.kill();
        await server.restart();
      }
    };
    await Promise.all([faults(), ...Array.from({ length: 12 }, visits)]);
  });
  await plane.expectIdle();
  for (const server of servers) await blocked(server, 0);
  expect(plane.log.filter((line) => line.startsWith("error"))).toEqual([]);
});
