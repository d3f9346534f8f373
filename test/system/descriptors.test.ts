/**
 * More clients and servers than file descriptors: those that have one are served, the others wait
 * in the kernel's queue, the proxy sleeps meanwhile, and servers that swallow every attempt to
 * connect do not take what the others need.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { nowMs } from "../../src/lib/clock.ts";
import { openFiles, workersOf } from "../process/worker-family.ts";
import { BlackHole } from "../support/black-hole.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { processorTimeMs } from "../support/process-usage.ts";
import { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { ourProgram, Proxy } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const FILES_MAX = 72;
const CLIENTS = 2 * FILES_MAX;
const LIMITED = ["sh", "-c", `ulimit -n ${FILES_MAX}; exec "$@"`, "sh", ...ourProgram()];
/** A loop that spins takes all of this time. */
const WATCHED_MS = 1500;
const ASLEEP_MS = 500;
const ROUNDS = 12;
/** So many that leave together are no news yet. */
const HANDFUL = 4;
const DATABASES = 8;

interface Guest {
  readonly client: RawClient;
  /** To the PING that it has sent. */
  readonly reply: Promise<string>;
  isServed: boolean;
}

/** Connects many clients that ask for a reply, and waits until as many have it as can. */
async function crowd(proxy: Proxy, count = CLIENTS): Promise<[served: Guest[], waiting: Guest[]]> {
  const guests: Guest[] = [];
  for (let i = 0; i < count; i++) {
    const client = await proxy.connect();
    client.deadlineMs = 30_000;
    void client.request("PING");
    const guest = { client, reply: client.readReply(), isServed: false };
    guest.reply.then(
      () => (guest.isServed = true),
      () => {},
    );
    guests.push(guest);
  }
  await eventually(() => proxy.log.includes("no file descriptor left for another client"));
  await eventually(async () => {
    const accepted = (await proxy.poolStats())["client_connections"];
    return guests.filter(({ isServed }) => isServed).length === accepted;
  });
  return [guests.filter(({ isServed }) => isServed), guests.filter(({ isServed }) => !isServed)];
}

/** Watches how much a process does in some time in which it has nothing to do. */
async function usedWhileWaitingMs(pid: number): Promise<number> {
  const before = processorTimeMs(pid);
  const endMs = nowMs() + WATCHED_MS;
  await eventually(() => nowMs() > endMs);
  return processorTimeMs(pid) - before;
}

function logged(proxy: Proxy): number {
  return proxy.log.split("no file descriptor left").length - 1;
}

const folder = temporaryFolder("descriptors");
describe.each([
  ["TCP", () => `127.0.0.1:${freePort()}`],
  ["a unix socket", () => join(folder, "n.sock")],
] as const)("more clients than descriptors, %s", (_, listen) => {
  test("some are served, the others wait and are served when there is room", async () => {
    await using redis = await RedisServer.start();
    const pools = { alpha: { listen: listen(), servers: [`${redis.item}:1`] } };
    await using proxy = await Proxy.start({ pools, program: LIMITED });
    const [served, waiting] = await crowd(proxy);
    expect(served.length).toBeGreaterThan(10);
    expect(waiting.length).toBeGreaterThanOrEqual(CLIENTS - FILES_MAX);
    expect(await usedWhileWaitingMs(proxy.pid)).toBeLessThan(ASLEEP_MS);
    expect(openFiles(proxy.pid).length).toBeLessThan(FILES_MAX - 4);
    // Their first request connects to the server: that descriptor is kept.
    for (const { client } of served) expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
    expect((await proxy.poolStats())["client_connections"]).toBe(served.length);
    expect(logged(proxy)).toBe(1);
    // One leaves, one is served; then all the others.
    while (waiting.length > 0) {
      const leaving = served.splice(0, waiting.length > CLIENTS / 4 ? 1 : served.length);
      for (const { client } of leaving) client.close();
      const next = waiting.splice(0, leaving.length);
      for (const { reply } of next) expect(await reply).toBe("+PONG\r\n");
      if (leaving.length === 1) expect(logged(proxy)).toBe(1);
      served.push(...next);
    }
    for (const { client } of served) expect(await client.call("GET", "a")).toBe("$1\r\n1\r\n");
    for (const { client } of served) client.close();
    await eventually(async () => (await proxy.poolStats())["client_connections"] === 0);
    // Many at once have left room, and then there was none again: once, or in handfuls.
    expect(logged(proxy)).toBeLessThanOrEqual(1 + CLIENTS / 4 / HANDFUL);
    expect(proxy.log).toContain("file descriptors for clients are free");
    expect(proxy.isRunning).toBe(true);
  }, 30_000);
});

test("two workers: each stops for itself, and those who wait are served", async () => {
  await using redis = await RedisServer.start();
  const pools = { alpha: { servers: [`${redis.item}:1`] } };
  await using proxy = await Proxy.start({ pools, program: LIMITED, args: ["-w", "2"] });
  await eventually(() => proxy.log.includes("worker 2 serves"));
  const [served, waiting] = await crowd(proxy, 3 * FILES_MAX);
  expect(waiting.length).toBeGreaterThan(0);
  for (const pid of workersOf(proxy.pid)) {
    expect(await usedWhileWaitingMs(pid)).toBeLessThan(ASLEEP_MS);
  }
  for (const { client } of served) client.close();
  // More than two workers can have at once: each that was served makes room.
  await Promise.all(
    waiting.map(async ({ client, reply }) => {
      expect(await reply).toBe("+PONG\r\n");
      client.close();
    }),
  );
}, 30_000);

