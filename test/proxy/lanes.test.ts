/**
 * Connections of lanes that are not the pool's own: when they close.
 */
import { expect, test } from "bun:test";
import { nowMs } from "../../src/lib/clock.ts";
import type { Lane } from "../../src/proxy/lane.ts";
import { LANE_IDLE_MS, LANES_MAX } from "../../src/proxy/lane.ts";
import { eventually } from "../support/eventually.ts";
import { bulk } from "../support/resp.ts";
import type { Peer } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

test("a connection of another lane closes when unused, also after a long request", async () => {
  const waiting: Peer[] = [];
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "SELECT") peer.write("+OK\r\n");
    else if (args[1] === "slow") waiting.push(peer);
    else peer.write(bulk(args[1]!));
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  expect(await client.call("SELECT", "5")).toBe("+OK\r\n");
  void client.request("GET", "slow");
  await eventually(() => waiting.length === 1);
  expect(plane.counters().serverConnections).toBe(2);
  // Whatever the timer finds while the request waits: it must come again.
  const [s0] = plane.pool.servers;
  let nextMs = s0!.expire(nowMs() + LANE_IDLE_MS);
  expect(nextMs).toBeLessThanOrEqual(nowMs() + 2 * LANE_IDLE_MS);
  expect(plane.counters().serverConnections).toBe(2);
  waiting[0]!.write(bulk("slow"));
  expect(await client.readReply()).toBe(bulk("slow"));
  nextMs = s0!.expire(nowMs());
  expect(nextMs).toBeLessThanOrEqual(nowMs() + LANE_IDLE_MS);
  // The pool's own lane stays open for ever.
  expect(s0!.expire(nextMs)).toBe(Infinity);
  expect(plane.counters()).toMatchObject({ serverConnections: 1, serverErr: 0, serverEof: 0 });
  expect(await client.call("GET", "b")).toBe(bulk("b"));
  client.close();
  await plane.expectIdle();
});

test("lanes that nobody uses make room for others, those in use do not", async () => {
  const databases = new Map<Peer, string>();
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "SELECT") databases.set(peer, args[1]!);
    peer.write(args[0] === "SELECT" ? "+OK\r\n" : bulk(databases.get(peer) ?? "0"));
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  // Without a request a lane has no connection, and is free as soon as its client has moved on.
  for (let database = 0; database < 4 * LANES_MAX; database++) {
    expect(await client.call("SELECT", String(database))).toBe("+OK\r\n");
  }
  const stays = await plane.connect();
  expect(await stays.call("SELECT", "1000")).toBe("+OK\r\n");
  expect(await stays.call("GET", "a")).toBe(bulk("1000"));
  let database = 0;
  while ((await client.call("SELECT", String(++database))) === "+OK\r\n") {
    expect(await client.call("GET", "a")).toBe(bulk(String(database)));
  }
  expect(database).toBe(LANES_MAX - 1);
  // Unused connections close; then each lane is another one's.
  const [s0] = plane.pool.servers;
  s0!.expire(nowMs() + LANE_IDLE_MS);
  expect(plane.counters().serverConnections).toBeLessThanOrEqual(1);
  for (let other = 500; other < 500 + LANES_MAX - 2; other++) {
    expect(await client.call("SELECT", String(other))).toBe("+OK\r\n");
    expect(await client.call("GET", "a")).toBe(bulk(String(other)));
    expect(await stays.call("GET", "a")).toBe(bulk("1000"));
  }
  stays.close();
  client.close();
  await plane.expectIdle();
  for (const lane of lanesOf(plane)) {
    if (lane.index > 0) expect(lane.users).toBeLessThanOrEqual(1);
  }
  s0!.expire(nowMs() + LANE_IDLE_MS);
  expect(lanesOf(plane).reduce((sum, lane) => sum + lane.users, 0)).toBe(0);
});

function lanesOf(plane: DataPlane): readonly Lane[] {
  return (plane.pool.lanes as unknown as { readonly lanes: readonly Lane[] }).lanes;
}
