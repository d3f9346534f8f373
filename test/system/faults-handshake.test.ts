/**
 * Faults while a connection says AUTH and SELECT: requests that wait for it get an error, none goes
 * out before both are answered, and the first connection that is fine again serves all.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import type { Fault } from "../support/fault-proxy.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";

const PASSWORD = "secret";

const ENDING: readonly (readonly [string, Fault])[] = [
  ["garbage", { kind: "garbage" }],
  ["garbage of a known kind", { kind: "garbage", bytes: Buffer.from("$2\r\nlong\r\n") }],
  ["reset", { kind: "reset" }],
  ["reset at once", { kind: "reset", place: "at once" }],
  ["half-close", { kind: "halfClose" }],
  ["half-close instead of a reply", { kind: "halfClose", place: "instead" }],
  ["truncate", { kind: "truncate" }],
  ["blackhole", { kind: "blackhole" }],
  ["blackhole at once", { kind: "blackhole", place: "at once" }],
  ["stall", { kind: "stall" }],
  ["refuse", { kind: "refuse" }],
];

test("every fault in the handshake", async () => {
  await using redis = await RedisServer.start({ requirepass: PASSWORD });
  await using faults = FaultProxy.start(redis.port);
  await using proxy = await Proxy.start({
    pools: {
      alpha: {
        servers: [`${faults.item}:1 s0`],
        redis_auth: PASSWORD,
        redis_db: 3,
        timeout: 1000,
      },
    },
  });
  const [client, other] = await Promise.all([proxy.connect(), proxy.connect()]);
  for (const each of [client, other]) expect(await each.call("AUTH", PASSWORD)).toBe("+OK\r\n");
  for (const [name, fault] of ENDING) {
    await redis.command("CONFIG", "RESETSTAT");
    faults.set({ kind: "reset", place: "at once" });
    faults.set(fault);
    const requests = [["INCR", "counter"], ["GET", "counter"], ["PING"]];
    const [first, second] = await Promise.all([
      client.pipeline(requests),
      other.pipeline(requests),
    ]);
    for (const replies of [first, second]) {
      expect(replies, name).toEqual([
        expect.stringMatching(/^-ERR /),
        expect.stringMatching(/^-ERR /),
        "+PONG\r\n",
      ]);
    }
    faults.set({ kind: "none" });
    await eventually(async () => (await client.call("SET", "name", name)) === "+OK\r\n");
    expect(await other.call("GET", "name"), name).toBe(bulk(name));
    expect(await other.call("EXISTS", "counter"), name).toBe(":0\r\n");
  }
  expect(await redis.keys(3)).toEqual(["name"]);
  expect(await redis.keys(0)).toEqual([]);
  expect(proxy.log).not.toMatch(/handler.* failed/);
}, 30_000);

test("a handshake in pieces and late is a handshake", async () => {
  await using redis = await RedisServer.start({ requirepass: PASSWORD });
  await using faults = FaultProxy.start(redis.port);
  await using proxy = await Proxy.start({
    pools: { alpha: { servers: [`${faults.item}:1 s0`], redis_auth: PASSWORD, redis_db: 3 } },
  });
  const client = await proxy.connect();
  expect(await client.call("AUTH", PASSWORD)).toBe("+OK\r\n");
  const paces: readonly Fault[] = [
    { kind: "byteByByte" },
    { kind: "delay", ms: 30, jitterMs: 30 },
    { kind: "slow", bytesPerSecond: 200 },
  ];
  for (const fault of paces) {
    faults.set({ kind: "reset", place: "at once" });
    await eventually(() => faults.openConnections === 0);
    faults.set(fault);
    expect(
      await client.pipeline([
        ["SET", "a", fault.kind],
        ["GET", "a"],
      ]),
    ).toEqual(["+OK\r\n", bulk(fault.kind)]);
  }
  expect(await redis.keys(3)).toEqual(["a"]);
});
