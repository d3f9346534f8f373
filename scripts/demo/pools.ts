/**
 * The pools of the demo as data, and the nutcracker.yml that says the same.
 */

export interface DemoServer {
  /** The name in the ring, which decides where keys go; the port does not. */
  readonly name: string;
  readonly port: number;
}

export interface DemoPool {
  readonly name: string;
  readonly port: number;
  readonly directives: Readonly<Record<string, string | number | boolean>>;
  readonly servers: readonly DemoServer[];
}

export const SERVER_FAILURE_LIMIT = 2;
export const SERVER_RETRY_TIMEOUT_MS = 2_000;

/** @param ports one for the pool, then one for each of three servers */
export function redisPool(ports: readonly number[]): DemoPool {
  const [port = 0, ...serverPorts] = ports;
  return {
    name: "demo",
    port,
    directives: {
      redis: true,
      hash: "fnv1a_64",
      distribution: "ketama",
      timeout: 1_000,
      auto_eject_hosts: true,
      server_failure_limit: SERVER_FAILURE_LIMIT,
      server_retry_timeout: SERVER_RETRY_TIMEOUT_MS,
    },
    servers: namedServers("redis", serverPorts),
  };
}

/** @param ports one for the pool, then one for each of two servers */
export function memcachedPool(ports: readonly number[]): DemoPool {
  const [port = 0, ...serverPorts] = ports;
  return {
    name: "cache",
    port,
    directives: { hash: "fnv1a_64", distribution: "ketama", timeout: 1_000 },
    servers: namedServers("cache", serverPorts),
  };
}

function namedServers(kind: string, ports: readonly number[]): DemoServer[] {
  return ports.map((port, i) => ({ name: `${kind}-${"abcdefgh"[i] ?? i}`, port }));
}

export function configText(pools: readonly DemoPool[]): string {
  return pools.map(poolText).join("\n");
}

function poolText(pool: DemoPool): string {
  const directives = Object.entries({ listen: `127.0.0.1:${pool.port}`, ...pool.directives });
  return [
    `${pool.name}:`,
    ...directives.map(([key, value]) => `  ${key}: ${value}`),
    "  servers:",
    ...pool.servers.map((server) => `    - 127.0.0.1:${server.port}:1 ${server.name}`),
    "",
  ].join("\n");
}
