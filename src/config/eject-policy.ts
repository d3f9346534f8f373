/**
 * What becomes of the keys of an ejected server (eject_policy): what the policy changes in a pool,
 * and the checks of what goes with it. Its text is read in directives.ts.
 *
 *   rehash           to the other servers of the pool, as in nutcracker
 *   fail_fast        an error at once
 *   failover: POOL   to another pool, until the server is back
 *
 * A pool whose file names a policy ejects, unless it says auto_eject_hosts: false beside rehash.
 * One hop at most: keys that come from another pool do not fail over again. So pools may be each
 * other's failover. Who acts on it is proxy/server-pool.ts.
 */
import type { PoolConfig } from "./config.ts";
import { type ConfigMistake, printable, quote } from "./config-error.ts";
import type { PoolDraft } from "./directives.ts";
import type { PoolReading } from "./pool-checks.ts";

/** Time between two looks at an ejected server, where nutcracker's cadence need not hold. */
const PROBE_INTERVAL_MS = 1000;

/**
 * What the policy changes in a pool whose other values are complete.
 *
 * An explicit server_probe_interval wins over server_retry_timeout, also if it is longer.
 *
 * @param lineOf the keys that the file has
 */
export function policyFields(
  draft: Required<PoolDraft>,
  lineOf: ReadonlyMap<string, number>,
): Pick<PoolConfig, "failoverPool" | "autoEjectHosts" | "serverProbeIntervalMs"> {
  const isRehash = draft.ejectPolicy === "rehash";
  const intervalMs = isRehash ? draft.serverRetryTimeoutMs : PROBE_INTERVAL_MS;
  return {
    failoverPool: draft.failoverPool ?? null,
    autoEjectHosts: lineOf.has("auto_eject_hosts")
      ? draft.autoEjectHosts
      : lineOf.has("eject_policy"),
    serverProbeIntervalMs: draft.serverProbeIntervalMs || intervalMs,
  };
}

/** The policies of all pools against the rest of the file. */
export function checkEjectPolicies(pools: readonly PoolReading[], file: string): ConfigMistake[] {
  return pools.flatMap((pool) => [
    ...checkAutoEject(pool, file),
    ...checkFailoverPool(pool, pools, file),
  ]);
}

function checkAutoEject({ name, line, draft, lineOf }: PoolReading, file: string): ConfigMistake[] {
  const { ejectPolicy = "rehash", autoEjectHosts } = draft;
  if (ejectPolicy === "rehash" || autoEjectHosts !== false) return [];
  return [
    {
      file,
      line: lineOf.get("auto_eject_hosts") ?? line,
      pool: name,
      key: "auto_eject_hosts",
      legacyLine: `conf: directive "auto_eject_hosts:" cannot be false with "eject_policy:"`,
      found: `"false" beside eject_policy: ${ejectPolicy}, which ejects`,
      allowed: "true, or none of the two",
    },
  ];
}

function checkFailoverPool(
  { name, line, draft, lineOf }: PoolReading,
  pools: readonly PoolReading[],
  file: string,
): ConfigMistake[] {
  const { failoverPool } = draft;
  if (failoverPool === undefined || failoverPool === null) return [];
  const target = pools.find((pool) => pool.name === failoverPool);
  let found = "";
  if (target === undefined) found = `${quote(failoverPool)}, which is no pool of this file`;
  else if (failoverPool === name) found = `${quote(failoverPool)}, which is the pool itself`;
  else if (isRedis(target) !== isRedis({ draft })) {
    found = `${quote(failoverPool)}, which speaks ${isRedis(target) ? "Redis" : "memcached"}`;
  }
  if (found === "") return [];
  const others = pools
    .filter((pool) => pool.name !== name && isRedis(pool) === isRedis({ draft }))
    .map((pool) => quote(pool.name));
  const names = `pool '${printable(name)}' cannot fail over to '${printable(failoverPool)}'`;
  const choice = others.length === 0 ? "there is none" : `one of ${others.join(", ")}`;
  return [
    {
      file,
      line: lineOf.get("eject_policy") ?? line,
      pool: name,
      key: "eject_policy",
      legacyLine: `conf: ${names}`,
      found,
      allowed: `another pool of the same protocol: ${choice}`,
    },
  ];
}

function isRedis({ draft }: Pick<PoolReading, "draft">): boolean {
  return draft.isRedis === true;
}
