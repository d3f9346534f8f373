/**
 * The stats port: valid at any moment, exact, with nutcracker's names at every level.
 */
import { expect, test } from "bun:test";
import { hostname } from "node:os";
import { wallClockMs } from "../../src/lib/clock.ts";
import { PROCESS_METRICS } from "../../src/stats/metrics.ts";
import { eventually } from "../support/eventually.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { RedisServer } from "../support/redis-server.ts";
import { encodeRequest } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";

const POOL_NAMES = [
  "client_eof",
  "client_err",
  "client_connections",
  "server_ejects",
  "forward_error",
  "fragments",
];
const SERVER_NAMES = [
  "server_eof",
  "server_err",
  "server_timedout",
  "server_connections",
  "server_ejected_at",
  "requests",
  "request_bytes",
  "responses",
  "response_bytes",
  "in_queue",
  "in_queue_bytes",
  "out_queue",
  "out_queue_bytes",
  "server_state",
];

test("names, their order, and the shape of the text", async () => {
  await using redis = await RedisServer.start();
  await using proxy = await Proxy.start({
    pools: {
      beta: { servers: [`${redis.item}:1 second`, `${redis.item}:1 one`] },
      al: { servers: [`${redis.item}:1`] },
    },
  });
  const text = await proxy.statsText();
  expect(text.endsWith("}}}\n")).toBe(true);
  expect(text.slice(0, -1)).not.toContain("\n");
  expect(text).toStartWith('{"service":"nutcracker", "source":"');
  expect(text).toContain('"version":"0.5.0", "uptime":');
  expect(text).toContain('}},"beta": {"client_eof":0, "client_err":0, ');
  expect(text).toContain('"server_state":"healthy"},"second": {"server_eof":0, ');
  const stats = await proxy.stats();
  const top = ["service", "source", "version", "uptime", "timestamp", "total_connections"];
  const process = PROCESS_METRICS.map(({ name }) => name);
  expect(Object.keys(stats)).toEqual([...top, "curr_connections", ...process, "al", "beta"]);
  expect(stats["source"]).toBe(hostname());
  expect(Object.keys(await proxy.poolStats("beta"))).toEqual([...POOL_NAMES, "one", "second"]);
  expect(Object.keys(await proxy.poolStats("al"))).toEqual([...POOL_NAMES, redis.item]);
  expect(Object.keys(await proxy.serverStats("one", "beta"))).toEqual(SERVER_NAMES);
  const now = wallClockMs() / 1000;
  expect(Math.abs((stats["timestamp"] as number) - now)).toBeLessThan(5);
  expect(stats["uptime"]).toBeLessThan(60);
});

test("requests, responses and their bytes", async () => {
  await using pool = await RedisPool.start({ servers: 2 });
  const [[first], [second]] = (await Promise.all([pool.keysOf(0, 1), pool.keysOf(1, 1)])) as [
    [string],
    [string],
  ];
  const before = await pool.proxy.serverStats("s0");
  const client = await pool.connect();
  const value = "v".repeat(1000);
  const requests = [
    ["SET", first, value],
    ["GET", first],
    ["LPUSH", first, "x"],
    ["PING"],
    ["FROBNICATE", first],
    ["GET"],
  ];
  const replies = await client.pipeline(requests);
  const forwarded = requests.slice(0, 3);
  const after = await pool.proxy.serverStats("s0");
  const moved = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  expect(moved("requests")).toBe(3);
  expect(moved("responses")).toBe(3);
  expect(moved("request_bytes")).toBe(Buffer.concat(forwarded.map(encodeRequest)).length);
  expect(moved("response_bytes")).toBe(replies.slice(0, 3).join("").length);
  expect(after).toMatchObject({ in_queue: 0, in_queue_bytes: 0, out_queue: 0, out_queue_bytes: 0 });
  // Fragments count as requests of their servers.
  const [s0, s1] = await Promise.all(["s0", "s1"].map((name) => pool.proxy.serverStats(name)));
  await client.call("MGET", first, second, first);
  const [s0After, s1After] = await Promise.all(
    ["s0", "s1"].map((name) => pool.proxy.serverStats(name)),
  );
  expect((s0After?.["requests"] ?? 0) - (s0?.["requests"] ?? 0)).toBe(1);
  expect((s1After?.["requests"] ?? 0) - (s1?.["requests"] ?? 0)).toBe(1);
  expect((s1After?.["request_bytes"] ?? 0) - (s1?.["request_bytes"] ?? 0)).toBe(
    encodeRequest(["mget", second]).length,
  );
  client.close();
});

