/**
 * What the log says of a server that fails and comes back, in pools that eject it or do not.
 */
import { expect, test } from "bun:test";
import type { ServerConfig } from "../../src/config/config.ts";
import { nowMs } from "../../src/lib/clock.ts";
import type { Logger } from "../../src/log/logger.ts";
import { failureOf, SERVER_CLOSED } from "../../src/protocol/failure.ts";
import { labelOf, ServerTrouble, WARN_PAUSE_MS } from "../../src/proxy/server-trouble.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { bulk } from "../support/resp.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

/** Lines that are seen at the level that is set without -v. */
function shown(lines: readonly string[]): string[] {
  return lines.filter((line) => /^(warn|notice|error) server/.test(line));
}

function setUp() {
  const lines: string[] = [];
  const clock = { nowMs: 5_000_000 };
  const keep = (level: string) => (_place: string, text: string) => lines.push(`${level} ${text}`);
  const log = { warn: keep("warn"), notice: keep("notice"), info: keep("info") };
  const turn = { now: () => clock.nowMs };
  const trouble = new ServerTrouble("S", log as unknown as Logger, turn as never);
  return { lines, clock, trouble };
}

test("a pool without ejection: one warning at the beginning, one notice at the end", async () => {
  const port = freePort();
  using plane = await DataPlane.start({ servers: [`127.0.0.1:${port}:1 s0`] });
  const client = await plane.connect();
  for (let i = 0; i < 7; i++) await client.call("GET", "a");
  const label = `pool 'alpha': server 's0' (127.0.0.1:${port})`;
  const began = `warn server-trouble.ts:1 ${label} begins to fail: Connection refused`;
  expect(shown(plane.log)[0]).toBe(began);
  using server = ScriptedServer.start((peer, args) => peer.write(bulk(args[1]!)), { port });
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  const ended = `notice server-trouble\\.ts:2 .* answers again after \\d+ msec and 7 failures$`;
  expect(shown(plane.log).at(-1)).toMatch(new RegExp(`^${ended}`));
  expect(shown(plane.log).length).toBeLessThan(5);
  const count = plane.log.length;
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  expect(plane.log.length).toBe(count);
  expect(server.requests).toHaveLength(2);
  client.close();
});

test("a server that times out says so once, and when it answers again", async () => {
  const isSilent = { now: true };
  using server = ScriptedServer.start((peer, args) => {
    if (!isSilent.now) peer.write(bulk(args[1]!));
  });
  // The second request has to be in time, so the first one is helped to be late.
  const timeout = 60_000;
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], timeout });
  const client = await plane.connect();
  void client.request("GET", "a");
  await eventually(() => server.requests.length === 1);
  plane.pool.servers[0]!.expire(nowMs() + timeout);
  expect(await client.readReply()).toBe("-ERR Connection timed out\r\n");
  plane.pool.servers[0]!.expire(nowMs() + 2 * timeout);
  expect(plane.counters().serverConnections).toBe(0);
  isSilent.now = false;
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  const lines = shown(plane.log).map((line) => line.replace(/^.*\) /, ""));
  expect(lines[0]).toBe("begins to fail: Connection timed out");
  expect(lines.at(-1)).toMatch(/^answers again after \d+ msec and [12] failures?$/);
  client.close();
});

test("all servers ejected is a line of its own", async () => {
  const servers = [`127.0.0.1:${freePort()}:1 s0`, `127.0.0.1:${freePort()}:1 s1`];
  using plane = await DataPlane.start({
    servers,
    eject_policy: "fail_fast",
    server_failure_limit: 1,
  });
  const client = await plane.connect();
  const all = () => plane.log.filter((line) => line.includes("server-pool.ts:4"));
  for (let i = 0; all().length === 0; i++) {
    expect(i).toBeLessThan(1000);
    await client.call("GET", `k${i}`);
  }
  expect(await client.call("GET", "a")).toMatch(/^-ERR Server 's[01]' is ejected\r\n$/);
  expect(all()).toEqual([
    "warn server-pool.ts:4 pool 'alpha': all 2 servers are ejected, every request gets an error",
  ]);
  client.close();
});

