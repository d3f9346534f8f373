/**
 * What a soak runs on: real servers, some behind fault proxies, and one nutcracker with a pool for
 * each way to be set up.
 *
 *   clients --> nutcracker --+--> s0                     never has a fault
 *                            +--> s1, s4 (unix socket)   faults of the process
 *                            +--> fault proxy --> s2, s3 and of the connections
 *
 * m0 to m2 are the same for memcached. x0 and x1 stand alone: see LONELY. Knows which server each
 * key lives on, by writing all keys through the proxy and looking where they are.
 */
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { askAll } from "../support/memcached-replies.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import type { Address } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { Proxy } from "../support/run-proxy.ts";
import type { PoolSettings, ProxyProgram } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ALL_KEYS, type Dialect, KEYS, valueOf } from "./dialect.ts";
import { FaultThread, type ThreadedFaultProxy } from "./fault-thread.ts";
import { memcachedDialect } from "./memcached-dialect.ts";
import { redisDialect } from "./redis-dialect.ts";

export interface SoakServer {
  /** As in nutcracker.yml. */
  readonly name: string;
  readonly process: RedisServer | MemcachedServer;
  /** What stands before it, or null. */
  readonly faultProxy: ThreadedFaultProxy | null;
  readonly hasFaults: boolean;
  /** Has one request at a time, so that a reply too many can be told from the next one. */
  readonly isLonely: boolean;
}

export interface SoakPool {
  readonly name: string;
  readonly dialect: Dialect;
  readonly address: Address;
  /** How often it is chosen. 0: it has a client of its own. */
  readonly weight: number;
  /** How long after a fault of a server its keys may still fail. */
  readonly graceMs: number;
  /** How long after a fault a server may be ejected: its keys are elsewhere, or refused. */
  readonly ejectedMs: number;
  /** The server's name by key. */
  readonly homes: ReadonlyMap<string, string>;
  /** Those of KEYS.large that may be used, the smaller ones first. */
  readonly largeKeys: readonly string[];
}

interface PoolRow {
  readonly name: string;
  readonly servers: readonly string[];
  readonly settings: Omit<PoolSettings, "servers">;
  readonly weight: number;
}

/** Long enough for a busy machine, so that no well server ever times out. */
export const TIMEOUT_MS = 1000;
/** A request may have been sent in the last moment of a fault, and again when it timed out. */
const GRACE_MS = 2 * TIMEOUT_MS + 500;
/** Servers that fail again and again are left alone for a minute, and once more for a probe. */
const EJECTED_MS = 75_000;

/** More takes a fault proxy too long. */
const RELAYED_BYTES_MAX = 1024 * 1024;

const PLACE_DEADLINE_MS = 30_000;

const REDIS = ["s0", "s1", "s2", "s3", "s4"];
const MEMCACHED = ["m0", "m1", "m2"];
const EJECTING = { auto_eject_hosts: true, server_failure_limit: 2, server_retry_timeout: 300 };

/**
 * A reply too many is taken for the next one, if there is a next one: nobody could tell. So the
 * pools of these servers get one request at a time.
 */
const LONELY = ["x0", "x1"];

/** Where a pool listens on a unix socket, its path is put in. */
const UNIX = "unix";

const POOL_ROWS: readonly PoolRow[] = [
  { name: "plain", servers: REDIS, settings: {}, weight: 5 },
  {
    name: "eject",
    servers: REDIS,
    settings: { ...EJECTING, server_connections: 3 },
    weight: 3,
  },
  {
    name: "local",
    servers: REDIS,
    settings: { listen: UNIX, server_connections: 3, distribution: "modula", redis_db: 3 },
    weight: 2,
  },
  {
    name: "fast",
    servers: REDIS,
    settings: { ...EJECTING, eject_policy: "fail_fast", preconnect: true },
    weight: 2,
  },
  {
    name: "over",
    servers: REDIS,
    settings: { ...EJECTING, eject_policy: "failover: spare" },
    weight: 2,
  },
  { name: "spare", servers: ["s5"], settings: {}, weight: 1 },
  { name: "cache", servers: MEMCACHED, settings: { redis: false }, weight: 3 },
  {
    name: "cache3",
    servers: MEMCACHED,
    settings: { ...EJECTING, redis: false, listen: UNIX, server_connections: 3, preconnect: true },
    weight: 2,
  },
  { name: "lonely", servers: ["x0"], settings: {}, weight: 0 },
  {
    name: "lonely-cache",
    servers: ["x1"],
    settings: { redis: false },
    weight: 0,
  },
];

export class Ground {
  readonly servers: readonly SoakServer[];
  readonly proxy: Proxy;
  readonly pools: readonly SoakPool[];

  readonly #thread: FaultThread;

  private constructor(
    servers: readonly SoakServer[],
    proxy: Proxy,
    pools: readonly SoakPool[],
    thread: FaultThread,
  ) {
    this.#thread = thread;
    this.servers = servers;
    this.proxy = proxy;
    this.pools = pools;
  }

