/**
 * Which requests a load sends: commands for keys chosen at random, in the words of a protocol.
 */
import { MemcachedWire } from "./memcached-wire.ts";
import { RedisWire } from "./redis-wire.ts";
import type { Exchange, Wire } from "./wire.ts";

/** `mget` is memcached's get of several keys, too. */
export const COMMANDS = ["get", "set", "mget", "mset"] as const;
export type Command = (typeof COMMANDS)[number];

/** Shares of the commands, of whatever they add up to. */
export type Mix = Readonly<Partial<Record<Command, number>>>;

export const PROTOCOLS = ["redis", "memcached"] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

export interface WorkloadOptions {
  readonly protocol: ProtocolName;
  readonly keyCount: number;
  readonly valueSizeBytes: number;
  /** Keys of one `mget`, and of one `mset`. */
  readonly mgetKeys: number;
  readonly msetKeys: number;
}

const WIRES = {
  redis: RedisWire,
  memcached: MemcachedWire,
} as const satisfies Record<ProtocolName, new (keyCount: number, valueSizeBytes: number) => Wire>;

/** One entry per hundredth: choosing a command is choosing an entry. */
export function commandTable(mix: Mix): Command[] {
  const total = Object.values(mix).reduce((sum, share) => sum + share, 0);
  return COMMANDS.flatMap((command) =>
    Array<Command>(Math.round(((mix[command] ?? 0) / total) * 100)).fill(command),
  );
}

export class Workload {
  readonly options: WorkloadOptions;
  readonly #wire: Wire;

  constructor(options: WorkloadOptions) {
    this.options = options;
    this.#wire = new WIRES[options.protocol](options.keyCount, options.valueSizeBytes);
  }

  /** One request of a command, for keys that `random(limit)` chooses. */
  exchange(command: Command, random: (limit: number) => number): Exchange {
    const { keyCount, mgetKeys, msetKeys } = this.options;
    const some = (count: number): number[] => Array.from({ length: count }, () => random(keyCount));
    switch (command) {
      case "get":
        return this.#wire.get(random(keyCount));
      case "set":
        return this.#wire.set(random(keyCount));
      case "mget":
        return this.#wire.getMany(some(mgetKeys));
      case "mset":
        return this.#wire.setMany(some(msetKeys));
    }
  }

  /** Requests of a mix of commands, chosen by `random(limit)`. */
  some(mix: Mix, random: (limit: number) => number, count: number): Exchange[] {
    const table = commandTable(mix);
    const one = (): Exchange => this.exchange(table[random(table.length)] as Command, random);
    return Array.from({ length: count }, one);
  }

  /** The request that writes the value of one key. */
  set(index: number): Exchange {
    return this.#wire.set(index);
  }
}
