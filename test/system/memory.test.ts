/**
 * Resident memory of a real process: what a burst took comes back, and clients that ask for much
 * and read nothing take little.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";

const MB = 1024 * 1024;
const CLIENTS = 50;
const VALUES = Array.from({ length: 8 }, (_, i) => Buffer.from(bulk(String(i).repeat(MB))));

function residentBytes({ pid }: Proxy): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

async function serverWithLargeValues(): Promise<RedisServer> {
  const redis = await RedisServer.start();
  await redis.command("SET", "small", "small");
  for (let i = 0; i < 8; i++) await redis.command("SET", `k${i}`, String(i).repeat(MB));
  return redis;
}

/** Reads 1 MB values in pipelines of ten; each is checked. */
async function read(client: RawClient, count: number): Promise<void> {
  for (let i = 0; i < count; i += 10) {
    await client.send(
      "".concat(...Array.from({ length: 10 }, (_, j) => `GET k${(i + j) % 8}\r\n`)),
    );
    for (let j = 0; j < 10; j++) {
      const reply = await client.readReplyBytes();
      expect(reply.equals(VALUES[(i + j) % 8]!)).toBe(true);
    }
  }
}

test("ten seconds after 1 GB went through, memory is what it was, give or take 40 MB", async () => {
  await using redis = await serverWithLargeValues();
  await using proxy = await Proxy.start({ pools: { alpha: { servers: [`${redis.item}:1`] } } });
  const warm = await proxy.connect();
  for (let i = 0; i < 100; i++) await warm.call("GET", "small");
  const before = residentBytes(proxy);
  const clients = await Promise.all(Array.from({ length: 10 }, () => proxy.connect()));
  await Promise.all(
    clients.map((client) => {
      client.deadlineMs = 60_000;
      return read(client, 100);
    }),
  );
  const limit = before + 40 * MB;
  await eventually(() => residentBytes(proxy) < limit, { deadlineMs: 10_000, what: "memory back" });
  for (const client of [warm, ...clients]) client.close();
}, 90_000);

test("clients that ask for 1 MB values in deep pipelines and never read cost little", async () => {
  await using redis = await serverWithLargeValues();
  await using proxy = await Proxy.start({ pools: { alpha: { servers: [`${redis.item}:1`] } } });
  const other = await proxy.connect();
  other.deadlineMs = 20_000;
  expect(await other.call("GET", "small")).toBe(bulk("small"));
  const idle = residentBytes(proxy);
  const greedy = await Promise.all(Array.from({ length: CLIENTS }, () => proxy.connect()));
  for (const client of greedy) {
    client.pause();
    void client
      .send("".concat(...Array.from({ length: 1000 }, (_, i) => `GET k${i % 8}\r\n`)))
      .catch(() => {});
  }
  let largest = 0;
  for (let i = 0; i < 3000; i++) {
    expect(await other.call("GET", "small")).toBe(bulk("small"));
    if (i % 10 === 0) largest = Math.max(largest, residentBytes(proxy));
  }
  expect(largest).toBeLessThan(idle + 300 * MB);
  for (const client of greedy) client.reset();
  await eventually(async () => {
    const { alpha } = await proxy.stats();
    return (alpha as Record<string, number>)["client_connections"] === 1;
  });
  other.close();
}, 90_000);
