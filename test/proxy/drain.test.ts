/**
 * The end of the proxy: requests in flight get their replies, and nobody can keep it alive.
 */
import { expect, test } from "bun:test";
import { LINGER_MS } from "../../src/proxy/limits.ts";
import { eventually, within } from "../support/eventually.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import type { Peer } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

test("drain of nobody is over at once", async () => {
  using plane = await DataPlane.start({ servers: ["127.0.0.1:1:1 s0"] });
  plane.listener.stop();
  await within(plane.listener.drain(), 1000, "drain");
});

test("every kind of client is gone after drain, each with its replies", async () => {
  const held: (() => void)[] = [];
  const reply = (peer: Peer, args: readonly string[]) => {
    if (args[0] === "mget")
      peer.write(`*${args.length - 1}\r\n${args.slice(1).map(bulk).join("")}`);
    else peer.write(bulk(args[1]!));
  };
  using server = ScriptedServer.start((peer, args) => void held.push(() => reply(peer, args)));
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const names = ["idle", "waiting", "divided", "partial", "half", "quitting", "deaf"] as const;
  const clients = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await plane.connect()] as const)),
  );
  const { idle, waiting, divided, partial, half, quitting, deaf } = clients;
  for (const client of Object.values(clients)) await client.expectOpen();
  void waiting!.send("GET a\r\nPING\r\nGET b\r\n");
  void divided!.send("MGET a b c\r\n");
  void partial!.send("GET a\r\n*2\r\n$3\r\nGET\r\n$5\r\nab");
  void half!.send("GET a\r\n");
  half!.halfClose();
  void quitting!.send("GET a\r\nQUIT\r\n");
  deaf!.pause();
  void deaf!.send("GET a\r\n");
  await eventually(() => held.length === 7);
  plane.listener.stop();
  const drained = plane.listener.drain();
  expect(await idle!.readToEnd()).toBe("");
  for (const answer of held.splice(0)) answer();
  expect(await waiting!.readToEnd()).toBe(`${bulk("a")}+PONG\r\n${bulk("b")}`);
  expect(await divided!.readToEnd()).toBe(`*3\r\n${bulk("a")}${bulk("b")}${bulk("c")}`);
  expect(await partial!.readToEnd()).toBe(bulk("a"));
  expect(await half!.readToEnd()).toBe(bulk("a"));
  expect(await quitting!.readToEnd()).toBe(`${bulk("a")}+OK\r\n`);
  await within(drained, LINGER_MS + 3000, "drain");
  deaf!.resume();
  expect(await deaf!.readToEnd()).toBe(bulk("a"));
  expect(plane.listener.clients.size).toBe(0);
  expect(plane.descriptors.clients).toBe(0);
  expect(plane.chunkPool.chunksInUse).toBe(0);
});

test("a client that is not read from is drained, too", async () => {
  await using redis = await RedisServer.start();
  await redis.command("SET", "a", "x".repeat(200_000));
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] });
  const client = await plane.connect();
  client.pause();
  void client.send("GET a\r\n".repeat(100));
  await eventually(() => plane.counters().responses > 0);
  plane.listener.stop();
  const drained = plane.listener.drain();
  client.resume();
  client.deadlineMs = 10_000;
  expect((await client.readToEnd()).length).toBe(100 * bulk("x".repeat(200_000)).length);
  await within(drained, LINGER_MS + 3000, "drain");
});

test("close cuts off what is left", async () => {
  using server = ScriptedServer.start(() => {});
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const clients = await Promise.all(Array.from({ length: 5 }, () => plane.connect()));
  for (const client of clients)
    void client.send("GET a\r\nMGET a b c\r\n*2\r\n$3\r\nGET\r\n$9\r\n1");
  await eventually(() => server.requests.length === 10);
  plane.listener.stop();
  const drained = plane.listener.drain();
  plane.listener.closeClients();
  plane.pool.close();
  await within(drained, 1000, "drain");
  for (const client of clients) await client.expectClosed();
  expect(plane.connections.current).toBe(0);
  expect(plane.chunkPool.chunksInUse).toBe(0);
});
