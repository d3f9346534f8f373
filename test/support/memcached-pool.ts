/**
 * A proxy with one pool before real memcached processes; the twin of redis-pool.ts.
 *
 *   await using pool = await MemcachedPool.start({ servers: 3 });
 *   const [first] = await pool.keysOf(0, 1);     // a key that lives on server 0
 *
 * Servers are named s0, s1, s2 …, so where a key goes does not depend on their ports.
 */
import { ask, readReply } from "./memcached-replies.ts";
import { MemcachedServer } from "./memcached-server.ts";
import type { MemcachedOptions } from "./memcached-server.ts";
import type { RawClient } from "./raw-client.ts";
import { Proxy } from "./run-proxy.ts";
import type { PoolSettings, ProxyProgram } from "./run-proxy.ts";

export interface MemcachedPoolOptions {
  readonly servers?: number;
  readonly server?: MemcachedOptions;
  /** Keys of the pool's section in nutcracker.yml, beside `listen` and `servers`. */
  readonly pool?: Omit<PoolSettings, "servers">;
  readonly program?: ProxyProgram;
  readonly args?: readonly string[];
}

const CANDIDATES_MAX = 100_000;

/** A storage request, as latin1 text. */
export function setOf(key: string, value: string): string {
  return `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;
}

/** What get answers for one key that is there. */
export function valueOf(key: string, value: string): string {
  return `VALUE ${key} 0 ${value.length}\r\n${value}\r\n`;
}

export class MemcachedPool {
  readonly servers: readonly MemcachedServer[];
  readonly proxy: Proxy;
  /** Keys found so far, by server. */
  #keys: string[][];
  #candidates = 0;

  private constructor(servers: readonly MemcachedServer[], proxy: Proxy) {
    this.servers = servers;
    this.proxy = proxy;
    this.#keys = servers.map(() => []);
  }

  static async start(options: MemcachedPoolOptions = {}): Promise<MemcachedPool> {
    const servers = await MemcachedServer.startMany(options.servers ?? 1, options.server);
    const items = servers.map((server, index) => `${server.item}:1 s${index}`);
    const proxy = await Proxy.start({
      pools: { alpha: { redis: false, ...options.pool, servers: items } },
      ...(options.program === undefined ? {} : { program: options.program }),
      ...(options.args === undefined ? {} : { args: options.args }),
    });
    return new MemcachedPool(servers, proxy);
  }

  connect(): Promise<RawClient> {
    return this.proxy.connect();
  }

  server(index: number): MemcachedServer {
    const server = this.servers[index];
    if (server === undefined) throw new Error(`no server ${index} in this pool`);
    return server;
  }

  /** Removes all keys of all servers. */
  async flush(): Promise<void> {
    await Promise.all(
      this.servers.map(async (server) => {
        const client = await server.connect();
        await ask(client, "flush_all\r\n");
        client.close();
      }),
    );
  }

  /**
   * Finds keys that the proxy puts on a server, by writing some and looking where they are.
   *
   * All servers must be up. Leaves the servers without the keys.
   */
  async keysOf(server: number, count: number): Promise<string[]> {
    while ((this.#keys[server]?.length ?? 0) < count) await this.#findKeys();
    return (this.#keys[server] as string[]).slice(0, count);
  }

  /** Writes keys with values, through the proxy. */
  async fill(values: Readonly<Record<string, string>>): Promise<void> {
    const client = await this.connect();
    void client.send(
      Object.entries(values)
        .map(([key, value]) => setOf(key, value))
        .join(""),
    );
    for (const key of Object.keys(values)) {
      const reply = await readReply(client);
      if (reply !== "STORED\r\n") throw new Error(`set ${key} was answered ${reply}`);
    }
    client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }

  async #findKeys(): Promise<void> {
    if (this.#candidates > CANDIDATES_MAX) throw new Error("a server gets no keys");
    const candidates = Array.from({ length: 100 }, (_, index) => `k${this.#candidates + index}`);
    this.#candidates += candidates.length;
    await this.fill(Object.fromEntries(candidates.map((key) => [key, "x"])));
    for (const [index, server] of this.servers.entries()) {
      const client = await server.connect();
      const reply = await ask(client, `get ${candidates.join(" ")}\r\n`);
      const found = [...reply.matchAll(/^VALUE (\S+)/gm)].map((match) => match[1] as string);
      this.#keys[index]?.push(...found);
      for (const key of found) await ask(client, `delete ${key}\r\n`);
      client.close();
    }
  }
}
