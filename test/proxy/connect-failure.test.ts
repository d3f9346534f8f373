/**
 * Servers that cannot be reached: every request of the turn gets its error, whether the attempt
 * fails inside Bun.connect, at the next turn, or by its deadline.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { bulk } from "../support/resp.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { DataPlane } from "./data-plane.ts";

const NOT_THERE = "-ERR No such file or directory\r\n";

test("an attempt that fails inside Bun.connect fails the requests of its turn", async () => {
  const path = join(temporaryFolder("nothing"), "redis.sock");
  using plane = await DataPlane.start({ servers: [`${path}:1 s0`] });
  const client = await plane.connect();
  const replies = await client.pipeline([
    ["GET", "a"],
    ["PING"],
    ["MGET", "a", "b", "c"],
    ["MSET", "a", "1", "b", "2"],
    ["GET", "b"],
  ]);
  expect(replies).toEqual([NOT_THERE, "+PONG\r\n", NOT_THERE, NOT_THERE, NOT_THERE]);
  expect(plane.pool.counters.forwardError).toBe(4);
  // One attempt for all of them, and another one for the next request.
  expect(plane.counters()).toMatchObject({ serverErr: 1, serverEof: 0, serverConnections: 0 });
  expect(await client.call("GET", "a")).toBe(NOT_THERE);
  expect(plane.counters().serverErr).toBe(2);
  client.close();
  await plane.expectIdle();
});

test("with several connections to a server each request of a turn has its own attempt", async () => {
  const path = join(temporaryFolder("nothing"), "redis.sock");
  using plane = await DataPlane.start({ servers: [`${path}:1 s0`], server_connections: 4 });
  const client = await plane.connect();
  const replies = await client.pipeline(Array.from({ length: 5 }, (_, i) => ["GET", `k${i}`]));
  expect(replies).toEqual(Array.from({ length: 5 }, () => NOT_THERE));
  expect(plane.counters().serverErr).toBe(4);
  client.close();
  await plane.expectIdle();
});

test("a client that leaves in the turn of the failure", async () => {
  const path = join(temporaryFolder("nothing"), "redis.sock");
  using plane = await DataPlane.start({
    servers: [`${path}:1 s0`, `127.0.0.1:${freePort()}:1 s1`],
  });
  for (let i = 0; i < 20; i++) {
    const client = await plane.connect();
    const keys = Array.from({ length: 20 }, (_, k) => `k${i}:${k}`);
    void client.request("MGET", ...keys);
    void client.request("GET", keys[0]!);
    if (i % 2 === 0) client.close();
    else client.reset();
  }
  await plane.expectIdle();
});

test("preconnect to a server that is not there is no failure of a request", async () => {
  const path = join(temporaryFolder("nothing"), "redis.sock");
  using plane = await DataPlane.start({
    servers: [`${path}:1 s0`],
    preconnect: true,
  });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe(NOT_THERE);
  expect(plane.log.filter((line) => line.includes("server.ts:3"))).toEqual([
    `warn server.ts:3 pool 'alpha': server 's0' (${path}): connect to server '${path}:1' failed, ` +
      "ignored: No such file or directory",
  ]);
  client.close();
  await plane.expectIdle();
});

test("a server that comes up later is used by the next request", async () => {
  const port = freePort();
  using plane = await DataPlane.start({ servers: [`127.0.0.1:${port}:1 s0`] });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe("-ERR Connection refused\r\n");
  using server = ScriptedServer.start((peer, args) => peer.write(bulk(args[1]!)), { port });
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  expect(server.peers.length).toBe(1);
  client.close();
  await plane.expectIdle();
});

test("a server that fails with every request is not warned of with every request", async () => {
  using plane = await DataPlane.start({ servers: [`127.0.0.1:${freePort()}:1 s0`] });
  const client = await plane.connect();
  for (let i = 0; i < 50; i++) await client.call("GET", "a");
  expect(plane.counters().serverErr).toBe(50);
  const lines = plane.log.filter((line) => line.includes("server.ts:4"));
  expect(lines.length).toBe(50);
  const warnings = plane.log.filter((line) => line.startsWith("warn"));
  expect(warnings[0]).toStartWith("warn server-trouble.ts:1 pool 'alpha': server 's0' (127.0.0.1:");
  expect(warnings[0]).toEndWith(") begins to fail: Connection refused");
  expect(warnings.length).toBeLessThan(5);
  expect(plane.log.join("\n").match(/begins to fail/g)).toHaveLength(1);
  client.close();
  await plane.expectIdle();
});
