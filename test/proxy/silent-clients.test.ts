/**
 * Clients that say nothing: which of them are ended, which are not, and when the timer runs.
 */
import { expect, test } from "bun:test";
import { nowMs } from "../../src/lib/clock.ts";
import { IdleSweep, Silence } from "../../src/proxy/idle-sweep.ts";
import { CLIENT_REQUESTS_MAX } from "../../src/proxy/limits.ts";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

const LIMIT_MS = 200;
/** Where something comes in time, however busy the machine is. */
const PATIENT_LIMIT_MS = 1000;
const NOWHERE = ["127.0.0.1:1:1 s0"];

/** Waits until so much time is over, and a sweep more. */
async function pass(ms = 2 * LIMIT_MS): Promise<void> {
  const endMs = nowMs() + ms;
  await eventually(() => nowMs() > endMs);
}

test("an idle client is closed, in good order, and it is in the log", async () => {
  using plane = await DataPlane.start({ servers: NOWHERE, client_idle_timeout: LIMIT_MS });
  const startMs = nowMs();
  const client = await plane.connect();
  expect(await client.readToEnd()).toBe("");
  expect(nowMs() - startMs).toBeGreaterThanOrEqual(LIMIT_MS);
  const line = plane.log.find((text) => text.includes("listener.ts:5"));
  expect(line).toMatch(
    /^info listener\.ts:5 client 127\.0\.0\.1:\d+ was idle for \d+ msec: closed$/,
  );
  client.close();
  await plane.expectIdle();
  expect(plane.pool.counters).toMatchObject({ clientErr: 1, clientEof: 0 });
});

test("without client_idle_timeout a client may be idle as long as it likes", async () => {
  using plane = await DataPlane.start({ servers: NOWHERE }, { requestStallMs: LIMIT_MS });
  const client = await plane.connect();
  await pass();
  expect(await client.call("PING")).toBe("+PONG\r\n");
  await pass();
  await client.expectOpen();
  client.close();
  await plane.expectIdle();
});

test.each(["*2\r\n$3\r\nGET\r\n$10\r\nabc", "*", "PIN", "*1\r\n$4\r\nPING\r\n*1\r\n"])(
  "half a request and nothing more is cut off: %j",
  async (bytes) => {
    using plane = await DataPlane.start({ servers: NOWHERE }, { requestStallMs: LIMIT_MS });
    const client = await plane.connect();
    await client.send(bytes);
    expect(await client.readToEnd()).toBe(bytes.includes("PING") ? "+PONG\r\n" : "");
    expect(plane.log.join("\n")).toMatch(/ was in the middle of a request for \d+ msec: closed/);
    await plane.expectIdle();
  },
);

test("who sends something from time to time is neither idle nor cut off", async () => {
  using plane = await DataPlane.start(
    { servers: NOWHERE, client_idle_timeout: PATIENT_LIMIT_MS },
    { requestStallMs: PATIENT_LIMIT_MS },
  );
  const client = await plane.connect();
  const startMs = nowMs();
  for (const byte of "*2\r\n$4\r\nPING\r\n$4\r\nslow\r\n") {
    await client.send(byte);
    await pass(PATIENT_LIMIT_MS / 10);
  }
  expect(nowMs() - startMs).toBeGreaterThan(2 * PATIENT_LIMIT_MS);
  expect(await client.readReply()).toBe("$4\r\nslow\r\n");
  client.close();
  await plane.expectIdle();
});

test("a client that waits for a reply is not idle, and has its time after the reply", async () => {
  let answer = () => {};
  using server = ScriptedServer.start((peer, args) => {
    answer = () => peer.write(bulk(args[1]!));
  });
  using plane = await DataPlane.start({
    servers: [`${server.item}:1 s0`],
    client_idle_timeout: PATIENT_LIMIT_MS,
  });
  const client = await plane.connect();
  void client.request("GET", "a");
  await pass(1.5 * PATIENT_LIMIT_MS);
  answer();
  expect(await client.readReply()).toBe(bulk("a"));
  await pass(PATIENT_LIMIT_MS / 4);
  void client.request("GET", "b");
  await pass(PATIENT_LIMIT_MS / 10);
  answer();
  expect(await client.readReply()).toBe(bulk("b"));
  expect(await client.readToEnd()).toBe("");
  await plane.expectIdle();
});