  static async start(program: ProxyProgram, workers: number, seed: number): Promise<Ground> {
    const thread = new FaultThread();
    const servers = await startServers(thread, seed);
    const folder = temporaryFolder("soak");
    const pools: Record<string, PoolSettings> = {};
    for (const { name, servers: names, settings } of POOL_ROWS) {
      const items = names.map((one) => `${itemOf(serverOf(servers, one))}:1 ${one}`);
      const listen = settings.listen === UNIX ? { listen: join(folder, `${name}.sock`) } : {};
      pools[name] = { timeout: TIMEOUT_MS, ...settings, ...listen, servers: items };
    }
    const args = workers > 1 ? ["-w", String(workers)] : [];
    const proxy = await Proxy.start({ program, pools, args });
    const placed: SoakPool[] = [];
    for (const row of POOL_ROWS) placed.push(await place(row, servers, proxy));
    return new Ground(servers, proxy, placed, thread);
  }

  server(name: string): SoakServer {
    return serverOf(this.servers, name);
  }

  pool(name: string): SoakPool {
    const pool = this.pools.find((one) => one.name === name);
    if (pool === undefined) throw new Error(`no pool ${name}`);
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    this.#thread.stop();
    await Promise.all(this.servers.map((server) => server.process[Symbol.asyncDispose]()));
  }
}

function serverOf(servers: readonly SoakServer[], name: string): SoakServer {
  const server = servers.find((one) => one.name === name);
  if (server === undefined) throw new Error(`no server ${name}`);
  return server;
}

function itemOf({ process, faultProxy }: SoakServer): string {
  return faultProxy?.item ?? process.item;
}

async function startServers(thread: FaultThread, seed: number): Promise<SoakServer[]> {
  const names = [...REDIS, "s5", ...MEMCACHED, ...LONELY];
  return Promise.all(
    names.map(async (name): Promise<SoakServer> => {
      const isMemcached = MEMCACHED.includes(name) || name === "x1";
      const process = isMemcached
        ? await MemcachedServer.start({ args: ["-I", "16m", "-m", "256"] })
        : await RedisServer.start({ unix: name === "s4" });
      const isBehind = ["s2", "s3", "m2", ...LONELY].includes(name);
      const protocol = isMemcached ? "memcached" : "redis";
      return {
        name,
        process,
        faultProxy: isBehind ? await thread.start(process.port, { protocol, seed }) : null,
        hasFaults: !["s0", "s5", "m0"].includes(name),
        isLonely: LONELY.includes(name),
      };
    }),
  );
}

/** Writes all keys, and looks on which server each of them is. */
async function place(
  row: PoolRow,
  servers: readonly SoakServer[],
  proxy: Proxy,
): Promise<SoakPool> {
  const dialect = row.settings["redis"] === false ? memcachedDialect : redisDialect;
  // A machine that is busy with starting all this may let a first attempt time out.
  await eventually(() => writeAll(dialect, proxy, row.name), {
    deadlineMs: PLACE_DEADLINE_MS,
    what: `all keys are written through pool ${row.name}`,
  });
  const homes = new Map<string, string>();
  for (const name of row.servers) {
    const { process } = serverOf(servers, name);
    for (const key of await keysOn(process, Number(row.settings["redis_db"] ?? 0))) {
      if (homes.has(key))
        throw new Error(`${row.name}: ${key} is on ${homes.get(key)} and ${name}`);
      homes.set(key, name);
    }
    await empty(process);
  }
  if (homes.size < ALL_KEYS.length) throw new Error(`${row.name}: some keys are on no server`);
  return {
    name: row.name,
    dialect,
    address: proxy.address(row.name),
    weight: row.weight,
    graceMs: GRACE_MS,
    ejectedMs: row.settings["auto_eject_hosts"] === true ? EJECTED_MS : 0,
    homes,
    largeKeys: KEYS.large.filter((key) => {
      const { faultProxy } = serverOf(servers, homes.get(key) ?? "");
      return faultProxy === null || valueOf(key).length <= RELAYED_BYTES_MAX;
    }),
  };
}

async function writeAll(dialect: Dialect, proxy: Proxy, pool: string): Promise<boolean> {
  const client = await proxy.connect(pool);
  try {
    await client.send(Buffer.concat(ALL_KEYS.map((key) => dialect.place(key))));
    for (const key of ALL_KEYS) {
      const reply = await client.readLine();
      if (!/^(\+OK|STORED)\r\n$/.test(reply)) throw new Error(`${key}: ${reply}`);
    }
    return true;
  } finally {
    client.close();
  }
}

async function keysOn(server: RedisServer | MemcachedServer, database: number): Promise<string[]> {
  if (server instanceof RedisServer) return server.keys(database);
  const client = await server.connect();
  const requests = ALL_KEYS.map((key) => `mg ${key} k q\r\n`).join("");
  const replies = await askAll(client, requests);
  client.close();
  return replies.map((reply) => /^HD k(\S+)\r\n$/.exec(reply)?.[1] ?? "");
}

async function empty(server: RedisServer | MemcachedServer): Promise<void> {
  const client = await server.connect();
  await client.send(server instanceof RedisServer ? "FLUSHALL\r\n" : "flush_all\r\n");
  await client.readLine();
  client.close();
}
