/**
 * A proxy with one pool before real redis-servers: what most system tests need.
 *
 *   await using pool = await RedisPool.start({ servers: 3 });
 *   const client = await pool.connect();
 *   const [first] = await pool.keysOf(0, 1);     // a key that lives on server 0
 *
 * Servers are named s0, s1, s2 …, so where a key goes does not depend on their ports.
 */
import { Proxy } from "./run-proxy.ts";
import type { PoolSettings, ProxyOptions, ProxyProgram } from "./run-proxy.ts";
import type { RawClient } from "./raw-client.ts";
import { RedisServer } from "./redis-server.ts";
import type { RedisOptions } from "./redis-server.ts";
import { encodeRequest } from "./resp.ts";

export interface RedisPoolOptions {
  readonly servers?: number;
  readonly server?: RedisOptions;
  /** Keys of the pool's section in nutcracker.yml, beside `listen` and `servers`. */
  readonly pool?: Omit<PoolSettings, "servers">;
  /** One weight per server; 1 where there is none. */
  readonly weights?: readonly number[];
  readonly program?: ProxyProgram;
  readonly args?: readonly string[];
}

const CANDIDATES_MAX = 100_000;

/** The value that belongs to a key: a mix-up of replies shows. */
export function valueOf(key: string): string {
  return `value of ${key}`;
}

export class RedisPool {
  readonly servers: readonly RedisServer[];
  readonly proxy: Proxy;
  /** Keys found so far, by server. */
  #keys: string[][];
  #candidates = 0;

  constructor(servers: readonly RedisServer[], proxy: Proxy) {
    this.servers = servers;
    this.proxy = proxy;
    this.#keys = servers.map(() => []);
  }

  static async start(options: RedisPoolOptions = {}): Promise<RedisPool> {
    const servers = await RedisServer.startMany(options.servers ?? 1, options.server);
    const items = servers.map(
      (server, index) => `${server.item}:${options.weights?.[index] ?? 1} s${index}`,
    );
    const proxyOptions: ProxyOptions = {
      pools: { alpha: { ...options.pool, servers: items } },
      ...(options.program === undefined ? {} : { program: options.program }),
      ...(options.args === undefined ? {} : { args: options.args }),
    };
    return new RedisPool(servers, await Proxy.start(proxyOptions));
  }

  connect(): Promise<RawClient> {
    return this.proxy.connect();
  }

  server(index: number): RedisServer {
    const server = this.servers[index];
    if (server === undefined) throw new Error(`no server ${index} in this pool`);
    return server;
  }

  /** Removes all keys of all servers. */
  async flush(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.command("FLUSHALL")));
  }

  /**
   * Finds keys that the proxy puts on a server, by writing some and looking where they are.
   *
   * All servers must be up. Leaves the servers as empty as it found them, if they were empty.
   */
  async keysOf(server: number, count: number): Promise<string[]> {
    while ((this.#keys[server]?.length ?? 0) < count) await this.#findKeys();
    return (this.#keys[server] as string[]).slice(0, count);
  }

  /** Writes keys with the values that belong to them, through the proxy. */
  async fill(keys: readonly string[]): Promise<void> {
    const client = await this.connect();
    const requests = keys.map((key) => encodeRequest(["SET", key, valueOf(key)]));
    void client.send(Buffer.concat(requests));
    for (const reply of await client.readReplies(keys.length)) {
      if (reply !== "+OK\r\n") throw new Error(`SET was answered ${JSON.stringify(reply)}`);
    }
    client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }

  async #findKeys(): Promise<void> {
    if (this.#candidates > CANDIDATES_MAX) throw new Error("a server gets no keys");
    const candidates = Array.from({ length: 200 }, (_, index) => `k${this.#candidates + index}`);
    this.#candidates += candidates.length;
    await this.fill(candidates);
    for (const [index, server] of this.servers.entries()) {
      const onServer = new Set(await server.keys());
      const found = candidates.filter((key) => onServer.has(key));
      this.#keys[index]?.push(...found);
      if (found.length > 0) await server.command("DEL", ...found);
    }
  }
}
