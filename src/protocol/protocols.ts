/**
 * The table of wire protocols.
 */
import type { Protocol } from "./protocol.ts";
import { MEMCACHED } from "./memcached/memcached.ts";
import { REDIS } from "./redis/redis.ts";

export const PROTOCOLS: Readonly<Record<"redis" | "memcached", Protocol>> = {
  redis: REDIS,
  memcached: MEMCACHED,
};
