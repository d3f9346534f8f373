/**
 * Every way in which a client can end, with requests in flight or replies unread: others keep their
 * replies, and nothing is left.
 */
import { expect, test } from "bun:test";
import { CLIENT_REPLIES_BYTES_MAX, FIRST_REPLY_BYTES, LINGER_MS } from "../../src/proxy/limits.ts";
import { eventually } from "../support/eventually.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import type { Peer } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

/** Answers GET with its key and MGET with its keys, when `release` is called. */
/** As many requests may a client have in flight that had no reply yet. */
const FIRST_REQUESTS = CLIENT_REPLIES_BYTES_MAX / FIRST_REPLY_BYTES + 1;

class HoldingServer {
  #held: (() => void)[] = [];
  readonly server = ScriptedServer.start((peer, args) => {
    this.#held.push(() => answer(peer, args));
  });

  get heldCount(): number {
    return this.#held.length;
  }

  releaseOne(): void {
    this.#held.shift()?.();
  }

  release(): void {
    for (const answerOne of this.#held.splice(0)) answerOne();
  }

  [Symbol.dispose](): void {
    this.server.stop();
  }
}

function answer(peer: Peer, args: readonly string[]): void {
  const [name = "", ...rest] = args;
  if (name.toLowerCase() === "mget") peer.write(`*${rest.length}\r\n${rest.map(bulk).join("")}`);
  else peer.write(bulk(rest[0] ?? ""));
}

test("QUIT with requests in flight: their replies, +OK, the end", async () => {
  using holding = new HoldingServer();
  using plane = await DataPlane.start({ servers: [`${holding.server.item}:1 s0`] });
  const client = await plane.connect();
  void client.send("GET a\r\nMGET b c\r\nQUIT\r\nGET d\r\n*1\r\nbroken");
  await eventually(() => holding.heldCount === 2);
  holding.release();
  expect(await client.readToEnd()).toBe(`${bulk("a")}*2\r\n${bulk("b")}${bulk("c")}+OK\r\n`);
  await plane.expectIdle();
  expect(plane.pool.counters).toMatchObject({ clientEof: 1, clientErr: 0 });
});

test("FIN with requests in flight and half a request: the replies, the end", async () => {
  using holding = new HoldingServer();
  using plane = await DataPlane.start({ servers: [`${holding.server.item}:1 s0`] });
  const client = await plane.connect();
  void client.send("GET a\r\nMGET b c\r\n*2\r\n$3\r\nGET\r\n$100\r\nabc");
  client.halfClose();
  await eventually(() => holding.heldCount === 2);
  holding.release();
  expect(await client.readToEnd()).toBe(`${bulk("a")}*2\r\n${bulk("b")}${bulk("c")}`);
  await plane.expectIdle();
  expect(plane.pool.counters).toMatchObject({ clientEof: 1, clientErr: 0 });
});

test("broken framing with requests in flight: the replies, the error, the end", async () => {
  using holding = new HoldingServer();
  using plane = await DataPlane.start({ servers: [`${holding.server.item}:1 s0`] });
  const client = await plane.connect();
  void client.send("GET a\r\n*1\r\n!\r\nGET b\r\n");
  await eventually(() => holding.heldCount === 1);
  holding.release();
  const error = "-ERR Protocol error: expected '$', got '!'\r\n";
  expect(await client.readToEnd()).toBe(`${bulk("a")}${error}`);
  await eventually(() => plane.pool.counters.clientErr === 1);
  expect(plane.pool.counters.clientEof).toBe(0);
  await plane.expectIdle();
});

test.each(["close", "reset"] as const)(
  "%s with requests in flight: they are swallowed",
  async (how) => {
    using one = new HoldingServer();
    using other = new HoldingServer();
    const servers = [`${one.server.item}:1 s0`, `${other.server.item}:1 s1`];
    using plane = await DataPlane.start({ servers }, { chunkSizeBytes: 512 });
    const stays = await plane.connect();
    const keys = Array.from({ length: 30 }, (_, i) => `${i}:${"k".repeat(1000)}`);
    const leaving = await Promise.all(Array.from({ length: 10 }, () => plane.connect()));
    for (const client of leaving) {
      void client.request("MGET", ...keys);
      void client.request("GET", keys[0]!);
      void client.request("PING");
      void client.request("DEL", ...keys);
    }
    await eventually(() => one.heldCount + other.heldCount >= 50);
    // Half of what is divided is there when its client leaves, the other half comes later.
    one.release();
    for (const client of leaving) client[how]();
    await eventually(() => plane.listener.clients.size === 1 || how === "close");
    const reply = stays.pipeline([
      ["GET", keys[1]!],
      ["MGET", ...keys],
    ]);
    let isAnswered = false;
    void reply.finally(() => (isAnswered = true));
    while (!isAnswered) {
      one.release();
      other.release();
      await Bun.sleep(2);
    }
    expect(await reply).toEqual([bulk(keys[1]!), `*30\r\n${keys.map(bulk).join("")}`]);
    stays.close();
    await plane.expectIdle();
  },
);

test("QUIT of a client that reads slowly: it gets all replies", async () => {
  await using redis = await RedisServer.start();
  await redis.command("SET", "a", "x".repeat(500_000));
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  const client = await plane.connect();
  client.pause();
  void client.send(`${"GET a\r\n".repeat(6)}QUIT\r\n`);
  // The kernel has it all; the connection of the proxy is as good as gone.
  await eventually(() => plane.listener.clients.size === 0, { deadlineMs: LINGER_MS + 5000 });
  client.resume();
  const all = await client.readToEnd();
  expect(all.length).toBe(6 * bulk("x".repeat(500_000)).length + 5);
  expect(all.endsWith("+OK\r\n")).toBe(true);
  await plane.expectIdle();
}, 15_000);

test("FIN of a client that reads slowly: it gets all replies", async () => {
  await using redis = await RedisServer.start();
  await redis.command("SET", "a", "x".repeat(1_000_000));
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  const client = await plane.connect();
  client.pause();
  void client.send("GET a\r\n".repeat(40));
  client.halfClose();
  await eventually(() => plane.counters().responses > 0);
  client.resume();
  expect((await client.readToEnd()).length).toBe(40 * bulk("x".repeat(1_000_000)).length);
  await plane.expectIdle();
}, 15_000);

test("a client that neither reads nor ends after QUIT is let go of", async () => {
  using plane = await DataPlane.start({ servers: ["127.0.0.1:1:1 s0"] });
  const client = await plane.connect();
  client.pause();
  void client.send("QUIT\r\n");
  await eventually(() => plane.listener.clients.size === 0, { deadlineMs: LINGER_MS + 3000 });
  await plane.expectIdle();
  client.reset();
});

test("a reset that only the write notices, while the client is not read from", async () => {
  using holding = new HoldingServer();
  using plane = await DataPlane.start({ servers: [`${holding.server.item}:1 s0`] });
  const client = await plane.connect();
  void client.send("GET a\r\n".repeat(100));
  await eventually(() => holding.heldCount === FIRST_REQUESTS);
  // After the last event of the turn, and before its write: then the write takes the socket's error
  // away, and what is left looks like a FIN that waits until the client is read from again.
  const { turn } = plane.pool;
  const add = turn.add.bind(turn);
  turn.add = (member) => {
    add(member);
    client.reset();
  };
  holding.releaseOne();
  await eventually(() => plane.listener.clients.size === 0);
  holding.release();
  await plane.expectIdle();
});

test.each(["open", "quit", "fin"])(
  "a server that dies in the middle of a large reply: what came before it is delivered (%s)",
  async (state) => {
    const whole = bulk("x".repeat(300_000));
    const peers: Peer[] = [];
    using server = ScriptedServer.start((peer, args) => {
      peers.push(peer);
      if (args[1] === "whole") peer.write(whole);
      else if (args[1] === "half") peer.write(`$400000\r\n${"y".repeat(200_000)}`);
    });
    using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
    const client = await plane.connect();
    client.pause();
    void client.send(`${"GET whole\r\n".repeat(9)}GET half\r\nGET never\r\nPING\r\nMGET a b\r\n`);
    if (state === "quit") void client.send("QUIT\r\n");
    if (state === "fin") client.halfClose();
    await eventually(() => plane.counters().responseBytes > 9 * whole.length + 60_000);
    peers[0]!.reset();
    await eventually(() => plane.counters().serverConnections === 0);
    client.resume();
    const all = await client.readToEnd();
    expect(client.closeError).toBeUndefined();
    expect(all.slice(0, 9 * whole.length) === whole.repeat(9)).toBe(true);
    expect(all.slice(9 * whole.length)).toMatch(/^\$400000\r\ny{60000,200000}$/);
    await plane.expectIdle();
  },
);
