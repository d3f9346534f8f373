/**
 * What a load is made of: keys, the values that belong to them, requests, and the replies they must
 * have, all as bytes that are made once.
 *
 * A value is its index and key, repeated: a reply that belongs to another key cannot pass for the
 * right one.
 */

export const COMMANDS = ["get", "set", "mget", "mset"] as const;
export type Command = (typeof COMMANDS)[number];

export interface WorkloadOptions {
  readonly keyCount: number;
  readonly valueSizeBytes: number;
  /** Keys of one MGET, and of one MSET. */
  readonly mgetKeys: number;
  readonly msetKeys: number;
}

/** A request: pieces to send, and the pieces that must come back, in order. */
export interface Exchange {
  readonly request: readonly Buffer[];
  readonly reply: readonly Buffer[];
}

const OK = Buffer.from("+OK\r\n");

/** The key of an index, spelled as redis-benchmark -r does. */
export function keyOf(index: number): string {
  return `key:${String(index).padStart(12, "0")}`;
}

/** The index comes first, so that short values differ, too. */
function valueOf(index: number, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${index}:${keyOf(index)}|`);
}

function bulk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

function header(count: number, name: string): Buffer {
  return Buffer.from(`*${count}\r\n$${name.length}\r\n${name}\r\n`);
}

export class Workload {
  readonly options: WorkloadOptions;
  readonly #keys: Buffer[] = [];
  readonly #values: Buffer[] = [];
  readonly #get = header(2, "GET");
  readonly #set = header(3, "SET");
  readonly #mget: Buffer;
  readonly #mset: Buffer;
  readonly #mgetReply: Buffer;

  constructor(options: WorkloadOptions) {
    this.options = options;
    for (let index = 0; index < options.keyCount; index++) {
      this.#keys.push(bulk(Buffer.from(keyOf(index))));
      this.#values.push(bulk(valueOf(index, options.valueSizeBytes)));
    }
    this.#mget = header(1 + options.mgetKeys, "MGET");
    this.#mset = header(1 + 2 * options.msetKeys, "MSET");
    this.#mgetReply = Buffer.from(`*${options.mgetKeys}\r\n`);
  }

  /** One request of a command, for keys that `random(limit)` chooses. */
  exchange(command: Command, random: (limit: number) => number): Exchange {
    const { keyCount, mgetKeys, msetKeys } = this.options;
    if (command === "get") {
      const index = random(keyCount);
      return { request: [this.#get, this.#key(index)], reply: [this.#value(index)] };
    }
    if (command === "set") return this.set(random(keyCount));
    if (command === "mget") {
      const indexes = Array.from({ length: mgetKeys }, () => random(keyCount));
      return {
        request: [this.#mget, ...indexes.map((index) => this.#key(index))],
        reply: [this.#mgetReply, ...indexes.map((index) => this.#value(index))],
      };
    }
    const indexes = Array.from({ length: msetKeys }, () => random(keyCount));
    const pairs = indexes.flatMap((index) => [this.#key(index), this.#value(index)]);
    return { request: [this.#mset, ...pairs], reply: [OK] };
  }

  /** The request that writes the value of one key. */
  set(index: number): Exchange {
    return { request: [this.#set, this.#key(index), this.#value(index)], reply: [OK] };
  }

  #key(index: number): Buffer {
    return this.#keys[index] as Buffer;
  }

  #value(index: number): Buffer {
    return this.#values[index] as Buffer;
  }
}
