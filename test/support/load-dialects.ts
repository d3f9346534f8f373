/**
 * How verified load speaks redis and memcached: three requests, and which replies are right.
 *
 * Every value is derived from its key, so a reply that belongs to another request is seen.
 */
import { readReply } from "./memcached-replies.ts";
import type { RawClient } from "./raw-client.ts";
import { bulk, encodeRequest } from "./resp.ts";

export type DialectName = "redis" | "memcached";

export interface Dialect {
  readonly set: (key: string) => string;
  readonly get: (keys: readonly string[]) => string;
  readonly readReply: (client: RawClient) => Promise<string>;
  readonly stored: string;
  readonly isError: (reply: string) => boolean;
  /** The values of these keys, of which any may be absent. */
  readonly isValues: (reply: string, keys: readonly string[]) => boolean;
}

/** Keys with this prefix have values that are handed on as they come. */
const LARGE = "large";
const LARGE_VALUE_BYTES = 100_000;

export function isLarge(key: string): boolean {
  return key.startsWith(LARGE);
}

/** Most values are short, some longer than a chunk. */
export function loadValue(key: string): string {
  const number = Number(/\d+$/.exec(key)?.[0] ?? 0);
  if (isLarge(key)) return `${key}=${"v".repeat(LARGE_VALUE_BYTES)}`;
  return `${key}=${"v".repeat(number % 9 === 0 ? 3000 + number : number % 50)}`;
}

function isRedisValues(reply: string, keys: readonly string[]): boolean {
  const absent = "$-1\r\n";
  let at = 0;
  if (keys.length > 1) {
    const head = `*${keys.length}\r\n`;
    if (!reply.startsWith(head)) return false;
    at = head.length;
  }
  for (const key of keys) {
    const value = bulk(loadValue(key));
    if (reply.startsWith(value, at)) at += value.length;
    else if (reply.startsWith(absent, at)) at += absent.length;
    else return false;
  }
  return at === reply.length;
}

/** Values of several servers may come in any order. */
function isMemcachedValues(reply: string, keys: readonly string[]): boolean {
  const missing = new Set(keys);
  let at = 0;
  while (!reply.startsWith("END\r\n", at)) {
    const key = /^VALUE (\S+) /.exec(reply.slice(at, at + 300))?.[1] ?? "";
    const value = loadValue(key);
    const block = `VALUE ${key} 0 ${value.length}\r\n${value}\r\n`;
    if (!missing.delete(key) || !reply.startsWith(block, at)) return false;
    at += block.length;
  }
  return at + "END\r\n".length === reply.length;
}

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  redis: {
    set: (key) => encodeRequest(["SET", key, loadValue(key)]).toString("latin1"),
    get: (keys) => {
      return encodeRequest([keys.length === 1 ? "GET" : "MGET", ...keys]).toString("latin1");
    },
    readReply: (client) => client.readReply(),
    stored: "+OK\r\n",
    isError: (reply) => /^-(ERR|LOADING) [^\r\n]+\r\n$/.test(reply),
    isValues: isRedisValues,
  },
  memcached: {
    set: (key) => `set ${key} 0 0 ${loadValue(key).length}\r\n${loadValue(key)}\r\n`,
    get: (keys) => `get ${keys.join(" ")}\r\n`,
    readReply,
    stored: "STORED\r\n",
    isError: (reply) => /^SERVER_ERROR [^\r\n]+\r\n$/.test(reply),
    isValues: isMemcachedValues,
  },
};
