/**
 * What happens at each limit: the client that caused it is not read from, nobody else notices, and
 * it is read from again when there is room.
 */
import { expect, test } from "bun:test";
import {
  CLIENT_OUTPUT_BYTES_MAX,
  CLIENT_REQUESTS_MAX,
  SERVER_OUTPUT_BYTES_MAX,
} from "../../src/proxy/limits.ts";
import { eventually } from "../support/eventually.ts";
import { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

test("a client with too many requests in flight is read from again when they are answered", async () => {
  const held: (() => void)[] = [];
  let isHolding = false;
  using server = ScriptedServer.start((peer, args) => {
    const answer = () => peer.write(bulk(args[1]!));
    if (isHolding) held.push(answer);
    else answer();
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connectSettled();
  isHolding = true;
  client.deadlineMs = 20_000;
  const value = "v".repeat(40);
  const request = encodeRequest(["GET", value]);
  const count = CLIENT_REQUESTS_MAX * 6;
  for (let i = 0; i < count; i += CLIENT_REQUESTS_MAX / 4) {
    void client.send(Buffer.concat(Array(CLIENT_REQUESTS_MAX / 4).fill(request)));
  }
  await eventually(() => held.length === CLIENT_REQUESTS_MAX);
  await Bun.sleep(50);
  expect(held.length).toBe(CLIENT_REQUESTS_MAX);
  isHolding = false;
  for (const answer of held.splice(0)) answer();
  expect(await client.readExactly(count * bulk(value).length)).toBeDefined();
  client.close();
  await plane.expectIdle();
}, 30_000);

test("a client that does not read is not read from, until it does", async () => {
  await using redis = await RedisServer.start();
  await redis.command("SET", "a", "x".repeat(100_000));
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  const [slow, quick] = await Promise.all([plane.connect(), plane.connect()]);
  slow.pause();
  const count = 1000;
  let sent = 0;
  // In small steps, as a limit is soft by one chunk of requests.
  const sending = (async () => {
    for (; sent < count; sent++) {
      await slow.send("GET a\r\n");
      if (sent % 10 === 0) await Bun.sleep(1);
    }
  })();
  await eventually(() => sent === count);
  await Bun.sleep(50);
  expect(plane.counters().responses).toBeLessThan(count);
  expect(await quick.call("GET", "a")).toBe(bulk("x".repeat(100_000)));
  slow.resume();
  await sending;
  slow.deadlineMs = 20_000;
  const all = await slow.readExactly(count * bulk("x".repeat(100_000)).length);
  expect(all.length).toBeGreaterThan(CLIENT_OUTPUT_BYTES_MAX);
  slow.close();
  quick.close();
  await plane.expectIdle();
}, 30_000);

/** A server that takes nothing until it is told. */
async function stuckServer(): Promise<{ item: string; resume(): void; close(): void }> {
  let isStuck = true;
  const sockets: Bun.Socket<undefined>[] = [];
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        sockets.push(socket);
        if (isStuck) socket.pause();
      },
      data() {},
    },
  });
  return {
    item: `127.0.0.1:${listener.port}`,
    resume() {
      isStuck = false;
      for (const socket of sockets) socket.resume();
    },
    close() {
      listener.stop(true);
    },
  };
}

test.each(["fails", "times out", "reads on and fails"])(
  "clients of a server that does not read go on when it %s",
  async (how) => {
    const stuck = await stuckServer();
    const settings = how === "times out" ? { timeout: 1000 } : {};
    await using redis = await RedisServer.start();
    using plane = await DataPlane.start({
      ...settings,
      servers: [`${stuck.item}:1 s0`, `${redis.item}:1 s1`],
    });
    const clients = await Promise.all(Array.from({ length: 3 }, () => plane.connect()));
    const isOn = (key: string, server: number) =>
      plane.pool.serverIndexOf(Buffer.from(key), 0, key.length) === server;
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    const onStuck = keys.find((key) => isOn(key, 0))!;
    const onRedis = keys.find((key) => isOn(key, 1))!;
    const value = Buffer.alloc(SERVER_OUTPUT_BYTES_MAX / 4, "x");
    const sets = 8;
    for (const client of clients) {
      client.deadlineMs = 20_000;
      for (let i = 0; i < sets; i++) void client.request("SET", onStuck, value);
      void client.request("SET", onRedis, "1");
    }
    await eventually(() => plane.counters().inQueueBytes > SERVER_OUTPUT_BYTES_MAX);
    const quick = await plane.connect();
    expect(await quick.call("GET", onRedis)).toBe("$-1\r\n");
    // One that waits and leaves.
    const leaves = await plane.connect();
    void leaves.request("SET", onStuck, value);
    void leaves.request("SET", onStuck, value);
    await eventually(() => plane.listener.clients.size === 5);
    leaves.reset();
    if (how === "reads on and fails") {
      stuck.resume();
      await eventually(() => plane.counters().inQueueBytes === 0);
    }
    if (how !== "times out") stuck.close();
    for (const client of clients) {
      const replies = await client.readReplies(sets + 1);
      for (const reply of replies.slice(0, sets)) expect(reply).toStartWith("-ERR ");
      expect(replies[sets]).toBe("+OK\r\n");
      await client.expectOpen();
      client.close();
    }
    quick.close();
    stuck.close();
    await plane.expectIdle();
  },
  30_000,
);

