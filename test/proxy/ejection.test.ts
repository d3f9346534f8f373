/**
 * When a server is taken out of the ring and when it is back, counted connection by connection.
 */
import { expect, test } from "bun:test";
import { ServerState } from "../../src/stats/counters.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { bulk } from "../support/resp.ts";
import type { Script } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

const REFUSED = "-ERR Connection refused\r\n";

const answerKey: Script = (peer, args) => peer.write(`+${args[1] ?? "PONG"}\r\n`);

function keysOn(plane: DataPlane, server: number, count: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = `k${i}`;
    if (plane.pool.serverIndexOf(Buffer.from(key), 0, key.length) === server) keys.push(key);
  }
  return keys;
}

test.each([
  [0, 1],
  [1, 1],
  [2, 2],
  [5, 5],
])("server_failure_limit %p: %p failed connections", async (limit, failures) => {
  using healthy = ScriptedServer.start((peer, args) => peer.write(bulk(args[1]!)));
  const port = freePort();
  using plane = await DataPlane.start({
    servers: [`127.0.0.1:${port}:1 s0`, `${healthy.item}:1 s1`],
    auto_eject_hosts: true,
    server_failure_limit: limit,
    server_retry_timeout: 50,
  });
  const [key] = keysOn(plane, 0, 1) as [string];
  const client = await plane.connect();
  const getTwice = () =>
    client.pipeline([
      ["GET", key],
      ["GET", key],
    ]);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < failures; i++) {
      // Several requests that fail with one connection are one failure.
      expect(await getTwice()).toEqual([REFUSED, REFUSED]);
    }
    expect(plane.pool.counters.serverEjects).toBe(round + 1);
    expect(plane.counters().serverState).not.toBe(ServerState.Healthy);
    const attempts = plane.connections.total;
    const probed = plane.log.filter((line) => line.includes("server.ts:8")).length;
    // No request finds it before it is back.
    await eventually(async () => {
      expect(await client.call("GET", key)).toBe(bulk(key));
      return plane.log.filter((line) => line.includes("server.ts:8")).length >= probed + 2;
    });
    expect(plane.connections.total - attempts).toBeLessThanOrEqual(1);
    using returned = ScriptedServer.start(answerKey, { port });
    await eventually(() => plane.counters().serverState === ServerState.Healthy);
    expect(returned.requests).toEqual([["PING"]]);
    // Back for good: nothing is counted from before.
    expect(await client.call("GET", key)).toBe(`+${key}\r\n`);
    expect(returned.requests).toEqual([["PING"], ["GET", key]]);
    returned.stop();
    await eventually(() => plane.counters().serverConnections === 0);
  }
  expect(plane.pool.counters.serverEjects).toBe(2);
  client.close();
  await plane.expectIdle();
});

test("server_retry_timeout 0: the server is asked again at once", async () => {
  const port = freePort();
  using healthy = ScriptedServer.start((peer, args) => peer.write(bulk(args[1]!)));
  using plane = await DataPlane.start({
    servers: [`127.0.0.1:${port}:1 s0`, `${healthy.item}:1 s1`],
    auto_eject_hosts: true,
    server_failure_limit: 1,
    server_retry_timeout: 0,
  });
  const [key] = keysOn(plane, 0, 1) as [string];
  const client = await plane.connect();
  for (let i = 1; i <= 5; i++) {
    expect(await client.call("GET", key)).toBe(REFUSED);
    expect(plane.pool.counters.serverEjects).toBe(i);
  }
  client.close();
  await plane.expectIdle();
});

