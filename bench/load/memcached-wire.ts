/**
 * Requests and replies of memcached's text protocol. Pieces are made once and shared.
 *
 *   get key:…1 key:…2 <CRLF>        VALUE key:…1 0 64 <CRLF> bytes <CRLF> VALUE … END <CRLF>
 *
 * Values come in the order of the keys, since every key of a load is there.
 */
import { keyOf, valueOf } from "./wire.ts";
import type { Exchange, Wire } from "./wire.ts";

const GET = Buffer.from("get");
const LINE_END = Buffer.from("\r\n");
const STORED = Buffer.from("STORED\r\n");
const END = Buffer.from("END\r\n");

/** The bytes of one key in each place where it stands. */
interface Entry {
  /** The key with the blank before it. */
  readonly word: Buffer;
  readonly setLine: Buffer;
  readonly valueLine: Buffer;
  /** With its line end. */
  readonly value: Buffer;
}

function entryOf(index: number, sizeBytes: number): Entry {
  const key = keyOf(index);
  return {
    word: Buffer.from(` ${key}`),
    setLine: Buffer.from(`set ${key} 0 0 ${sizeBytes}\r\n`),
    valueLine: Buffer.from(`VALUE ${key} 0 ${sizeBytes}\r\n`),
    value: Buffer.concat([valueOf(index, sizeBytes), LINE_END]),
  };
}

export class MemcachedWire implements Wire {
  readonly #entries: readonly Entry[];

  constructor(keyCount: number, valueSizeBytes: number) {
    this.#entries = Array.from({ length: keyCount }, (_, index) => entryOf(index, valueSizeBytes));
  }

  get(index: number): Exchange {
    const { word, valueLine, value } = this.#entry(index);
    return { request: [GET, word, LINE_END], reply: [valueLine, value, END] };
  }

  set(index: number): Exchange {
    const { setLine, value } = this.#entry(index);
    return { request: [setLine, value], reply: [STORED] };
  }

  getMany(indexes: readonly number[]): Exchange {
    const entries = indexes.map((index) => this.#entry(index));
    return {
      request: [GET, ...entries.map(({ word }) => word), LINE_END],
      reply: [...entries.flatMap(({ valueLine, value }) => [valueLine, value]), END],
    };
  }

  setMany(): Exchange {
    throw new Error("memcached has no request that sets several keys");
  }

  #entry(index: number): Entry {
    return this.#entries[index] as Entry;
  }
}
