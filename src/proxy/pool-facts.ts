/**
 * What INFO tells about a pool: how it is set up, and how it is.
 */
import { ServerState } from "../stats/counters.ts";
import type { ServerPool } from "./server-pool.ts";

export function poolFacts(pool: ServerPool): [string, string | number][] {
  const { config, servers, counters } = pool;
  const hashTag = config.hashTag === null ? "" : String.fromCharCode(...config.hashTag);
  return [
    ["pool", pool.name],
    ["hash", config.hash],
    ["hash_tag", hashTag],
    ["distribution", config.distribution],
    ["servers", servers.length],
    ["eject_policy", config.autoEjectHosts ? config.ejectPolicy : "none"],
    [
      "servers_suspect",
      servers.filter(({ health }) => health.state === ServerState.Suspect).length,
    ],
    ["servers_ejected", servers.filter(({ health }) => health.isEjected).length],
    ["server_ejects", counters.serverEjects],
    ["forward_error", counters.forwardError],
    ["fragments", counters.fragments],
    ["client_connections", counters.clientConnections],
  ];
}