test("a connection that closes idle is no failure", async () => {
  using server = ScriptedServer.start((peer, args) => peer.write(bulk(args[1]!)));
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`, `127.0.0.1:1:1 s1`],
    auto_eject_hosts: true,
    server_failure_limit: 1,
  });
  const [key] = keysOn(plane, 0, 1) as [string];
  const client = await plane.connect();
  for (let i = 1; i <= 4; i++) {
    expect(await client.call("GET", key)).toBe(bulk(key));
    server.openPeers[0]!.finish();
    await eventually(() => plane.counters().serverEof === i);
  }
  expect(plane.pool.counters.serverEjects).toBe(0);
  client.close();
  await plane.expectIdle();
});

test("a reply in between starts the count again", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[1] === "fin") peer.finish();
    else peer.write(bulk(args[1]!));
  });
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    auto_eject_hosts: true,
    server_failure_limit: 2,
  });
  const client = await plane.connect();
  for (let i = 0; i < 5; i++) {
    expect(await client.call("GET", "fin")).toBe("-ERR unknown\r\n");
    expect(await client.call("GET", "a")).toBe(bulk("a"));
  }
  expect(plane.pool.counters.serverEjects).toBe(0);
  expect(await client.call("GET", "fin")).toBe("-ERR unknown\r\n");
  expect(await client.call("GET", "fin")).toBe("-ERR unknown\r\n");
  expect(plane.pool.counters.serverEjects).toBe(1);
  // The only server is ejected, and there is none to take its place: it is asked all the same.
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  client.close();
  await plane.expectIdle();
});

test("a server that errors keep ejected is asked while all are ejected, and counted once", async () => {
  using plane = await DataPlane.start({
    servers: [`127.0.0.1:${freePort()}:1 s0`, `127.0.0.1:${freePort()}:1 s1`],
    auto_eject_hosts: true,
    server_failure_limit: 1,
    server_retry_timeout: 60_000,
  });
  const client = await plane.connect();
  for (let i = 0; i < 20; i++) {
    expect(await client.call("MGET", "k0", "k1", "k2", "k3")).toBe(REFUSED);
  }
  expect(plane.pool.counters.serverEjects).toBe(2);
  client.close();
  await plane.expectIdle();
});

test.each(["-ERR invalid password\r\n", "-LOADING Redis is loading\r\n"])(
  "a refused handshake is no failure of the server: %p",
  async (refusal) => {
    using server = ScriptedServer.start((peer, args) => {
      peer.write(args[0] === "SELECT" ? refusal : "+OK\r\n");
    });
    using plane = await DataPlane.start({
      servers: [`${server.item}:1 s0`],
      redis_db: 2,
      auto_eject_hosts: true,
      server_failure_limit: 1,
    });
    const client = await plane.connect();
    for (let i = 0; i < 3; i++) {
      expect(
        await client.pipeline([
          ["GET", "a"],
          ["MGET", "a", "b"],
        ]),
      ).toEqual([refusal, refusal]);
    }
    expect(plane.pool.counters.serverEjects).toBe(0);
    client.close();
    await plane.expectIdle();
  },
);

test("a server that closes in the middle of the handshake fails", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "AUTH") peer.write("+O");
    peer.finish();
  });
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    redis_auth: "secret",
    redis_db: 2,
    auto_eject_hosts: true,
    server_failure_limit: 3,
  });
  const client = await plane.connect();
  await client.call("AUTH", "secret");
  for (let i = 0; i < 3; i++) {
    const replies = await client.pipeline([
      ["GET", "a"],
      ["MGET", "a", "b"],
    ]);
    for (const reply of replies)
      expect(reply).toMatch(/^-ERR (unknown|Connection reset by peer)\r\n/);
  }
  expect(plane.pool.counters.serverEjects).toBe(1);
  expect(plane.counters().serverConnections).toBe(0);
  client.close();
  await plane.expectIdle();
});

test("a crash is one failure, however many connections it ends", async () => {
  using server = ScriptedServer.start(() => {});
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    auto_eject_hosts: true,
    server_connections: 4,
    server_failure_limit: 2,
  });
  const client = await plane.connect();
  const other = await plane.connect();
  for (let i = 0; i < 4; i++) void client.request("GET", "a");
  // Connections of another lane are those of the same server.
  await other.call("SELECT", "5");
  for (let i = 0; i < 4; i++) void other.request("GET", "a");
  await eventually(() => server.openPeers.length === 8);
  server.stop();
  await Promise.all([client.readReplies(4), other.readReplies(4)]);
  expect(plane.counters()).toMatchObject({ serverState: ServerState.Suspect });
  expect(plane.pool.counters.serverEjects).toBe(0);
  // Four attempts that are refused together are the second one.
  expect(await client.pipeline(Array(4).fill(["GET", "a"]))).toEqual(Array(4).fill(REFUSED));
  expect(plane.pool.counters.serverEjects).toBe(1);
  expect(plane.log.join("\n")).toContain(
    "server 's0' is ejected after 2 failures in a row (Connection refused); first probe in 30000",
  );
  client.close();
  other.close();
  await plane.expectIdle();
});

test.each([
  ["-LOADING Redis is loading the dataset in memory\r\n", false],
  ["-MASTERDOWN Link with MASTER is down\r\n", false],
  ["-BUSY Redis is busy running a script\r\n", false],
  ["-ERR max number of clients reached\r\n", false],
  ["*1\r\n", false],
  ["garbage\r\n", false],
  ["-NOAUTH Authentication required.\r\n", true],
  ["-NOPERM no permissions\r\n", true],
  ["-ERR unknown command 'PING'\r\n", true],
  ["+PONG\r\n", true],
])("a probe answered with %j: %p", async (reply, isWell) => {
  const isFailing = { now: true };
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "PING") peer.write(reply);
    else if (isFailing.now) peer.finish();
    else peer.write(bulk(args[1]!));
  });
  using healthy = ScriptedServer.start((peer, args) => peer.write(bulk(args[1]!)));
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`, `${healthy.item}:1 s1`],
    auto_eject_hosts: true,
    server_failure_limit: 1,
    server_retry_timeout: 20,
    timeout: 500,
  });
  const [key] = keysOn(plane, 0, 1) as [string];
  const client = await plane.connect();
  expect(await client.call("GET", key)).toBe("-ERR unknown\r\n");
  isFailing.now = false;
  const probes = () => server.requests.filter(([name]) => name === "PING").length;
  if (isWell) {
    await eventually(() => plane.counters().serverState === ServerState.Healthy);
    expect(probes()).toBe(1);
  } else {
    await eventually(() => probes() >= 3);
    expect(plane.counters().serverState).not.toBe(ServerState.Healthy);
    expect(await client.call("GET", key)).toBe(bulk(key));
    expect(server.requests.filter(([name]) => name === "GET")).toHaveLength(1);
    server.stop();
  }
  // Nobody counts a probe.
  expect(plane.counters()).toMatchObject({ requests: 1, responses: 0, serverTimedout: 0 });
  client.close();
  await plane.expectIdle();
});

test.each([
  ["-NOAUTH Authentication required.\r\n", true],
  ["-LOADING Redis is loading\r\n", false],
])("a probe whose handshake is refused with %j: %p", async (refusal, isWell) => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "GET") peer.finish();
    else peer.write(isRefusing ? refusal : "+OK\r\n");
  });
  let isRefusing = false;
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    redis_db: 3,
    auto_eject_hosts: true,
    server_failure_limit: 1,
    server_retry_timeout: 20,
  });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe("-ERR unknown\r\n");
  isRefusing = true;
  const count = server.requests.length;
  await eventually(() => server.requests.length >= count + (isWell ? 1 : 3));
  await eventually(() => (plane.counters().serverState === ServerState.Healthy) === isWell);
  client.close();
  await plane.expectIdle();
});
