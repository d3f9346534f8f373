/**
 * Checks of values against each other, once every single value has been read: within a pool, then
 * between pools. A value that was refused before is not held against the pool a second time.
 */

import { NUMBER_MAX } from "./addresses.ts";
import type { ConfigMistake } from "./config-error.ts";
import { printable, quote } from "./config-error.ts";
import type { PoolDraft } from "./directives.ts";

/** A pool as far as it could be read. */
export interface PoolReading {
  readonly name: string;
  readonly line: number;
  readonly draft: PoolDraft;
  /** Line of the first appearance of each directive, be its value good or not. */
  readonly lineOf: ReadonlyMap<string, number>;
  /** Line of each of the draft's servers. */
  readonly serverLines: readonly number[];
  /** true: the list of servers is missing, or hides under a key that does not exist. */
  readonly isWithoutList: boolean;
}

/** The mistakes, those within pools first; both in the order of the file. */
export function checkPools(pools: readonly PoolReading[], file: string): ConfigMistake[] {
  if (pools.length === 0) {
    const legacyLine = `conf: '${printable(file)}' has no pools`;
    return [
      { file, line: 0, pool: null, key: null, legacyLine, found: "no pool", allowed: "a pool" },
    ];
  }
  return [
    ...pools.flatMap((pool) => checkPool(pool, file)),
    ...checkListenAddresses(pools, file),
    ...checkPoolNames(pools, file),
  ];
}

function checkPool(pool: PoolReading, file: string): ConfigMistake[] {
  const { draft, lineOf } = pool;
  const mistakes: ConfigMistake[] = [];
  const report = (key: string, line: number, legacy: string, found: string, allowed: string) =>
    mistakes.push({
      file,
      line,
      pool: pool.name,
      key,
      legacyLine: `conf: ${legacy}`,
      found,
      allowed,
    });

  if (!lineOf.has("listen")) {
    const legacy = 'directive "listen:" is missing';
    report("listen", pool.line, legacy, "nothing", "the address on which the pool listens");
  }
  if (draft.serverConnections === 0) {
    const line = lineOf.get("server_connections") ?? pool.line;
    const legacy = 'directive "server_connections:" cannot be 0';
    report("server_connections", line, legacy, '"0"', `a number from 1 to ${NUMBER_MAX}`);
  }
  const isMemcached = draft.isRedis === false || !lineOf.has("redis");
  if (isMemcached && draft.redisAuth !== undefined) {
    const line = lineOf.get("redis_auth") ?? pool.line;
    const legacy = 'directive "redis_auth:" is only valid for a redis pool';
    report("redis_auth", line, legacy, "a password in a memcached pool", "it with redis: true");
  }
  if (draft.memcachedFlushAll === true && draft.isRedis === true) {
    const line = lineOf.get("memcached_flush_all") ?? pool.line;
    const legacy = 'directive "memcached_flush_all:" is only valid for a memcached pool';
    const allowed = "it without redis: true; FLUSHALL of Redis: redis_server_commands";
    report("memcached_flush_all", line, legacy, "true in a redis pool", allowed);
  }
  if (draft.redisServerCommands === true && (isMemcached || draft.servers.length > 1)) {
    const line = lineOf.get("redis_server_commands") ?? pool.line;
    const legacy = 'directive "redis_server_commands:" needs a redis pool of one server';
    const found = isMemcached
      ? "true in a memcached pool"
      : `true with ${draft.servers.length} servers`;
    report("redis_server_commands", line, legacy, found, "true with redis: true and one server");
  }
  if (!lineOf.has("servers") && !pool.isWithoutList) {
    const legacy = `pool '${printable(pool.name)}' has no servers`;
    report("servers", pool.line, legacy, "no servers", "a list of at least one server");
  }
  const servers = draft.servers.map(({ name }, index) => ({ name, line: pool.serverLines[index] }));
  for (const [first, second] of repetitions(servers, (server) => server.name)) {
    const name = printable(second.name);
    const legacy = `pool '${printable(pool.name)}' has servers with same name '${name}'`;
    const found = `${quote(second.name)} for the second time (first on line ${first.line})`;
    report("servers", second.line ?? 0, legacy, found, "each name once in a pool");
  }
  return mistakes;
}

/** Compares texts, not what they resolve to; binding will tell about the rest. */
function checkListenAddresses(pools: readonly PoolReading[], file: string): ConfigMistake[] {
  const listening = pools.filter(({ draft }) => draft.listen !== undefined);
  return repetitions(listening, ({ draft }) => draft.listen?.text ?? "").map(([first, second]) => {
    const address = second.draft.listen?.text ?? "";
    const names = `'${printable(first.name)}' and '${printable(second.name)}'`;
    return {
      file,
      line: second.lineOf.get("listen") ?? second.line,
      pool: second.name,
      key: "listen",
      legacyLine: `conf: pools ${names} have the same listen address '${printable(address)}'`,
      found: `${quote(address)}, on which pool ${quote(first.name)} listens`,
      allowed: "an address of its own for each pool",
    };
  });
}

function checkPoolNames(pools: readonly PoolReading[], file: string): ConfigMistake[] {
  return repetitions(pools, ({ name }) => name).map(([first, second]) => ({
    file,
    line: second.line,
    pool: second.name,
    key: null,
    // The quote that is missing before the name is missing in nutcracker too.
    legacyLine: `conf: '${printable(file)}' has pools with same name ${printable(second.name)}'`,
    found: `the name for the second time (first on line ${first.line})`,
    allowed: "each name once",
  }));
}

/** Every item whose key an earlier one has, together with the first that has it. */
function repetitions<Item>(items: readonly Item[], keyOf: (item: Item) => string): [Item, Item][] {
  const firsts = new Map<string, Item>();
  const pairs: [Item, Item][] = [];
  for (const item of items) {
    const first = firsts.get(keyOf(item));
    if (first === undefined) {
      firsts.set(keyOf(item), item);
    } else {
      pairs.push([first, item]);
    }
  }
  return pairs;
}