test("clients: those that are there, that left, that were thrown out", async () => {
  await using pool = await RedisPool.start();
  const clients = await Promise.all([1, 2, 3, 4].map(() => pool.connect()));
  for (const client of clients) await client.expectOpen();
  expect(await pool.proxy.poolStats()).toMatchObject({
    client_connections: 4,
    client_eof: 0,
    client_err: 0,
  });
  clients[0]?.close();
  clients[1]?.reset();
  void clients[2]?.send("*x\r\n");
  await clients[2]?.readToEnd();
  expect(await clients[3]?.call("QUIT")).toBe("+OK\r\n");
  await clients[3]?.expectClosed();
  await eventually(async () => (await pool.proxy.poolStats())["client_connections"] === 0);
  expect(await pool.proxy.poolStats()).toMatchObject({ client_eof: 2, client_err: 2 });
});

test("queues show what waits at a server", async () => {
  await using pool = await RedisPool.start();
  const client = await pool.connect();
  await client.call("SET", "a", "1");
  pool.server(0).freeze();
  const requests = [
    ["GET", "a"],
    ["SET", "b", "22"],
    ["MGET", "a", "b"],
  ];
  const bytes = Buffer.concat(requests.map(encodeRequest));
  await client.send(bytes);
  await eventually(async () => (await pool.proxy.serverStats("s0"))["out_queue"] === 3);
  const server = await pool.proxy.serverStats("s0");
  expect(server).toMatchObject({ in_queue: 0, in_queue_bytes: 0, out_queue_bytes: bytes.length });
  pool.server(0).thaw();
  await client.readReplies(3);
  expect(await pool.proxy.serverStats("s0")).toMatchObject({ out_queue: 0, out_queue_bytes: 0 });
  client.close();
});

test("connections of the process: listeners, clients, servers", async () => {
  await using pool = await RedisPool.start({ servers: 2 });
  expect(await pool.proxy.stats()).toMatchObject({ curr_connections: 1, total_connections: 1 });
  const clients = await Promise.all([1, 2].map(() => pool.connect()));
  await Promise.all(clients.map((client) => client.expectOpen()));
  expect(await pool.proxy.stats()).toMatchObject({ curr_connections: 3, total_connections: 3 });
  const [key] = (await pool.keysOf(0, 1)) as [string];
  expect(await clients[0]?.call("GET", key)).toBe("$-1\r\n");
  const stats = await pool.proxy.stats();
  // Two servers have a connection now, and the helper that looked for keys has come and gone.
  await eventually(async () => (await pool.proxy.stats())["curr_connections"] === 5);
  expect(stats["total_connections"]).toBeGreaterThanOrEqual(5);
  for (const client of clients) client.close();
  await eventually(async () => (await pool.proxy.stats())["curr_connections"] === 3);
});

test("100 readers of the stats at once, under traffic", async () => {
  await using pool = await RedisPool.start();
  const client = await pool.connect();
  await client.call("INCR", "counter");
  let isOver = false;
  const traffic = (async () => {
    while (!isOver) await client.pipeline(Array(50).fill(["INCR", "counter"]));
  })();
  const texts = await Promise.all(Array.from({ length: 100 }, () => pool.proxy.statsText()));
  isOver = true;
  await traffic;
  const counts = texts.map((text) => JSON.parse(text).alpha.s0.requests as number);
  expect(Math.min(...counts)).toBeGreaterThan(0);
  const total = Number((await client.call("GET", "counter")).split("\r\n")[1]);
  expect(await pool.proxy.serverStats("s0")).toMatchObject({ requests: total + 1 });
  client.close();
});
