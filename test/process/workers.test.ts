/**
 * -w: several processes that serve as one. Real servers behind them, real signals to them.
 */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ChildProcess } from "../support/child-process.ts";
import { eventually, eventuallyHolds } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { freezeProcess } from "../support/freeze.ts";
import { RawClient } from "../support/raw-client.ts";
import { RedisPool, type RedisPoolOptions } from "../support/redis-pool.ts";
import { ourProgram, poolsToYaml, Proxy, type ProxyOptions } from "../support/run-proxy.ts";
import { type Peer, ScriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { isAlive, openFiles, socketCount, workersOf } from "./worker-family.ts";

const DONE = /\] worker\.ts:\d+ done, rabbit done\n$/;
const CLIENTS = 60;
/** So many clients go to both of two workers, except once in a billion runs. */
const SHARE_MIN = 10;
const NOWHERE = { alpha: { servers: ["127.0.0.1:1:1"] } };

const TWO = ["-w", "2", "-p", "n.pid"];

/** Two workers with some servers. */
function startPool(options: RedisPoolOptions = {}): Promise<RedisPool> {
  return RedisPool.start({ args: TWO, ...options });
}

function startProxy(options: ProxyOptions = { pools: NOWHERE }): Promise<Proxy> {
  return Proxy.start({ args: TWO, ...options });
}

function connectMany(proxy: Proxy, count = CLIENTS): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => proxy.connect()));
}

/** Runs a start that fails with two workers; returns the log. */
async function failedStart(config: string, prefix: readonly string[] = []): Promise<string> {
  const folder = temporaryFolder("workers");
  writeFileSync(join(folder, "n.yml"), config);
  const words = [...TWO, "-c", "n.yml", "-s", `${freePort()}`, "-o", "n.log"];
  const child = new ChildProcess({ command: [...prefix, ...ourProgram(), ...words], folder });
  expect(await child.ended()).toBe(1);
  expect(existsSync(join(folder, "n.pid"))).toBe(false);
  const log = readFileSync(join(folder, "n.log"), "utf8");
  expect(log).toMatch(DONE);
  return log;
}

/**
 * Waits for counters of s0. The stats port answers without a worker that takes half a second, so
 * one that got no processor shows its older numbers.
 */
function expectServer(proxy: Proxy, expected: Readonly<Record<string, number>>): Promise<void> {
  return eventuallyHolds(async () => {
    expect(await proxy.serverStats("s0")).toMatchObject(expected);
  });
}

/** As expectServer. */
function expectClients(proxy: Proxy, count: number): Promise<void> {
  return eventuallyHolds(async () => {
    expect((await proxy.poolStats())["client_connections"]).toBe(count);
  });
}

/** Waits until another worker stands in the place of the one that died. */
async function replaced(proxy: Proxy, dead: number): Promise<number[]> {
  await eventually(() =>
    proxy.log.includes(`with pid ${dead} ended with SIGKILL; another one takes its place\n`),
  );
  const isServing = (pid: number) => proxy.log.includes(` serves with pid ${pid}\n`);
  return eventually(() => {
    const workers = workersOf(proxy.pid);
    return workers.length === 2 && workers.every(isServing) ? workers : null;
  });
}

test("clients spread over the workers, and every one is served", async () => {
  await using pool = await startPool();
  const workers = workersOf(pool.proxy.pid);
  expect(workers).toHaveLength(2);
  const before = workers.map(socketCount);
  const clients = await connectMany(pool.proxy);
  for (const [index, client] of clients.entries()) {
    expect(await client.call("SET", `key ${index}`, `value ${index}`)).toBe("+OK\r\n");
    expect(await client.value("GET", `key ${index}`)).toEqual(Buffer.from(`value ${index}`));
  }
  const shares = workers.map((pid, index) => socketCount(pid) - (before[index] ?? 0));
  expect(Math.min(...shares)).toBeGreaterThan(SHARE_MIN);
  await expectServer(pool.proxy, { server_connections: 2 });
});

