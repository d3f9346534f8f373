/**
 * Two servers of a protocol with both proxies before them, each process on its core.
 *
 *   core 0: s0 s1, the load          core 1: ours, theirs (one of them busy at a time)
 */
import { MemcachedServer } from "../../test/support/memcached-server.ts";
import { RedisServer } from "../../test/support/redis-server.ts";
import { Proxy } from "../../test/support/run-proxy.ts";
import type { ProxyProgram } from "../../test/support/run-proxy.ts";
import type { Target } from "./measure.ts";
import { LOAD_CORE, pin, pinned, PROXY_CORE } from "./run.ts";
import type { ProtocolName } from "./workload.ts";

const SERVERS = 2;

export class Stage {
  readonly #servers: readonly (RedisServer | MemcachedServer)[];
  readonly #proxies: Proxy[] = [];
  readonly #protocol: ProtocolName;

  private constructor(protocol: ProtocolName, servers: readonly (RedisServer | MemcachedServer)[]) {
    this.#protocol = protocol;
    this.#servers = servers;
    for (const server of servers) pin(LOAD_CORE, server.pid);
  }

  static async start(protocol: ProtocolName): Promise<Stage> {
    const kind = protocol === "redis" ? RedisServer : MemcachedServer;
    return new Stage(protocol, await kind.startMany(SERVERS));
  }

  /** Starts a proxy before the servers. */
  async startProxy(program: ProxyProgram): Promise<Target> {
    const servers = this.#servers.map(({ item }, index) => `${item}:1 s${index}`);
    const proxy = await Proxy.start({
      pools: { alpha: { redis: this.#protocol === "redis", servers } },
      program: pinned(PROXY_CORE, program),
      statsIntervalMs: 30_000,
    });
    this.#proxies.push(proxy);
    return { pid: proxy.pid, port: proxy.port() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of [...this.#proxies, ...this.#servers]) await part[Symbol.asyncDispose]();
  }
}
