/**
 * Deadlines in every state of a server connection, and what is left of them.
 */
import { expect, test } from "bun:test";
import { nowMs } from "../../src/lib/clock.ts";
import { EXPIRED_REQUESTS_MAX } from "../../src/proxy/limits.ts";
import { ServerState } from "../../src/stats/counters.ts";
import { eventually } from "../support/eventually.ts";
import { bulk } from "../support/resp.ts";
import type { Script } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

/** Answers with the key, until a request for "hang" comes on the connection. */
const untilHang: Script = (peer, args) => {
  if (args[1] === "fin") peer.finish();
  else if (peer.requests.every((request) => request[1] !== "hang")) peer.write(bulk(args[1]!));
};

const LATE = "-ERR Connection timed out\r\n";

/** For tests in which some requests are in time and others not: no machine is too slow for it. */
const FAR_MS = 60_000;

/** What is in flight at the first server times out; what has timed out before is given up. */
function expireFirst(plane: DataPlane, timeouts = 1): void {
  plane.pool.servers[0]!.expire(nowMs() + timeouts * FAR_MS);
}

/** So many requests are written and unanswered, and no other waits. */
function inFlight(plane: DataPlane, count: number): Promise<unknown> {
  return eventually(() => {
    const { inQueue, outQueue } = plane.counters();
    return inQueue === 0 && outQueue === count;
  });
}

test("a handshake that hangs", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "AUTH") peer.write("+OK\r\n");
  });
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    redis_auth: "secret",
    redis_db: 3,
    timeout: 1000,
  });
  const client = await plane.connect();
  expect(await client.call("AUTH", "secret")).toBe("+OK\r\n");
  expect(
    await client.pipeline([
      ["GET", "a"],
      ["MGET", "a", "b"],
    ]),
  ).toEqual([LATE, LATE]);
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, serverConnections: 0 });
  expect(server.requests.map((args) => args[0])).toEqual(["AUTH", "SELECT"]);
  expect(await client.call("GET", "a")).toBe(LATE);
  client.close();
  await plane.expectIdle();
});

test("a request that hangs after a reconnect", async () => {
  using server = ScriptedServer.start(untilHang);
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: FAR_MS });
  const client = await plane.connect();
  for (let round = 0; round < 3; round++) {
    expect(await client.call("GET", "a")).toBe(bulk("a"));
    expect(await client.call("GET", "fin")).toBe("-ERR unknown\r\n");
    const replies = client.pipeline([
      ["GET", "a"],
      ["GET", "hang"],
      ["GET", "b"],
    ]);
    await inFlight(plane, 2);
    expireFirst(plane);
    expect(await replies).toEqual([bulk("a"), LATE, LATE]);
    expect(plane.counters().serverTimedout).toBe(2 * round + 1);
    // It is closed after a second timeout, and that one counts as well.
    expireFirst(plane, 2);
    expect(plane.counters().serverTimedout).toBe(2 * (round + 1));
  }
  expect(plane.counters()).toMatchObject({ serverTimedout: 6, serverEof: 3 });
  client.close();
  await plane.expectIdle();
});

test("the request of a client that left still has its deadline", async () => {
  using server = ScriptedServer.start(() => {});
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 1000 });
  const client = await plane.connect();
  void client.request("GET", "a");
  void client.request("MGET", "a", "b");
  await eventually(() => server.requests.length === 2);
  client.reset();
  await eventually(() => plane.counters().serverTimedout >= 1);
  await plane.expectIdle();
});

test("a busy connection is not given up while replies come in time", async () => {
  using server = ScriptedServer.start((peer, args) => {
    setTimeout(() => peer.write(bulk(args[1]!)), 120);
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 1500 });
  const client = await plane.connect();
  for (let i = 0; i < 100; i++) {
    void client.request("GET", `k${i}`);
    await Bun.sleep(20);
  }
  const replies = await client.readReplies(100);
  expect(replies).toEqual(Array.from({ length: 100 }, (_, i) => bulk(`k${i}`)));
  expect(plane.counters().serverTimedout).toBe(0);
  client.close();
  await plane.expectIdle();
}, 15_000);

test("each of several connections has its own deadline", async () => {
  using server = ScriptedServer.start(untilHang);
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    timeout: FAR_MS,
    server_connections: 3,
  });
  const client = await plane.connect();
  const requests = ["a", "hang", "b", "c", "d", "e"].map((key) => ["GET", key]);
  const replies = client.pipeline(requests);
  await inFlight(plane, 2);
  expireFirst(plane);
  // The second connection has "hang" and, in its turn, the fifth request.
  expect(await replies).toEqual([bulk("a"), LATE, bulk("b"), bulk("c"), LATE, bulk("e")]);
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, serverConnections: 3 });
  expireFirst(plane, 2);
  expect(plane.counters()).toMatchObject({ serverTimedout: 2, serverConnections: 2 });
  client.close();
  await plane.expectIdle();
});