test("a killed worker takes only its own clients with it, and is replaced", async () => {
  await using pool = await startPool();
  const { proxy } = pool;
  const [victim = 0, other = 0] = workersOf(proxy.pid);
  const idleSockets = socketCount(other);
  const clients = await connectMany(proxy);
  const counts = new Map<RawClient, number>(clients.map((client) => [client, 0]));
  let isKilled = false;
  const load = clients.map(async (client, index) => {
    for (let count = 1; !isKilled || count < 300; count++) {
      const reply = await client.call("INCR", `counter ${index}`).catch(() => null);
      if (reply === null) return;
      expect(reply).toBe(`:${count}\r\n`);
      counts.set(client, count);
    }
  });
  await eventually(() => Math.min(...counts.values()) > 20, { deadlineMs: 15_000 });
  process.kill(victim, "SIGKILL");
  const workers = await replaced(proxy, victim);
  isKilled = true;
  await Promise.all(load);
  const survivors = clients.filter((client) => !client.isClosed);
  // Its clients, and its connection to the server.
  expect(survivors.length).toBe(socketCount(other) - idleSockets - 1);
  expect(survivors.length).toBeGreaterThan(SHARE_MIN);
  expect(clients.length - survivors.length).toBeGreaterThan(SHARE_MIN);
  for (const client of survivors) await client.expectOpen();
  expect(workers).toContain(other);
  const newcomers = await connectMany(proxy);
  for (const client of newcomers) expect(await client.call("SET", "a", "b")).toBe("+OK\r\n");
  await expectClients(proxy, survivors.length + newcomers.length);
});

test("clients that nobody accepted yet are served by the next worker", async () => {
  await using pool = await startPool();
  const workers = workersOf(pool.proxy.pid);
  for (const pid of workers) freezeProcess(pid);
  const clients = await connectMany(pool.proxy);
  const replies = clients.map((client) => client.call("SET", "a", "b"));
  for (const pid of workers) process.kill(pid, "SIGKILL");
  for (const reply of replies) expect(await reply).toBe("+OK\r\n");
});

test("stats are sums; what a dead worker has counted stays, what it had open goes", async () => {
  await using pool = await startPool();
  const { proxy } = pool;
  let requests = 0;
  const load = async () => {
    const clients = await connectMany(proxy);
    for (const client of clients) await client.call("SET", "key", "value");
    requests += clients.length;
    return clients;
  };
  const first = await load();
  const before = await proxy.stats();
  await expectServer(proxy, { requests, responses: requests, server_connections: 2 });
  for (let round = 1; round <= 2; round++) {
    const [victim = 0] = workersOf(proxy.pid);
    process.kill(victim, "SIGKILL");
    await replaced(proxy, victim);
    await expectServer(proxy, { requests });
    await load();
    await expectServer(proxy, {
      ...{ requests, responses: requests, server_connections: 2 },
      request_bytes: requests * 33,
    });
  }
  const open = first.filter((client) => !client.isClosed).length;
  const stats = await proxy.stats();
  const { client_connections: clients = 0 } = stats["alpha"] as Record<string, number>;
  expect(stats["total_connections"]).toBeGreaterThan(Number(before["total_connections"]));
  expect(clients).toBeLessThan(3 * CLIENTS);
  expect(clients).toBeGreaterThanOrEqual(open);
  // Clients, one connection to the server for each worker, and two listeners of one pool.
  expect(stats["curr_connections"]).toBe(clients + 4);
});

test("SIGTERM lets all workers finish what is in flight", async () => {
  const waiting: Peer[] = [];
  using server = ScriptedServer.start((peer) => void waiting.push(peer));
  await using proxy = await startProxy({ pools: { alpha: { servers: [`${server.item}:1`] } } });
  const workers = workersOf(proxy.pid);
  const clients = await connectMany(proxy);
  for (const client of clients) void client.request("GET", "key");
  await eventually(() => waiting.length === clients.length);
  proxy.signal("SIGTERM");
  await eventually(() => proxy.connect().then(shut, () => true));
  expect(proxy.isRunning).toBe(true);
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(true);
  // The last of those who were still let in may have left a moment ago.
  await expectClients(proxy, clients.length);
  for (const peer of waiting) peer.write("$5\r\nhello\r\n");
  for (const client of clients) {
    expect(await client.readReply()).toBe("$5\r\nhello\r\n");
    await client.expectClosed();
  }
  expect(await proxy.ended()).toBe(0);
  expect(workers.filter(isAlive)).toEqual([]);
  expect(proxy.log).toMatch(DONE);
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(false);
});

