/**
 * The stats as nutcracker's JSON, for scripts that read its stats port.
 *
 *   {"service":"nutcracker", ..., "descriptors_max":1024, "pool": {"client_eof":0, ...,
 *    "server": {"server_eof":0, ..., "server_state":"healthy"},"server 2": {...}}}
 *
 * Blanks and commas stand exactly where nutcracker puts them: after the comma between numbers,
 * after the colon before an object, and nowhere between two objects. Names are escaped, which
 * nutcracker forgets. Does not count and does not listen. Twin: nc_stats.c.
 */

import type { ConnectionCounters, PoolStatistics, ProcessGauges } from "./counters.ts";
import {
  type Metric,
  POOL_METRICS,
  PROCESS_METRICS,
  SERVER_METRICS,
  STATE_WORDS,
} from "./metrics.ts";

/** What the stats say about the program as a whole. */
export interface SnapshotHead {
  /** Host name of this machine. */
  readonly source: string;
  readonly version: string;
  /** Whole seconds since the start. */
  readonly uptimeSeconds: number;
  /** Whole seconds since 1970. */
  readonly timestampSeconds: number;
  readonly connections: Readonly<ConnectionCounters>;
  readonly gauges: Readonly<ProcessGauges>;
}

/**
 * All numbers as they are at this moment, as one line without its line feed.
 *
 * @cost linear in pools and servers; about 300 bytes per server
 */
export function formatSnapshot(head: SnapshotHead, pools: readonly PoolStatistics[]): string {
  const members = [
    `"service":"nutcracker"`,
    `"source":${JSON.stringify(head.source)}`,
    `"version":${JSON.stringify(head.version)}`,
    `"uptime":${head.uptimeSeconds}`,
    `"timestamp":${head.timestampSeconds}`,
    `"total_connections":${head.connections.total}`,
    `"curr_connections":${head.connections.current}`,
    ...numbers(PROCESS_METRICS, head.gauges),
  ];
  return object(members, pools.map(formatPool));
}

function formatPool(pool: PoolStatistics): string {
  pool.refreshGauges();
  const servers = pool.servers.map(({ name, counters }) =>
    named(name, object(numbers(SERVER_METRICS, counters), [])),
  );
  return named(pool.name, object(numbers(POOL_METRICS, pool.counters), servers));
}

function numbers<Field extends string>(
  metrics: readonly Metric<Field>[],
  counters: Readonly<Record<Field, number>>,
): string[] {
  return metrics.map(({ name, field, kind }) => {
    const number = counters[field];
    return `"${name}":${kind === "state" ? JSON.stringify(STATE_WORDS[number]) : number}`;
  });
}

function named(name: string, text: string): string {
  return `${JSON.stringify(name)}: ${text}`;
}

/** Numbers and texts first, then objects, which have no blank between them. */
function object(members: readonly string[], objects: readonly string[]): string {
  const first = members.join(", ");
  return objects.length === 0 ? `{${first}}` : `{${first}, ${objects.join(",")}}`;
}
