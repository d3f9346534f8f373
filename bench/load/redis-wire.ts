/**
 * Requests and replies of Redis: arrays of strings. Pieces are made once and shared.
 */
import { keyOf, valueOf } from "./wire.ts";
import type { Exchange, Wire } from "./wire.ts";

const OK = Buffer.from("+OK\r\n");
const GET = header(2, "GET");
const SET = header(3, "SET");

function bulk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

function header(count: number, name: string): Buffer {
  return Buffer.from(`*${count}\r\n$${name.length}\r\n${name}\r\n`);
}

export class RedisWire implements Wire {
  readonly #keys: Buffer[] = [];
  readonly #values: Buffer[] = [];

  constructor(keyCount: number, valueSizeBytes: number) {
    for (let index = 0; index < keyCount; index++) {
      this.#keys.push(bulk(Buffer.from(keyOf(index))));
      this.#values.push(bulk(valueOf(index, valueSizeBytes)));
    }
  }

  get(index: number): Exchange {
    return { request: [GET, this.#key(index)], reply: [this.#value(index)] };
  }

  set(index: number): Exchange {
    return { request: [SET, this.#key(index), this.#value(index)], reply: [OK] };
  }

  getMany(indexes: readonly number[]): Exchange {
    return {
      request: [header(1 + indexes.length, "MGET"), ...indexes.map((index) => this.#key(index))],
      reply: [Buffer.from(`*${indexes.length}\r\n`), ...indexes.map((index) => this.#value(index))],
    };
  }

  setMany(indexes: readonly number[]): Exchange {
    const pairs = indexes.flatMap((index) => [this.#key(index), this.#value(index)]);
    return { request: [header(1 + 2 * indexes.length, "MSET"), ...pairs], reply: [OK] };
  }

  #key(index: number): Buffer {
    return this.#keys[index] as Buffer;
  }

  #value(index: number): Buffer {
    return this.#values[index] as Buffer;
  }
}