function shut(client: RawClient): false {
  client.close();
  return false;
}

test.each(["SIGTERM", "SIGINT"] as const)("%s while draining ends all at once", async (second) => {
  using server = ScriptedServer.start(() => {});
  await using proxy = await startProxy({ pools: { alpha: { servers: [`${server.item}:1`] } } });
  const workers = workersOf(proxy.pid);
  const clients = await connectMany(proxy, 8);
  for (const client of clients) void client.request("GET", "key");
  await eventually(() => server.requests.length === 8);
  proxy.signal("SIGTERM");
  await eventually(() => proxy.log.includes("(SIGTERM) received, draining"));
  proxy.signal(second);
  expect(await proxy.ended(3_000)).toBe(1);
  for (const client of clients) await client.expectClosed();
  await eventually(() => !workers.some(isAlive));
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(false);
});

test("a signal to the whole family drains as one to the supervisor", async () => {
  const waiting: Peer[] = [];
  using server = ScriptedServer.start((peer) => void waiting.push(peer));
  await using proxy = await startProxy({ pools: { alpha: { servers: [`${server.item}:1`] } } });
  const client = await proxy.connect();
  void client.request("GET", "key");
  await eventually(() => waiting.length === 1);
  for (const pid of [...workersOf(proxy.pid), proxy.pid]) process.kill(pid, "SIGTERM");
  await eventually(() => proxy.log.includes("(SIGTERM) received, draining"));
  waiting[0]?.write("$-1\r\n");
  expect(await client.readReply()).toBe("$-1\r\n");
  expect(await proxy.ended()).toBe(0);
});

test("SIGHUP opens the log again in every process", async () => {
  await using proxy = await startProxy();
  const old = `${proxy.logFile}.1`;
  renameSync(proxy.logFile, old);
  proxy.signal("SIGHUP");
  await eventuallyHolds(() => {
    for (const pid of [proxy.pid, ...workersOf(proxy.pid)]) {
      expect(openFiles(pid)).toContain(proxy.logFile);
      expect(openFiles(pid)).not.toContain(old);
    }
  });
});

test("SIGTTIN and SIGTTOU reach every process, and workers that start later", async () => {
  await using proxy = await startProxy();
  const count = (text: string) => proxy.log.split(`${text}\n`).length - 1;
  proxy.signal("SIGTTIN");
  await eventually(() => count("up log level to 6") === 3);
  const [victim = 0] = workersOf(proxy.pid);
  process.kill(victim, "SIGKILL");
  await replaced(proxy, victim);
  proxy.signal("SIGTTOU");
  await eventually(() => count("down log level to 5") === 3);
});

test("the pid file names the supervisor", async () => {
  await using proxy = await startProxy();
  expect(readFileSync(join(proxy.folder, "n.pid"), "latin1")).toBe(`${proxy.pid}`);
});

test("no worker outlives a supervisor that is killed", async () => {
  await using pool = await startPool();
  const { proxy } = pool;
  const workers = workersOf(proxy.pid);
  const clients = await connectMany(proxy, 8);
  for (const client of clients) await client.call("SET", "a", "b");
  proxy.signal("SIGKILL");
  await eventually(() => !workers.some(isAlive));
  for (const client of clients) await client.expectClosed();
  expect(await proxy.connect().then(shut, () => true)).toBe(true);
});

test("workers share a unix socket", async () => {
  const path = join(temporaryFolder("workers"), "pool.sock");
  await using pool = await startPool({ pool: { listen: `${path} 0640` } });
  const { proxy } = pool;
  expect(statSync(path).mode & 0o777).toBe(0o640);
  for (const client of await connectMany(proxy)) await client.expectOpen();
  for (let round = 1; round <= 2; round++) {
    const [victim = 0] = workersOf(proxy.pid);
    process.kill(victim, "SIGKILL");
    await replaced(proxy, victim);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    for (const client of await connectMany(proxy)) await client.expectOpen();
  }
  expect(await failedStart(proxy.config)).toContain("another process listens");
  await (await proxy.connect()).expectOpen();
  proxy.signal("SIGTERM");
  expect(await proxy.ended()).toBe(0);
  expect(existsSync(path)).toBe(false);
});

