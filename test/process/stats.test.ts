/**
 * The stats of a running proxy against those of Debian's nutcracker: same names, same order, same
 * blanks, for the same configuration; ours have the state of each server behind its numbers, and
 * what the process has in use behind its connections.
 */
import { expect, test } from "bun:test";
import { hostname } from "node:os";
import { eventuallyHolds } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { poolsToYaml, Proxy, type ProxyProgram } from "../support/run-proxy.ts";
import { RedisServer } from "../support/redis-server.ts";

const POOLS = {
  gamma: { servers: ["127.0.0.1:1:1", "127.0.0.1:2:1 short", "127.0.0.1:3:2 longer-name"] },
  be: { servers: ["127.0.0.1:11211:1", "localhost:4:1"] },
  alpha: { servers: ["/nonexistent/a.sock:1", "/nonexistent/b.sock:1 b"] },
};

async function statsText(program?: ProxyProgram): Promise<string> {
  await using proxy = await Proxy.start({ pools: POOLS, ...(program ? { program } : {}) });
  return await proxy.statsText();
}

test.skipIf(nutcracker === null)(
  `an idle proxy's stats differ in the time only${ORACLE_ABSENT}`,
  async () => {
    const steady = (text: string) => text.replace(/"(uptime|timestamp)":\d+/g, '"$1":N');
    const ours = steady(await statsText());
    expect(ours.match(/"server_state":"healthy"/g)).toHaveLength(7);
    const process = /, "buffer_bytes":0, .*?, "descriptors_max":\d+(?=, ")/;
    expect(ours).toMatch(process);
    expect(ours.replace(process, "").replaceAll(', "server_state":"healthy"', "")).toBe(
      steady(await statsText(nutcracker ?? [])),
    );
  },
);

test("the head tells the truth", async () => {
  await using proxy = await Proxy.start({ pools: POOLS });
  const before = Math.floor(Date.now() / 1000);
  const stats = await proxy.stats();
  expect(stats["service"]).toBe("nutcracker");
  expect(stats["source"]).toBe(hostname());
  expect(stats["version"]).toBe("0.5.0");
  expect(stats["uptime"]).toBeLessThan(60);
  expect(Math.abs(Number(stats["timestamp"]) - before)).toBeLessThan(60);
});

test("numbers are exact at any time, whatever -i says", async () => {
  await using redis = await RedisServer.start();
  await using proxy = await Proxy.start({
    pools: { alpha: { servers: [`${redis.item}:1 one`] } },
    statsIntervalMs: 30_000,
  });
  const client = await proxy.connect();
  for (let count = 1; count <= 5; count++) {
    expect(await client.call("SET", "key", "value")).toBe("+OK\r\n");
    const { requests, responses } = await proxy.serverStats("one");
    expect([requests, responses]).toEqual([count, count]);
  }
  expect((await proxy.poolStats())["client_connections"]).toBe(1);
});

test.each(["1", "2"])("what -w %s has in use, and may have", async (workers) => {
  await using redis = await RedisServer.start();
  await using proxy = await Proxy.start({
    config: `max_buffer_memory: 64mb\n${poolsToYaml({
      alpha: { listen: `127.0.0.1:${freePort()}`, servers: [`${redis.item}:1 one`] },
    })}`,
    args: ["-w", workers],
  });
  const before = await proxy.stats();
  expect(before["buffer_bytes_max"]).toBe(64 * 1024 * 1024);
  expect(before["waiting_clients"]).toBe(0);
  expect(Number(before["descriptors_max"])).toBeGreaterThan(Number(before["descriptors"]));
  const client = await proxy.connect();
  // Half a request is kept.
  void client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n${"x".repeat(50_000)}`);
  await eventuallyHolds(async () => {
    const stats = await proxy.stats();
    expect(Number(stats["buffer_bytes"])).toBeGreaterThanOrEqual(50_000);
    expect(stats["descriptors"]).toBe(Number(before["descriptors"]) + 1);
  });
  client.close();
  await eventuallyHolds(async () => {
    const { buffer_bytes, descriptors } = await proxy.stats();
    expect([buffer_bytes, descriptors]).toEqual([0, before["descriptors"]]);
  });
});