test("half a request behind one that waits is cut off, and the reply still comes", async () => {
  let answer = () => {};
  using server = ScriptedServer.start((peer, args) => {
    answer = () => peer.write(bulk(args[1]!));
  });
  using plane = await DataPlane.start(
    { servers: [`${server.item}:1 s0`], client_idle_timeout: 60_000 },
    { requestStallMs: LIMIT_MS },
  );
  const client = await plane.connect();
  await client.send("GET a\r\nGET b");
  await eventually(() => plane.log.join("\n").includes(" in the middle of a request "));
  answer();
  expect(await client.readToEnd()).toBe(bulk("a"));
  await plane.expectIdle();
});

test("a client that does not read its replies is not idle", async () => {
  await using redis = await RedisServer.start();
  const value = "x".repeat(3_000_000);
  await redis.command("SET", "a", value);
  using plane = await DataPlane.start({
    servers: [`${redis.item}:1 s0`],
    client_idle_timeout: LIMIT_MS,
  });
  const client = await plane.connect();
  client.pause();
  for (let i = 0; i < 4; i++) void client.request("GET", "a");
  await pass();
  client.resume();
  client.deadlineMs = 20_000;
  for (let i = 0; i < 4; i++) expect((await client.readReply()).length).toBe(bulk(value).length);
  expect(await client.readToEnd()).toBe("");
  await plane.expectIdle();
}, 30_000);

test("a client that is not read from is not cut off", async () => {
  const held: (() => void)[] = [];
  let isHolding = true;
  using server = ScriptedServer.start((peer, args) => {
    const answer = () => peer.write(bulk(args[1]!));
    if (isHolding) held.push(answer);
    else answer();
  });
  using plane = await DataPlane.start(
    { servers: [`${server.item}:1 s0`], client_idle_timeout: PATIENT_LIMIT_MS },
    { requestStallMs: PATIENT_LIMIT_MS },
  );
  const client = await plane.connect();
  const count = 2 * CLIENT_REQUESTS_MAX;
  void client.send(`${"GET a\r\n".repeat(count)}GET b`);
  await eventually(() => held.length > 0);
  await pass(1.5 * PATIENT_LIMIT_MS);
  expect(held.length).toBeLessThan(count);
  expect(plane.listener.clients.size).toBe(1);
  isHolding = false;
  for (const answer of held.splice(0)) answer();
  await client.send("\r\n");
  expect(await client.readExactly((count + 1) * bulk("a").length)).toBeDefined();
  client.close();
  await plane.expectIdle();
});

test("half a request and client_idle_timeout: the shorter of the two limits", async () => {
  using plane = await DataPlane.start(
    { servers: NOWHERE, client_idle_timeout: LIMIT_MS },
    { requestStallMs: 60_000 },
  );
  const client: RawClient = await plane.connect();
  await client.send("GET");
  expect(await client.readToEnd()).toBe("");
  await plane.expectIdle();
});

test("no client, no timer; many clients, few sweeps", async () => {
  let looks = 0;
  const client = {
    lastActiveMs: nowMs(),
    get silence() {
      looks++;
      return Silence.Waiting;
    },
  };
  const clients = new Set<typeof client>();
  const sweep = new IdleSweep(clients, { idleMs: 0, unfinishedMs: LIMIT_MS }, () => {});
  await pass();
  expect(looks).toBe(0);
  clients.add(client);
  const startMs = nowMs();
  for (let i = 0; i < 1000; i++) sweep.clientAdded(nowMs());
  await pass(4.5 * LIMIT_MS);
  expect(looks).toBeGreaterThanOrEqual(1);
  expect(looks).toBeLessThanOrEqual((nowMs() - startMs) / LIMIT_MS);
  clients.delete(client);
  await pass();
  const before = looks;
  await pass();
  expect(looks).toBe(before);
  sweep.stop();
});
