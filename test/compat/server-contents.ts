/**
 * What lies on a server: every key with its type, its value in a form that does not depend on the
 * server's hash tables, and whether it expires.
 */
import type { RedisServer } from "../support/redis-server.ts";
import { sorted, show } from "../support/reply-comparison.ts";
import { StatusReply } from "../support/resp.ts";
import type { Argument, ReplyValue } from "../support/resp.ts";
import type { RawClient } from "../support/raw-client.ts";

/** How to read a value of a type, and the number of elements that belong together if unordered. */
const READERS: Readonly<Record<string, { command: (key: Buffer) => Argument[]; step: number }>> = {
  string: { command: (key) => ["GET", key], step: 0 },
  list: { command: (key) => ["LRANGE", key, "0", "-1"], step: 0 },
  set: { command: (key) => ["SMEMBERS", key], step: 1 },
  hash: { command: (key) => ["HGETALL", key], step: 2 },
  zset: { command: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"], step: 0 },
};

/** Reads a database of a server: one line per key, sorted. */
export async function contentsOf(server: RedisServer, database: number): Promise<string[]> {
  const client = await server.connect();
  try {
    await client.call("SELECT", database);
    const keys = (await client.value("KEYS", "*")) as Buffer[];
    const lines = await Promise.all(keys.map((key) => describe(client, key)));
    return lines.sort();
  } finally {
    client.close();
  }
}

async function describe(client: RawClient, key: Buffer): Promise<string> {
  const type = await client.value("TYPE", key);
  const name = type instanceof StatusReply ? type.text : show(type);
  const reader = READERS[name];
  if (reader === undefined) throw new Error(`server-contents: no reader for type "${name}"`);
  const [value, ttl] = await Promise.all([
    client.value(...reader.command(key)),
    client.value("PTTL", key),
  ]);
  return [show(key), name, shown(value, reader.step), expiry(ttl)].join(" ");
}

function shown(value: ReplyValue, step: number): string {
  return step === 0 ? show(value) : sorted(value, step);
}

/** Seconds pass between reading one server and the other: only the order of magnitude counts. */
function expiry(ttl: ReplyValue): string {
  if (typeof ttl !== "number" || ttl < 0) return "stays";
  return `expires in 10^${Math.round(Math.log10(Math.max(ttl, 1)))} ms`;
}
