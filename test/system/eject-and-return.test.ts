/**
 * auto_eject_hosts: a failing server leaves the ring and comes back.
 */
import { expect, test } from "bun:test";
import { wallClockUs } from "../../src/lib/clock.ts";
import { eventually } from "../support/eventually.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";

const REFUSED = "-ERR Connection refused\r\n";

function start(
  settings: Record<string, number | string | boolean> = {},
  args: readonly string[] = [],
): Promise<RedisPool> {
  const pool = { auto_eject_hosts: true, server_failure_limit: 2, server_retry_timeout: 30_000 };
  return RedisPool.start({ servers: 3, pool: { ...pool, ...settings }, args });
}

test("after server_failure_limit failures its keys go to the others", async () => {
  await using pool = await start();
  const [dead, alive] = await Promise.all([pool.keysOf(2, 10), pool.keysOf(0, 10)]);
  await pool.fill(alive);
  await pool.server(2).kill();
  const client = await pool.connect();
  // The open connection ended while it was idle, which is no failure.
  await pool.proxy.untilNotConnected("s2");
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 0 });
  const startedUs = wallClockUs() - 2_000_000;
  expect(await client.call("SET", dead[0] as string, "x")).toBe(REFUSED);
  expect(await client.call("SET", dead[1] as string, "x")).toBe(REFUSED);
  for (const key of dead) expect(await client.call("SET", key, valueOf(key))).toBe("+OK\r\n");
  expect(await client.call("MGET", dead[3] as string, alive[0] as string)).toBe(
    `*2\r\n${bulk(valueOf(dead[3] as string))}${bulk(valueOf(alive[0] as string))}`,
  );
  // Keys of the others did not move.
  for (const key of alive) expect(await client.call("GET", key)).toBe(bulk(valueOf(key)));
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 1, forward_error: 2 });
  const { server_ejected_at: ejectedAt } = await pool.proxy.serverStats("s2");
  expect(ejectedAt).toBeGreaterThan(startedUs);
  expect(ejectedAt).toBeLessThan(wallClockUs() + 2_000_000);
  client.close();
});

test("when it answers a probe it is back, and has its keys", async () => {
  await using pool = await start({ server_retry_timeout: 100 }, ["-v", "6"]);
  const [key, other] = (await pool.keysOf(1, 2)) as [string, string];
  await pool.server(1).kill();
  const client = await pool.connect();
  await eventually(async () => (await client.call("SET", key, "elsewhere")) === "+OK\r\n");
  // Still down: probes find that out, and no request does.
  const states = new Set<unknown>();
  await eventually(async () => {
    expect(await client.call("GET", key)).toBe(bulk("elsewhere"));
    states.add((await pool.proxy.serverStats("s1"))["server_state"]);
    return (pool.proxy.log.match(/server\.ts:8/g) ?? []).length >= 3;
  });
  expect([...states].filter((state) => state !== "ejected" && state !== "probing")).toEqual([]);
  expect((await pool.proxy.poolStats())["server_ejects"]).toBe(1);
  await pool.server(1).restart();
  await eventually(async () => {
    await client.call("SET", other, "at home");
    return (await pool.server(1).keys()).includes(other);
  });
  expect(await client.call("GET", key)).toBe("$-1\r\n");
  client.close();
});

test("a success in between starts the count anew", async () => {
  await using pool = await start();
  const [key] = (await pool.keysOf(0, 1)) as [string];
  const client = await pool.connect();
  for (let round = 0; round < 4; round++) {
    await pool.server(0).kill();
    await pool.proxy.untilNotConnected("s0");
    expect(await client.call("GET", key)).toBe(REFUSED);
    await pool.server(0).restart();
    expect(await client.call("SET", key, "1")).toBe("+OK\r\n");
  }
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 0 });
  client.close();
});

test("several requests that fail with one connection are one failure", async () => {
  await using pool = await start();
  const keys = await pool.keysOf(0, 5);
  await pool.server(0).kill();
  await pool.proxy.untilNotConnected("s0");
  const client = await pool.connect();
  const replies = await client.pipeline(keys.map((key) => ["GET", key]));
  expect(replies).toEqual(keys.map(() => REFUSED));
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 0 });
  expect(await client.call("GET", keys[0] as string)).toBe(REFUSED);
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 1 });
  client.close();
});

test("idle connections that a server closes are no failures", async () => {
  await using pool = await start({ server_failure_limit: 1 });
  const [key] = (await pool.keysOf(0, 1)) as [string];
  await pool.fill([key]);
  const client = await pool.connect();
  for (let round = 0; round < 3; round++) {
    await pool.server(0).command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await pool.proxy.untilNotConnected("s0");
    expect(await client.call("GET", key)).toBe(bulk(valueOf(key)));
  }
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 0, forward_error: 0 });
  client.close();
});

test("timeouts count, too", async () => {
  await using pool = await start({ timeout: 1000 });
  const [key] = (await pool.keysOf(0, 1)) as [string];
  const client = await pool.connect();
  pool.server(0).freeze();
  const late = "-ERR Connection timed out\r\n";
  expect(await client.call("GET", key)).toBe(late);
  expect(await client.call("GET", key)).toBe(late);
  expect(await client.call("SET", key, "elsewhere")).toBe("+OK\r\n");
  pool.server(0).thaw();
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 1 });
  client.close();
});

test("with every server ejected, one that came back is used at once", async () => {
  await using pool = await start({ server_failure_limit: 1 });
  const keys = (await Promise.all([0, 1, 2].map((server) => pool.keysOf(server, 1)))).flat();
  await Promise.all(pool.servers.map((server) => server.kill()));
  for (const server of ["s0", "s1", "s2"]) await pool.proxy.untilNotConnected(server);
  const client = await pool.connect();
  for (let round = 0; round < 3; round++) {
    for (const key of keys) expect(await client.call("GET", key)).toBe(REFUSED);
  }
  expect(await client.call("MGET", ...keys)).toBe(REFUSED);
  await Promise.all(pool.servers.map((server) => server.restart()));
  for (const key of keys) expect(await client.call("SET", key, "1")).toBe("+OK\r\n");
  client.close();
});

test("without auto_eject_hosts nothing is counted and nothing moves", async () => {
  await using pool = await start({ auto_eject_hosts: false, server_failure_limit: 1 });
  const [key] = (await pool.keysOf(1, 1)) as [string];
  await pool.server(1).kill();
  await pool.proxy.untilNotConnected("s1");
  const client = await pool.connect();
  for (let round = 0; round < 10; round++) expect(await client.call("GET", key)).toBe(REFUSED);
  await pool.server(1).restart();
  expect(await client.call("SET", key, "1")).toBe("+OK\r\n");
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 0 });
  expect(await pool.proxy.serverStats("s1")).toMatchObject({ server_ejected_at: 0 });
  client.close();
});
