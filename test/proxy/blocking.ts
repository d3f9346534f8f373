/**
 * What tests of clients that block have in common.
 */
import { eventually } from "../support/eventually.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { DataPlane } from "./data-plane.ts";

/** No element came in time. */
export const NIL = "*-1\r\n";
export const pair = (key: string, value: string) => `*2\r\n${bulk(key)}${bulk(value)}`;

/** Waits until so many clients are blocked at the server. */
export async function blocked(redis: RedisServer, count: number): Promise<void> {
  await eventually(async () => (await redis.info("blocked_clients")) === count);
}

export async function listOf(redis: RedisServer, key: string): Promise<string[]> {
  const values = (await redis.command("LRANGE", key, "0", "-1")) as readonly unknown[];
  return values.map(String);
}

/** A pool of these servers, s0, s1 and so on. */
export function start(...servers: RedisServer[]): Promise<DataPlane> {
  return DataPlane.start({ servers: servers.map(({ item }, i) => `${item}:1 s${i}`) });
}

export function keyOn(plane: DataPlane, server: number): string {
  for (let i = 0; ; i++) {
    const key = Buffer.from(`k${i}`);
    if (plane.pool.serverIndexOf(key, 0, key.length) === server) return key.toString();
  }
}
