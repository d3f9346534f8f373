/**
 * The servers of a protocol with the proxies before them, each process on its core.
 *
 *   core 0: s0 s1 …, the load          core 1: ours, nutcracker, … (one of them busy at a time)
 *
 * Many servers are few processes: each of them listens on several loopback addresses, and every
 * address is a server of its own to the proxies.
 */
import { MemcachedServer } from "../../test/support/memcached-server.ts";
import { RedisServer } from "../../test/support/redis-server.ts";
import { fill } from "./load.ts";
import type { Peer } from "./peers.ts";
import { ProxyProcess } from "./proxy-process.ts";
import { LOAD_CORE, pin } from "./run.ts";
import type { ProtocolName } from "./workload.ts";
import { Workload } from "./workload.ts";
import type { WorkloadOptions } from "./workload.ts";

const SERVERS = 2;
/** The most addresses that redis-server listens on. */
const ADDRESSES_PER_PROCESS = 16;
const PROCESSES_MAX = 13;
export const SERVERS_MAX = ADDRESSES_PER_PROCESS * PROCESSES_MAX;

export class Stage {
  readonly protocol: ProtocolName;
  readonly #processes: readonly (RedisServer | MemcachedServer)[];
  readonly #servers: readonly string[];
  readonly #proxies = new Map<string, ProxyProcess>();
  /** What the servers hold: the number of keys and the size of their values. */
  #filled = "";

  private constructor(
    protocol: ProtocolName,
    processes: readonly (RedisServer | MemcachedServer)[],
    serverCount: number,
  ) {
    this.protocol = protocol;
    this.#processes = processes;
    for (const server of processes) pin(LOAD_CORE, server.pid);
    this.#servers = Array.from({ length: serverCount }, (_, index) => {
      const process = processes[index % processes.length];
      const host = 1 + Math.floor(index / processes.length);
      return `127.0.0.${host}:${process?.port}`;
    });
  }

  /** @param serverCount more than 13 only with redis */
  static async start(protocol: ProtocolName, serverCount: number = SERVERS): Promise<Stage> {
    const processCount = Math.min(serverCount, PROCESSES_MAX);
    if (protocol === "memcached") {
      return new Stage(protocol, await MemcachedServer.startMany(processCount), serverCount);
    }
    const hosts = Array.from({ length: ADDRESSES_PER_PROCESS }, (_, i) => `127.0.0.${i + 1}`);
    const args = serverCount > processCount ? ["--bind", ...hosts] : [];
    return new Stage(protocol, await RedisServer.startMany(processCount, { args }), serverCount);
  }

  /** Writes every key to every server, so that any rule that spreads keys finds them. */
  async fill(workload: Omit<WorkloadOptions, "protocol" | "mgetKeys" | "msetKeys">): Promise<void> {
    const { keyCount, valueSizeBytes } = workload;
    const filling = `${keyCount} of ${valueSizeBytes}`;
    if (filling === this.#filled) return;
    this.#filled = filling;
    const sizes = { protocol: this.protocol, keyCount, valueSizeBytes, mgetKeys: 1, msetKeys: 1 };
    const all = new Workload(sizes);
    for (const { port } of this.#processes) await fill({ host: "127.0.0.1", port }, all);
  }

  /** Somebody has written other values: the next load that checks them needs its own. */
  spoil(): void {
    this.#filled = "";
  }

  /** The proxy before the servers; started when it is first asked for, and then kept. */
  async proxy(peer: Peer): Promise<ProxyProcess> {
    const proxy = this.#proxies.get(peer.name) ?? (await this.startProxy(peer));
    this.#proxies.set(peer.name, proxy);
    return proxy;
  }

  /** A proxy that nothing has gone through yet; the caller ends it. */
  startProxy(peer: Peer, environment?: Readonly<Record<string, string>>): Promise<ProxyProcess> {
    const servers = { protocol: this.protocol, servers: this.#servers };
    return ProxyProcess.start(peer, servers, environment);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of [...this.#proxies.values(), ...this.#processes]) {
      await part[Symbol.asyncDispose]();
    }
  }
}