test("an address that another process has is not shared with it", async () => {
  await using first = await startProxy();
  const taken = /bind on p \d+ to addr .* failed: Address already in use\n/;
  expect(await failedStart(first.config)).toMatch(taken);
  await (await first.connect()).expectOpen();
});

test("client_connections is divided among the workers", async () => {
  await using pool = await startPool({ pool: { client_connections: 4 } });
  const clients = await connectMany(pool.proxy);
  const replies = await Promise.all(clients.map((client) => client.call("SET", "a", "b")));
  expect(replies.filter((reply) => reply === "+OK\r\n")).toHaveLength(4);
  await eventually(() => clients.filter((client) => !client.isClosed).length === 4);
  await expectClients(pool.proxy, 4);
});

/** A pool whose server connections need so many descriptors that 100 are too few. */
const HUNGRY = { alpha: { servers: ["127.0.0.1:1:1"], server_connections: 100 } };

test("a worker that cannot start: the reason in the log, status 1, nobody left", async () => {
  const listen = `127.0.0.1:${freePort()}`;
  const config = poolsToYaml({ alpha: { ...HUNGRY.alpha, listen } });
  const log = await failedStart(config, ["prlimit", "--nofile=100:100"]);
  expect(log).toContain("worker 1 does not start: the limit of open files is 100");
  expect(log).not.toContain("worker 2");
});

test("workers that fail to start again and again end the proxy", async () => {
  await using proxy = await startProxy({ pools: HUNGRY });
  const [victim = 0, other = 0] = workersOf(proxy.pid);
  Bun.spawnSync(["prlimit", `--pid=${proxy.pid}`, "--nofile=100:100"]);
  process.kill(victim, "SIGKILL");
  expect(await proxy.ended(15_000)).toBe(1);
  const count = (text: string) => proxy.log.split(text).length - 1;
  expect(count(" does not start, tried again: the limit of open files is 100")).toBe(4);
  expect(count("worker.ts:5 worker 1 does not start: the limit of open files is 100")).toBe(1);
  expect(proxy.log).toMatch(DONE);
  await eventually(() => !isAlive(other));
}, 20_000);

test("workers that die again and again are replaced all the same, with pauses", async () => {
  await using proxy = await startProxy();
  for (let round = 1; round <= 6; round++) {
    const [, victim = 0] = workersOf(proxy.pid);
    process.kill(victim, "SIGKILL");
    await replaced(proxy, victim);
  }
  for (const client of await connectMany(proxy)) await client.expectOpen();
}, 20_000);

test("auto is one worker for each core, and one worker is no worker", async () => {
  const cores = availableParallelism();
  await using auto = await Proxy.start({ pools: NOWHERE, args: ["-w", "auto"] });
  expect(workersOf(auto.pid)).toHaveLength(cores > 1 ? cores : 0);
  await using one = await Proxy.start({ pools: NOWHERE, args: ["-w", "1"] });
  await (await one.connect()).expectOpen();
  expect(workersOf(one.pid)).toEqual([]);
});

test("the mark in the environment means nothing in a process without a supervisor", async () => {
  const environment = { NUTCRACKER_WORKER_OF: `${process.pid}` };
  await using proxy = await startProxy({ pools: NOWHERE, environment });
  await (await proxy.connect()).expectOpen();
});

test("no two clients have the same number, whichever worker they are with", async () => {
  await using pool = await startPool();
  const clients = await connectMany(pool.proxy);
  const ids = await Promise.all(clients.map((client) => client.value("CLIENT", "ID")));
  expect(new Set(ids).size).toBe(CLIENTS);
  // One worker has the odd ones, the other the even ones.
  for (const rest of [0, 1]) {
    expect(ids.filter((id) => Number(id) % 2 === rest).length).toBeGreaterThan(SHARE_MIN);
  }
});
