/**
 * The part of reading a configuration that asks the network: do the names in `listen` have an
 * address? nutcracker counts one that has none as a mistake in the file, also with -t.
 *
 * Names of servers are not asked for here. They may come and go while the proxy runs.
 */

import { ConfigError, type ConfigMistake, quote } from "../config/config-error.ts";
import type { Config, PoolConfig } from "../config/config.ts";
import type { Logger } from "../log/logger.ts";
import { bareHost, resolutionFailure, resolveName } from "../lib/resolve-name.ts";

/**
 * @param log gets nutcracker's line about each name; null = nobody (-t)
 * @throws ConfigError CONFIG_INVALID with a mistake for every name that has no address
 */
export async function checkListenNames(config: Config, log: Logger | null): Promise<void> {
  const mistakes: ConfigMistake[] = [];
  for (const pool of config.pools) {
    const { address } = pool.listen;
    if (address.kind === "unix") continue;
    const host = bareHost(address.host);
    if ((await resolveName(host)) !== null) continue;
    log?.error("check-names.ts:1", resolutionFailure(host, address.port));
    mistakes.push(unknownName(config.file, pool));
  }
  if (mistakes.length > 0) throw new ConfigError("CONFIG_INVALID", mistakes);
}

function unknownName(file: string, pool: PoolConfig): ConfigMistake {
  return {
    file,
    line: 0,
    pool: pool.name,
    key: "listen",
    legacyLine: 'conf: directive "listen" has an invalid value',
    found: `${quote(pool.listen.text)}, a name without an address`,
    allowed: "an IP address, or a name that can be resolved",
  };
}