/** A server that keeps its replies back while it is told to. */
class HoldingServer {
  isHolding = true;
  readonly held: (() => void)[] = [];
  readonly server = ScriptedServer.start((peer, args) => {
    const answer = () => peer.write(args[0] === "SET" ? "+OK\r\n" : bulk(args[1]!));
    if (this.isHolding) this.held.push(answer);
    else answer();
  });

  release(count: number): void {
    for (const answer of this.held.splice(0, count)) answer();
  }

  releaseAll(): void {
    this.isHolding = false;
    this.release(this.held.length);
  }

  [Symbol.dispose](): void {
    this.server.stop();
  }
}

test("a late reply reaches nobody, and those behind it get theirs on the same connection", async () => {
  using slow = new HoldingServer();
  using plane = await DataPlane.start({ servers: [`${slow.server.item}:1 s0`], timeout: FAR_MS });
  const client = await plane.connect();
  const other = await plane.connect();
  void client.request("GET", "a");
  void client.request("GET", "b");
  void client.request("SET", "c", "x".repeat(100_000));
  await eventually(() => slow.held.length === 3);
  expireFirst(plane);
  expect(await client.readReplies(3)).toEqual([LATE, LATE, LATE]);
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, outQueue: 3, responses: 0 });
  void client.request("GET", "d");
  void other.request("GET", "e");
  await eventually(() => slow.held.length === 5);
  slow.releaseAll();
  expect(await client.readReply()).toBe(bulk("d"));
  expect(await other.readReply()).toBe(bulk("e"));
  expect(await client.call("GET", "f")).toBe(bulk("f"));
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, serverConnections: 1, responses: 3 });
  expect(slow.server.peers.length).toBe(1);
  client.close();
  other.close();
  await plane.expectIdle();
});

test("an incident ends with its late replies, and the next one counts again", async () => {
  using slow = new HoldingServer();
  using plane = await DataPlane.start({
    servers: [`${slow.server.item}:1 s0`],
    timeout: FAR_MS,
    auto_eject_hosts: true,
    server_failure_limit: 3,
  });
  const client = await plane.connect();
  for (let round = 1; round <= 3; round++) {
    void client.request("GET", "a");
    void client.request("GET", "b");
    await eventually(() => slow.held.length === 2);
    expireFirst(plane);
    expect(await client.readReplies(2)).toEqual([LATE, LATE]);
    const suspect = { serverTimedout: round, serverState: ServerState.Suspect, outQueue: 2 };
    expect(plane.counters()).toMatchObject(suspect);
    slow.release(2);
    // A reply that comes too late does not make a server healthy.
    await eventually(() => plane.counters().outQueue === 0);
    expect(plane.counters()).toMatchObject({ serverState: ServerState.Suspect });
    void client.request("GET", "c");
    await eventually(() => slow.held.length === 1);
    slow.release(1);
    expect(await client.readReply()).toBe(bulk("c"));
    expect(plane.counters()).toMatchObject({ serverState: ServerState.Healthy });
  }
  expect(slow.server.peers.length).toBe(1);
  client.close();
  await plane.expectIdle();
});

test("a server that is always too late is ejected", async () => {
  using slow = new HoldingServer();
  using plane = await DataPlane.start({
    servers: [`${slow.server.item}:1 s0`],
    timeout: FAR_MS,
    auto_eject_hosts: true,
    server_failure_limit: 3,
  });
  const client = await plane.connect();
  for (let i = 1; i <= 3; i++) {
    void client.request("GET", "a");
    await eventually(() => slow.held.length === 1);
    expireFirst(plane);
    expect(await client.readReply()).toBe(LATE);
    expect(plane.pool.counters.serverEjects).toBe(i === 3 ? 1 : 0);
    slow.release(1);
    await eventually(() => plane.counters().outQueue === 0);
  }
  client.close();
  await plane.expectIdle();
});