test("a crowd at the stats port does not take the last descriptor either", async () => {
  await using redis = await RedisServer.start();
  const pools = { alpha: { servers: [`${redis.item}:1`] } };
  await using proxy = await Proxy.start({ pools, program: LIMITED });
  const [served, waiting] = await crowd(proxy);
  const curious: RawClient[] = [];
  for (let i = 0; i < FILES_MAX; i++) {
    // They neither read nor close; those beyond the limit are closed at once.
    const client = await RawClient.connect(proxy.statsPort).catch(() => null);
    client?.pause();
    if (client !== null) curious.push(client);
    expect(openFiles(proxy.pid).length).toBeLessThan(FILES_MAX - 1);
  }
  expect(await usedWhileWaitingMs(proxy.pid)).toBeLessThan(ASLEEP_MS);
  for (const { client } of served) expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  for (const client of curious) client.close();
  for (const { client } of [...served, ...waiting]) client.close();
  for (const { reply } of waiting) await reply.catch(() => "");
}, 30_000);

test("a proxy that has stopped accepting drains like any other", async () => {
  await using redis = await RedisServer.start();
  const pools = { alpha: { servers: [`${redis.item}:1`] } };
  await using proxy = await Proxy.start({ pools, program: LIMITED });
  const [served, waiting] = await crowd(proxy);
  proxy.signal("SIGTERM");
  for (const { client } of served) expect(await client.readToEnd()).toBe("");
  // Nobody accepts them any more: the kernel turns them away.
  for (const { client, reply } of waiting) {
    expect(await reply.catch(() => "nothing")).toBe("nothing");
    client.close();
  }
  expect(await proxy.ended()).toBe(0);
}, 30_000);

test.each([
  ["127.0.0.1", "each attempt is ended with its time", 1],
  ["localhost", "attempts by name cannot be ended, and are few", 5],
] as const)(
  "a server on %s that swallows everything: %s",
  async (host, _, attemptsMax) => {
    using hole = await BlackHole.open();
    await using redis = await RedisServer.start();
    const pools = {
      hole: { servers: [`${host}:${hole.port}:1 h`], timeout: 50 },
      alpha: { servers: [`${redis.item}:1 r`] },
    };
    await using proxy = await Proxy.start({ pools, program: LIMITED });
    const client = await proxy.connect("hole");
    expect(await client.call("PING")).toBe("+PONG\r\n");
    const before = openFiles(proxy.pid).length;
    for (let i = 0; i < ROUNDS; i++) {
      expect(await client.call("GET", `k${i}`)).toBe("-ERR Connection timed out\r\n");
      // Looking up a name opens files for moments.
      await eventually(() => openFiles(proxy.pid).length <= before + attemptsMax);
    }
    expect(await usedWhileWaitingMs(proxy.pid)).toBeLessThan(ASLEEP_MS);
    // The others have what they need.
    const others = await Promise.all(Array.from({ length: 10 }, () => proxy.connect("alpha")));
    for (const other of others) expect(await other.call("SET", "a", "1")).toBe("+OK\r\n");
    for (const one of [client, ...others]) one.close();
  },
  30_000,
);

test("with no descriptor for a server left, its requests get an error, and later not", async () => {
  // Each database has connections of its own: more than are kept.
  await using redis = await RedisServer.start();
  const pools = { alpha: { servers: [`${redis.item}:1`] } };
  await using proxy = await Proxy.start({ pools, program: LIMITED });
  const [served, waiting] = await crowd(proxy);
  const replies: string[] = [];
  for (const [index, { client }] of served.slice(0, DATABASES).entries()) {
    expect(await client.call("SELECT", index)).toBe("+OK\r\n");
    replies.push(await client.call("SET", "a", index));
  }
  expect(replies[0]).toBe("+OK\r\n");
  expect(replies[DATABASES - 1]).toBe("-ERR Too many open files\r\n");
  expect(await usedWhileWaitingMs(proxy.pid)).toBeLessThan(ASLEEP_MS);
  const last = served[DATABASES - 1]?.client;
  // Who waits would take the place of who leaves.
  for (const { client } of [...served, ...waiting]) if (client !== last) client.close();
  for (const { reply } of waiting) await reply.catch(() => "");
  await eventually(async () => (await last?.call("SET", "a", "1")) === "+OK\r\n");
  last?.close();
}, 30_000);

test("a server that swallowed everything is used again when it answers", async () => {
  using hole = await BlackHole.open();
  const pools = { hole: { servers: [`${hole.item}:1 h`], timeout: 100 } };
  await using proxy = await Proxy.start({ pools });
  const client = await proxy.connect();
  for (let i = 0; i < 3; i++) {
    expect(await client.call("GET", "a")).toBe("-ERR Connection timed out\r\n");
  }
  hole.accept({
    data(socket, chunk) {
      if (chunk.includes("GET")) socket.write("$3\r\nyes\r\n");
    },
  });
  await eventually(async () => (await client.call("GET", "a")) === "$3\r\nyes\r\n");
  client.close();
}, 30_000);
