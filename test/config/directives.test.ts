/** The table of directives: keys, defaults, and which field of a pool a value becomes. */
import { describe, expect, test } from "bun:test";
import { DIRECTIVES, directiveOf, type PoolDraft } from "../../src/config/directives.ts";
import { parseConfig } from "../../src/config/load.ts";
import { poolWith } from "./config-case.ts";

/** The first pool of a file with one more line. */
function poolOf(line: string) {
  const pool = parseConfig(poolWith("redis: true", line), "F").pools[0];
  if (pool === undefined) throw new Error("no pool");
  return pool;
}

test("each key and each alias is there once", () => {
  const keys = DIRECTIVES.flatMap(({ key, aliases = [] }) => [key, ...aliases]);
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(directiveOf(key)).toBeDefined();
  expect(directiveOf("Timeout")).toBeUndefined();
  expect(directiveOf("constructor")).toBeUndefined();
});

test.each(DIRECTIVES.map((directive) => [directive.key, directive] as const))(
  "the default of %s is a value that it allows",
  (_key, { defaultText, set, help, allowed }) => {
    const draft: PoolDraft = { servers: [] };
    if (defaultText !== null) expect(set(draft, defaultText)).toBeNull();
    expect(help).toMatch(/^[A-Za-z].*\.$/);
    expect(allowed).not.toBe("");
  },
);

describe("where a value goes", () => {
  test.each([
    ["hash: murmur", { hash: "murmur" }],
    ["hash: xxh3", { hash: "xxh3" }],
    ['hash_tag: "$$"', { hashTag: Uint8Array.of(0x24, 0x24) }],
    ["hash_tag: é", { hashTag: Uint8Array.of(0xc3, 0xa9) }],
    ["distribution: modula", { distribution: "modula" }],
    ["timeout: 400", { timeoutMs: 400 }],
    ["timeout: 0", { timeoutMs: 0 }],
    ["backlog: 1024", { backlog: 1024 }],
    ["client_connections: 100", { clientConnections: 100 }],
    ["client_idle_timeout: 60000", { clientIdleTimeoutMs: 60000 }],
    ["tcpkeepalive: true", { tcpKeepalive: true }],
    ["reuseport: true", { reusePort: true }],
    ["reuse_port: true", { reusePort: true }],
    ["redis_auth: 0777", { redisAuth: "0777" }],
    ["redis_auth: ' a b '", { redisAuth: " a b " }],
    ["redis_db: 5", { redisDb: 5 }],
    ["preconnect: true", { preconnect: true }],
    ["auto_eject_hosts: true", { autoEjectHosts: true }],
    ["eject_policy: rehash", { ejectPolicy: "rehash", autoEjectHosts: true }],
    ["eject_policy: fail_fast", { ejectPolicy: "fail_fast", autoEjectHosts: true }],
    ["eject_policy: fail_fast", { failoverPool: null, serverProbeIntervalMs: 1000 }],
    ["server_retry_timeout: 700", { serverProbeIntervalMs: 700 }],
    ["server_probe_interval: 250", { serverProbeIntervalMs: 250 }],
    ["server_probe_interval: 0", { serverProbeIntervalMs: 30_000 }],
    ["server_connections: 3", { serverConnections: 3 }],
    ["server_retry_timeout: 2000", { serverRetryTimeoutMs: 2000 }],
    ["server_failure_limit: 0", { serverFailureLimit: 0 }],
  ])("%s", (line, expected) => {
    expect(poolOf(line)).toMatchObject(expected);
  });
});

test("without any directive but listen and servers a pool has nutcracker's defaults", () => {
  expect(parseConfig(poolWith(), "F").pools[0]).toEqual({
    name: "alpha",
    listen: {
      text: "127.0.0.1:22121",
      address: { kind: "tcp", host: "127.0.0.1", port: 22121 },
      mode: 0,
    },
    hash: "fnv1a_64",
    hashTag: null,
    distribution: "ketama",
    timeoutMs: 0,
    backlog: 512,
    clientConnections: 0,
    isRedis: false,
    tcpKeepalive: false,
    reusePort: false,
    redisAuth: null,
    clientIdleTimeoutMs: 0,
    redisDb: 0,
    memcachedFlushAll: false,
    redisServerCommands: false,
    preconnect: false,
    autoEjectHosts: false,
    ejectPolicy: "rehash",
    failoverPool: null,
    serverConnections: 1,
    serverRetryTimeoutMs: 30000,
    serverProbeIntervalMs: 30000,
    serverFailureLimit: 2,
    servers: [
      {
        name: "127.0.0.1:6379",
        displayName: "127.0.0.1:6379:1",
        address: { kind: "tcp", host: "127.0.0.1", port: 6379 },
        weight: 1,
      },
    ],
  });
});