test("a divided request of which one part is late", async () => {
  using slow = new HoldingServer();
  using quick = ScriptedServer.start((peer, args) => {
    peer.write(`*${args.length - 1}\r\n${args.slice(1).map(bulk).join("")}`);
  });
  using plane = await DataPlane.start({
    servers: [`${slow.server.item}:1 s0`, `${quick.item}:1 s1`],
    timeout: FAR_MS,
  });
  const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);
  const isSlow = (key: string) => plane.pool.serverIndexOf(Buffer.from(key), 0, key.length) === 0;
  const late = keys.find(isSlow)!;
  const client = await plane.connect();
  void client.request("MGET", ...keys);
  void client.request("GET", late);
  await eventually(() => slow.held.length === 2);
  expireFirst(plane);
  expect(await client.readReplies(2)).toEqual([LATE, LATE]);
  void client.request("GET", late);
  await eventually(() => slow.held.length === 3);
  slow.releaseAll();
  expect(await client.readReply()).toBe(bulk(late));
  expect(await client.call("GET", late)).toBe(bulk(late));
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, serverConnections: 1 });
  client.close();
  await plane.expectIdle();
});

/** Answers "large" with a part every 60 ms, `parts` of 40; what comes behind it has to wait. */
function tricklingServer(parts: number, partBytes: number): ScriptedServer {
  return ScriptedServer.start((peer, args) => {
    const isFirst = peer.requests.length === 1;
    if (args[1] === "large" && isFirst) {
      peer.write(`$${40 * partBytes}\r\n`);
      let part = 0;
      const timer = setInterval(() => {
        if (part++ < parts) peer.write("x".repeat(partBytes));
        if (part === 40) {
          peer.write("\r\n");
          for (const [, key] of peer.requests.slice(1)) peer.write(bulk(key!));
          peer.requests.length = 0;
          peer.requests.push([]);
        }
        if (part >= parts || peer.isClosed) clearInterval(timer);
      }, 60);
    } else if (peer.requests[0]?.length === 0) {
      peer.write(bulk(args[1]!));
    }
  });
}

test.each([
  ["streamed", 10_000],
  ["kept", 250],
])(
  "a large reply that flows is not late, but those behind it may be: %s",
  async (_, partBytes) => {
    using server = tricklingServer(40, partBytes);
    using plane = await DataPlane.start({
      servers: [`${server.item}:1 s0`],
      timeout: 800,
      auto_eject_hosts: true,
      server_failure_limit: 1,
    });
    const [reader, other] = [await plane.connect(), await plane.connect()];
    void reader.request("GET", "large");
    await eventually(() => server.requests.length === 1);
    for (let i = 0; i < 2; i++) expect(await other.call("GET", `k${i}`)).toBe(LATE);
    expect(await reader.readReply()).toBe(bulk("x".repeat(40 * partBytes)));
    expect(await other.call("GET", "after")).toBe(bulk("after"));
    // The server was at work all the time.
    expect(plane.counters()).toMatchObject({ serverTimedout: 0, serverState: ServerState.Healthy });
    expect(server.peers.length).toBe(1);
    reader.close();
    other.close();
    await plane.expectIdle();
  },
  15_000,
);

test("a large reply that stops is late: an error while nothing of it is out", async () => {
  using server = tricklingServer(3, 500);
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 600 });
  const client = await plane.connect();
  expect(await client.call("GET", "large")).toBe(LATE);
  await eventually(() => plane.counters().serverConnections === 0);
  expect(plane.counters()).toMatchObject({ serverTimedout: 2 });
  client.close();
  await plane.expectIdle();
});

test("a large reply that stops is late: the end of the connection when half of it is out", async () => {
  using server = tricklingServer(3, 100_000);
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 600 });
  const client = await plane.connect();
  void client.request("GET", "large");
  await eventually(() => client.isClosed);
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, serverConnections: 0 });
  client.close();
  await plane.expectIdle();
});

test("a connection that has too many late replies to swallow is closed", async () => {
  // It flows without end, or the connection would be closed for its silence.
  using server = ScriptedServer.start((peer, args) => {
    if (args[1] !== "large") return;
    peer.write("$1000000\r\n");
    const timer = setInterval(() => {
      if (peer.isClosed) clearInterval(timer);
      else peer.write("x");
    }, 10);
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 1500 });
  const reader = await plane.connect();
  void reader.request("GET", "large");
  await eventually(() => server.requests.length === 1);
  const each = 1000;
  const clients = await Promise.all(
    Array.from({ length: Math.ceil(EXPIRED_REQUESTS_MAX / each) }, () => plane.connect()),
  );
  const requests = Array.from({ length: each }, () => ["GET", "k"]);
  const replies = await Promise.all(clients.map((client) => client.pipeline(requests)));
  expect(replies.flat().every((reply) => reply === LATE)).toBeTrue();
  expect(await reader.readReply()).toBe(LATE);
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, serverConnections: 0 });
  for (const client of [reader, ...clients]) client.close();
  await plane.expectIdle();
}, 30_000);