test("one client too many is told so", async () => {
  using plane = await DataPlane.start({ servers: ["127.0.0.1:1:1 s0"], client_connections: 2 });
  const [first, second] = await Promise.all([plane.connect(), plane.connect()]);
  await first.expectOpen();
  await second.expectOpen();
  const third = await plane.connect();
  expect(await third.readToEnd()).toBe("-ERR max number of clients reached\r\n");
  expect(plane.listener.clients.size).toBe(2);
  first.close();
  await eventually(() => plane.listener.clients.size === 1);
  const fourth = await plane.connect();
  await fourth.expectOpen();
  second.close();
  fourth.close();
  await plane.expectIdle();
});

test("clients that come and go while a server is stuck leave nothing behind", async () => {
  const stuck = await stuckServer();
  using plane = await DataPlane.start({ servers: [`${stuck.item}:1 s0`], timeout: 1000 });
  const value = Buffer.alloc(3_000_000, "x");
  for (let i = 0; i < 6; i++) {
    const client = await RawClient.connect(plane.address);
    void client.request("SET", `k${i}`, value);
    await eventually(() => plane.counters().requests > i);
    void client.request("SET", `k${i}`, value);
    if (i % 2 === 0) client.reset();
    else client.close();
  }
  await plane.expectIdle();
  expect(plane.counters().serverTimedout).toBeGreaterThan(0);
  stuck.close();
}, 30_000);

test.each(["halfClose", "close", "reset"] as const)(
  "a client that is held back and leaves with %s is not forgotten",
  async (how) => {
    await using redis = await RedisServer.start();
    using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
    const client = await plane.connect();
    expect(await client.call("GET", "a")).toBe("$-1\r\n");
    redis.freeze();
    const value = Buffer.alloc(SERVER_OUTPUT_BYTES_MAX, "x");
    const requests = Buffer.concat([1, 2, 3].map((i) => encodeRequest(["SET", `k${i}`, value])));
    const sending = client.send(requests);
    // The kernel takes a part of the first one, and the proxy the rest.
    await eventually(() => plane.counters().inQueueBytes > 0);
    if (how === "halfClose") {
      // What the kernel does not take before the server goes on is sent afterwards.
      redis.thaw();
      await sending;
      client.halfClose();
      expect(await client.readToEnd()).toBe("+OK\r\n".repeat(3));
    } else {
      client[how]();
      redis.thaw();
    }
    await plane.expectIdle();
  },
  20_000,
);

test("a FIN that comes while the client is not read from is seen when it is again", async () => {
  const held: (() => void)[] = [];
  let isHolding = false;
  using server = ScriptedServer.start((peer, args) => {
    const answer = () => peer.write(bulk(args[1]!));
    if (isHolding) held.push(answer);
    else answer();
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connectSettled();
  isHolding = true;
  // What was read but is over the limit is answered, too, though the FIN stands behind it.
  const count = CLIENT_REQUESTS_MAX * 3 + 7;
  void client.send("GET a\r\n".repeat(count));
  client.halfClose();
  await eventually(() => held.length === CLIENT_REQUESTS_MAX);
  await Bun.sleep(20);
  expect(plane.listener.clients.size).toBe(1);
  isHolding = false;
  for (const answer of held.splice(0)) answer();
  expect(await client.readToEnd()).toBe(bulk("a").repeat(count));
  await plane.expectIdle();
  expect(plane.pool.counters).toMatchObject({ clientEof: 1, clientErr: 0 });
});
