/**
 * Deadlines in every state of a server connection, and what is left of them.
 */
import { expect, test } from "bun:test";
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

test("a handshake that hangs", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "AUTH") peer.write("+OK\r\n");
  });
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    redis_auth: "secret",
    redis_db: 3,
    timeout: 100,
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
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 150 });
  const client = await plane.connect();
  for (let round = 0; round < 3; round++) {
    expect(await client.call("GET", "a")).toBe(bulk("a"));
    expect(await client.call("GET", "fin")).toBe("-ERR unknown\r\n");
    const replies = await client.pipeline([
      ["GET", "a"],
      ["GET", "hang"],
      ["GET", "b"],
    ]);
    expect(replies).toEqual([bulk("a"), LATE, LATE]);
  }
  expect(plane.counters()).toMatchObject({ serverTimedout: 3, serverEof: 3 });
  client.close();
  await plane.expectIdle();
});

test("the request of a client that left still has its deadline", async () => {
  using server = ScriptedServer.start(() => {});
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 100 });
  const client = await plane.connect();
  void client.request("GET", "a");
  void client.request("MGET", "a", "b");
  await eventually(() => server.requests.length === 2);
  client.reset();
  await eventually(() => plane.counters().serverTimedout === 1);
  await plane.expectIdle();
});

test("a busy connection is not given up while replies come in time", async () => {
  using server = ScriptedServer.start((peer, args) => {
    setTimeout(() => peer.write(bulk(args[1]!)), 120);
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout: 300 });
  const client = await plane.connect();
  for (let i = 0; i < 40; i++) {
    void client.request("GET", `k${i}`);
    await Bun.sleep(20);
  }
  const replies = await client.readReplies(40);
  expect(replies).toEqual(Array.from({ length: 40 }, (_, i) => bulk(`k${i}`)));
  expect(plane.counters().serverTimedout).toBe(0);
  client.close();
  await plane.expectIdle();
}, 15_000);

test("each of several connections has its own deadline", async () => {
  using server = ScriptedServer.start(untilHang);
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    timeout: 150,
    server_connections: 3,
  });
  const client = await plane.connect();
  const requests = ["a", "hang", "b", "c", "d", "e"].map((key) => ["GET", key]);
  const replies = await client.pipeline(requests);
  // The second connection has "hang" and, in its turn, the fifth request.
  expect(replies).toEqual([bulk("a"), LATE, bulk("b"), bulk("c"), LATE, bulk("e")]);
  expect(plane.counters()).toMatchObject({ serverTimedout: 1, serverConnections: 2 });
  client.close();
  await plane.expectIdle();
});
