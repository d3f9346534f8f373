/**
 * The table of the hashes: name in a configuration -> function.
 *
 * The first twelve names and their meaning are nutcracker's (hashkit/nc_hashkit.h); a key must get
 * the number that nutcracker 0.5.0 on x86 gives it. The xxHash family is ours.
 */
import { crc16 } from "./crc16.ts";
import { crc32, crc32a } from "./crc32.ts";
import { fnv1_32, fnv1_64, fnv1a_32, fnv1a_64 } from "./fnv.ts";
import type { HashFunction } from "./hash-function.ts";
import { hsieh } from "./hsieh.ts";
import { jenkins } from "./jenkins.ts";
import { md5 } from "./md5.ts";
import { murmur } from "./murmur.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { xxh3, xxh32, xxh64 } from "./xxhash.ts";

const HASHES = {
  one_at_a_time: oneAtATime,
  md5,
  crc16,
  crc32,
  crc32a,
  fnv1_64,
  fnv1a_64,
  fnv1_32,
  fnv1a_32,
  hsieh,
  murmur,
  jenkins,
  xxh32,
  xxh64,
  xxh3,
} as const satisfies Record<string, HashFunction>;

export type HashName = keyof typeof HASHES;

/** Every name that `hash:` accepts, nutcracker's first. */
export const HASH_NAMES: readonly HashName[] = Object.keys(HASHES) as HashName[];

/** Whether a text is the name of a hash; upper and lower case differ. */
export function isHashName(text: string): text is HashName {
  return Object.hasOwn(HASHES, text);
}

export function hashFunction(name: HashName): HashFunction {
  return HASHES[name];
}