test("server_retry_timeout 0 does not fill the log", async () => {
  using plane = await DataPlane.start({
    servers: [`127.0.0.1:${freePort()}:1 s0`],
    auto_eject_hosts: true,
    server_failure_limit: 1,
    server_retry_timeout: 0,
  });
  const client = await plane.connect();
  for (let i = 0; i < 30; i++) await client.call("GET", "a");
  const lines = plane.log.filter((line) => line.includes("server-pool.ts:3"));
  expect(lines).toHaveLength(30);
  expect(lines.filter((line) => line.startsWith("notice")).length).toBeLessThan(5);
  client.close();
});

test("a name that does not resolve is called so in the log, and as nutcracker does to clients", async () => {
  using plane = await DataPlane.start({ servers: ["no.such.host.invalid:6379:1 s0"] });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe("-ERR Host is down\r\n");
  expect(shown(plane.log)).toEqual([
    "warn server-trouble.ts:1 pool 'alpha': server 's0' (no.such.host.invalid:6379) " +
      "begins to fail: its name does not resolve",
  ]);
  client.close();
});

test("a beginning within the pause is info, and so is its end; a later warning brings it back", () => {
  const { lines, clock, trouble } = setUp();
  trouble.failed(SERVER_CLOSED, true, false);
  trouble.answered();
  trouble.failed(failureOf("ECONNREFUSED"), true, false);
  trouble.answered();
  trouble.failed(failureOf("ECONNREFUSED"), true, false);
  clock.nowMs += WARN_PAUSE_MS;
  trouble.failed(failureOf("ECONNREFUSED"), false, false);
  trouble.warn("x", "detail");
  trouble.answered();
  expect(lines).toEqual([
    "warn S begins to fail: closed by the server",
    "notice S answers again after 0 msec and 1 failure",
    "info S begins to fail: Connection refused",
    "info S answers again after 0 msec and 1 failure",
    "info S begins to fail: Connection refused",
    "warn detail",
    "notice S answers again after 1000 msec and 2 failures",
  ]);
});

test("a server without a name is not called twice", () => {
  const server = (name: string, address: ServerConfig["address"]) =>
    labelOf("p", { name, address, displayName: "", weight: 1 });
  const tcp = { kind: "tcp", host: "h", port: 1 } as const;
  expect(server("h:1", tcp)).toBe("pool 'p': server 'h:1'");
  expect(server("n", tcp)).toBe("pool 'p': server 'n' (h:1)");
  expect(server("n", { kind: "unix", path: "/s" })).toBe("pool 'p': server 'n' (/s)");
});

test("a handshake that is refused: the line names pool and server", async () => {
  using server = ScriptedServer.start((peer) => peer.write("-ERR invalid password\r\n"));
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`], redis_db: 2 });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe("-ERR invalid password\r\n");
  const label = `pool 'alpha': server 's0' (${server.item})`;
  expect(shown(plane.log)).toEqual([
    `warn server.ts:2 ${label}: handshake failed: ERR invalid password`,
  ]);
  client.close();
});

test("one client too many: the line names the pool", async () => {
  using server = ScriptedServer.start((peer, args) => peer.write(bulk(args[1]!)));
  using plane = await DataPlane.start({ servers: [`${server.item}:1`], client_connections: 1 });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  const other = await plane.connect();
  expect(await other.readReply()).toBe("-ERR max number of clients reached\r\n");
  const { text } = plane.pool.config.listen;
  expect(plane.log.at(-1)).toBe(
    `warn listener.ts:3 pool 'alpha' on '${text}': client connections 2 exceed limit 1`,
  );
  client.close();
  other.close();
});
