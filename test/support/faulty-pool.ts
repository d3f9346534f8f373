/**
 * A proxy with one pool of real servers, of which s0 stands behind a fault proxy.
 *
 *   await using pool = await FaultyPool.start("redis");
 *   pool.faults.set({ kind: "stall" });
 *   pool.keys[0]    // keys that live on s0
 */
import { expect } from "bun:test";
import { eventually, eventuallyHolds } from "./eventually.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { DIALECTS, isLarge } from "./load-dialects.ts";
import type { DialectName } from "./load-dialects.ts";
import { MemcachedServer } from "./memcached-server.ts";
import type { RawClient } from "./raw-client.ts";
import { RedisServer } from "./redis-server.ts";
import { Proxy } from "./run-proxy.ts";
import type { PoolSettings, ServerStats } from "./run-proxy.ts";
import type { ServerProcess } from "./server-process.ts";
import { VerifiedLoad } from "./verified-load.ts";
import type { LoadOptions } from "./verified-load.ts";

const SERVERS = 3;
const SMALL_KEYS = 120;
const LARGE_KEYS = 9;

export interface FaultyPoolOptions {
  /** Keys of the pool's section in nutcracker.yml; `timeout: 1000` unless told. */
  readonly pool?: Omit<PoolSettings, "servers">;
  readonly seed?: number;
}

export class FaultyPool {
  readonly dialect: DialectName;
  readonly servers: readonly ServerProcess[];
  readonly faults: FaultProxy;
  readonly proxy: Proxy;
  /** Keys by server; the last ones of each are large. */
  readonly keys: readonly (readonly string[])[];
  readonly #seed: number;

  private constructor(
    dialect: DialectName,
    servers: readonly ServerProcess[],
    faults: FaultProxy,
    proxy: Proxy,
    keys: string[][],
    seed: number,
  ) {
    this.dialect = dialect;
    this.servers = servers;
    this.faults = faults;
    this.proxy = proxy;
    this.keys = keys;
    this.#seed = seed;
  }

  static async start(dialect: DialectName, options: FaultyPoolOptions = {}): Promise<FaultyPool> {
    const kind = dialect === "redis" ? RedisServer : MemcachedServer;
    const servers = await kind.startMany(SERVERS);
    const seed = options.seed ?? 1;
    const faults = FaultProxy.start((servers[0] as ServerProcess).port, {
      protocol: dialect,
      seed,
    });
    const items = [faults, ...servers.slice(1)].map((one, index) => `${one.item}:1 s${index}`);
    const proxy = await Proxy.start({
      pools: {
        alpha: {
          redis: dialect === "redis",
          timeout: 1000,
          hash: "md5",
          ...options.pool,
          servers: items,
        },
      },
    });
    const keys = await findKeys(dialect, proxy, servers);
    return new FaultyPool(dialect, servers, faults, proxy, keys, seed);
  }

  get server(): ServerProcess {
    return this.servers[0] as ServerProcess;
  }

  keyOf(server: number): string {
    return this.keys[server]?.[0] as string;
  }

  connect(): Promise<RawClient> {
    return this.proxy.connect();
  }

  /** Load in which s0 may be in trouble. */
  load(options: Partial<LoadOptions> = {}): VerifiedLoad {
    return VerifiedLoad.start(this.proxy, {
      dialect: this.dialect,
      healthy: this.keys.slice(1).flat(),
      faulty: this.keys[0] ?? [],
      seed: this.#seed,
      ...options,
    });
  }

  /** Every key of every server can be written and read again. */
  async expectAllWell(): Promise<void> {
    const { set, get, stored, isValues, readReply } = DIALECTS[this.dialect];
    const client = await this.connect();
    try {
      const keys = this.keys.flat();
      // One that comes back behind the first look takes keys away from the others.
      await eventually(() => this.#isNobodyOut(), { what: "all are back", deadlineMs: 20_000 });
      await eventually(async () => {
        void client.send(keys.map(set).join(""));
        const replies = [];
        for (const _ of keys) replies.push(await readReply(client));
        return replies.every((reply) => reply === stored);
      });
      void client.send(keys.map((key) => get([key])).join(""));
      for (const key of keys) {
        const reply = await readReply(client);
        expect(reply).toContain(`${key}=`);
        expect(isValues(reply, [key])).toBe(true);
      }
    } finally {
      client.close();
    }
  }

  /** With all clients gone: no request anywhere, no handler failed, no connection too many. */
  async expectNothingLeft(): Promise<void> {
    await eventuallyHolds(
      async () => {
        const stats = await this.proxy.stats();
        const { client_connections, ...pool } = stats["alpha"] as Record<string, unknown>;
        expect(client_connections).toBe(0);
        let current = 1;
        for (const index of this.servers.keys()) {
          const server = pool[`s${index}`] as Record<string, number>;
          const { in_queue, in_queue_bytes, out_queue, out_queue_bytes } = server;
          expect([in_queue, in_queue_bytes, out_queue, out_queue_bytes]).toEqual([0, 0, 0, 0]);
          current += server["server_connections"] ?? 0;
        }
        expect(stats["curr_connections"]).toBe(current);
      },
      { deadlineMs: 10_000 },
    );
    expect(this.proxy.isRunning).toBe(true);
    expect(this.proxy.stderr).toBe("");
    expect(this.proxy.log).not.toMatch(/handler.* failed/);
  }

  async #isNobodyOut(): Promise<boolean> {
    const pool = (await this.proxy.poolStats()) as unknown as Record<string, ServerStats>;
    const states = this.servers.map((_, index) => String(pool[`s${index}`]?.["server_state"]));
    return states.every((state) => state !== "ejected" && state !== "probing");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.faults[Symbol.asyncDispose]();
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

/**
 * Writes keys through the proxy, and looks where they are.
 *
 * @throws Error if a server has no large ones: keys that are much alike need a hash that scatters
 */
async function findKeys(
  dialect: DialectName,
  proxy: Proxy,
  servers: readonly ServerProcess[],
): Promise<string[][]> {
  const { set, get, stored, readReply } = DIALECTS[dialect];
  const keys = [
    ...Array.from({ length: SMALL_KEYS }, (_, index) => `load${index}`),
    ...Array.from({ length: LARGE_KEYS }, (_, index) => `large${index}`),
  ];
  const client = await proxy.connect();
  void client.send(keys.map(set).join(""));
  for (const key of keys) {
    const reply = await readReply(client);
    if (reply !== stored) throw new Error(`the set of ${key} was answered ${reply}`);
  }
  client.close();
  const found: string[][] = [];
  for (const server of servers) {
    const direct = await server.connect();
    const here: string[] = [];
    for (const key of keys) {
      void direct.send(get([key]));
      if ((await readReply(direct)).includes(`${key}=`)) here.push(key);
    }
    direct.close();
    if (!isLarge(here.at(-1) ?? "")) throw new Error("a server has too few keys");
    found.push(here);
  }
  return found;
}
