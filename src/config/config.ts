/**
 * What a configuration file says, as frozen data: the only form in which the rest of the program
 * sees it. A Config is never changed, only replaced as a whole.
 *
 * Reading the text is load.ts; which keys exist and their defaults is directives.ts.
 */
import type { HashName } from "../hash/hashes.ts";
import type { DistributionName } from "../routing/distributions.ts";

/** Where something listens or can be reached. `host` is as written; names are resolved late. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface ListenConfig {
  /** The text as written, for logs and for the check against other pools. */
  readonly text: string;
  readonly address: Address;
  /** Permission bits of a unix socket; 0 leaves what the umask gives. */
  readonly mode: number;
}

export interface ServerConfig {
  /** Ring name: identifies the server in the ring, in stats and in duplicate checks. */
  readonly name: string;
  /** The item as written without its name, for logs: "127.0.0.1:6379:1". */
  readonly displayName: string;
  readonly address: Address;
  /** At least 1. */
  readonly weight: number;
}

/** Where the keys of an ejected server go: see eject-policy.ts. */
export type EjectPolicy = "rehash" | "fail_fast" | "failover";

export interface PoolConfig {
  readonly name: string;
  readonly listen: ListenConfig;
  readonly hash: HashName;
  /** The two bytes that enclose the part of a key that counts, or null. */
  readonly hashTag: Uint8Array | null;
  readonly distribution: DistributionName;
  /** Longest wait for a response; 0 = forever. */
  readonly timeoutMs: number;
  /** Length of the kernel's queue of connections not yet accepted. */
  readonly backlog: number;
  /** Most clients at a time; 0 = as many as file descriptors allow. */
  readonly clientConnections: number;
  /** Longest silence of a client with nothing in flight; 0 = no limit. */
  readonly clientIdleTimeoutMs: number;
  /** true: Redis; false: memcached. */
  readonly isRedis: boolean;
  readonly tcpKeepalive: boolean;
  readonly reusePort: boolean;
  /** Password towards servers and from clients, or null. */
  readonly redisAuth: string | null;
  readonly redisDb: number;
  /** true: flush_all goes to every server of a memcached pool; false: it is refused. */
  readonly memcachedFlushAll: boolean;
  /** true: commands about a whole server go to the only one of a Redis pool. */
  readonly redisServerCommands: boolean;
  readonly preconnect: boolean;
  readonly autoEjectHosts: boolean;
  /** Where the keys of an ejected server go. */
  readonly ejectPolicy: EjectPolicy;
  /** The name of the pool that they go to; null unless the policy is failover. */
  readonly failoverPool: string | null;
  /** Connections to each server, at least 1. */
  readonly serverConnections: number;
  readonly serverRetryTimeoutMs: number;
  /** From the ejection of a server to the first probe; 0: it is never out. */
  readonly serverProbeIntervalMs: number;
  readonly serverFailureLimit: number;
  /** In index order: shorter ring names first, equal lengths by bytes. Never empty. */
  readonly servers: readonly ServerConfig[];
}

export interface Config {
  /** The file as named on the command line. */
  readonly file: string;
  /** Sorted by name as servers are. Never empty. */
  readonly pools: readonly PoolConfig[];
  /** Most memory for all buffers of this process together; more than 0. */
  readonly maxBufferMemoryBytes: number;
  /** Processes that serve, unless the command line says otherwise. */
  readonly workers: number;
}
