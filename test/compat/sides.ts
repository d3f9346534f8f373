/**
 * Two proxies of the same configuration, each before its own servers: nutcracker's and ours.
 *
 *   request -> theirs -> s0 s1 s2
 *          \-> ours   -> s0 s1 s2     replies and contents are compared
 *
 * Server names are the same on both sides, so keys must go to servers of the same name.
 */
import { freePort } from "../support/free-port.ts";
import { RedisServer } from "../support/redis-server.ts";
import { Proxy } from "../support/run-proxy.ts";
import type { PoolSettings, ProxyProgram } from "../support/run-proxy.ts";

export interface Setup {
  readonly label: string;
  readonly settings?: Omit<PoolSettings, "servers">;
  /** One weight per server; their number is the number of servers. */
  readonly weights?: readonly number[];
  /** Adds a server that is never up. */
  readonly withDeadServer?: boolean;
  readonly args?: readonly string[];
}

export class Side {
  readonly name: string;
  readonly proxy: Proxy;
  readonly servers: readonly RedisServer[];

  constructor(name: string, proxy: Proxy, servers: readonly RedisServer[]) {
    this.name = name;
    this.proxy = proxy;
    this.servers = servers;
  }

  static async start(name: string, program: ProxyProgram, setup: Setup): Promise<Side> {
    const weights = setup.weights ?? [1, 1, 1];
    const password = setup.settings?.["redis_auth"];
    const servers = await RedisServer.startMany(
      weights.length,
      typeof password === "string" ? { requirepass: password } : {},
    );
    const items = servers.map((server, index) => `${server.item}:${weights[index]} s${index}`);
    if (setup.withDeadServer) items.push(`127.0.0.1:${freePort()}:1 dead`);
    const pools = { alpha: { ...setup.settings, servers: items } };
    const proxy = await Proxy.start({ pools, program, args: setup.args ?? [] });
    return new Side(name, proxy, servers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}
