/**
 * The two kinds of divided requests for fragments.ts: those of Redis and those of memcached.
 *
 * Whether a key is there, and with which value, follows from the key: the replies of all servers
 * together are then the reply of one that has them all.
 */
import { MEMCACHED } from "../../src/protocol/memcached/memcached.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import { REDIS } from "../../src/protocol/redis/redis.ts";
import { bulk, decodeRequest, encodeRequest } from "../support/resp.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { FragmentKind } from "./fragments.ts";
import { FragmentTarget } from "./fragments.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { KEPT_BYTES_MAX } from "./fuzzer.ts";
import { MEMCACHED_WORDS, validReply as memcachedReply } from "./memcached-streams.ts";
import { REDIS_WORDS, validReply as redisReply } from "./redis-streams.ts";
import { readMemcachedReply } from "./reference-memcached.ts";
import { readRedisReply } from "./reference-redis-response.ts";

const KEYS = ["", "a", "b", "key", "\r\n", "$1\r\n", "*2\r\n", "_\r\n", "\0", "\xff"];

function keysOf(random: SeededRandom, isAnyByte: boolean): string[] {
  const count = random.chance(0.03) ? random.between(30, 300) : random.between(1, 8);
  return Array.from({ length: count }, () => {
    if (isAnyByte && random.chance(0.2)) return random.pick(KEYS);
    return `key${random.integer(50)}`;
  });
}

/** Most keys have a value; a few of those are long enough to be handed on instead of copied. */
function valueOf(key: string): string | null {
  const number = Number(key.slice(3));
  if (number % 5 === 1) return null;
  return number === 7 ? `${key}=${"v".repeat(9000)}` : `${key}=\r\n${"v".repeat(number % 20)}`;
}

const REDIS_NAMES = ["MGET", "MGET", "MSET", "DEL", "UNLINK", "TOUCH", "EXISTS", "mget", "mSeT"];

/** Elements that are read in another way if they are not read exactly. */
const ODD_ELEMENTS = [
  ...["_\r\n", "_a\r\n", "_ab$3\r\n", "_ab$-1\r\n", "+ab\r\n", "$1\r\nx\r\n", "$-1\r\n", "*-1\r\n"],
  ...["$01\r\nx\r\n", ":+1\r\n", ":-1\r\n", `:${2 ** 53}\r\n`, ":99999999999999999999\r\n"],
];

const REDIS_KIND: FragmentKind = {
  protocol: REDIS as unknown as Protocol,
  words: REDIS_WORDS,
  make: (random) => {
    const name = random.pick(REDIS_NAMES);
    const isPaired = name.toUpperCase() === "MSET";
    const words = keysOf(random, true).flatMap((key) => (isPaired ? [key, `set ${key}`] : [key]));
    return encodeRequest([name, ...words].map((word) => Buffer.from(word, "latin1")));
  },
  readRequest: (text) => {
    const [name, ...words] = decodeRequest(Buffer.from(text, "latin1"), 0)!.args.map((word) =>
      word.toString("latin1"),
    );
    const command = name!.toUpperCase();
    if (command !== "MSET") return { command, keys: words };
    const keys = words.filter((_, i) => i % 2 === 0);
    const isPaired = keys.every((key, i) => words[2 * i + 1] === `set ${key}`);
    if (!isPaired) throw new Error(`MSET has other values: ${JSON.stringify(words)}`);
    return { command, keys };
  },
  reply: (command, keys) => {
    if (command === "MSET") return "+OK\r\n";
    if (command !== "MGET") return `:${keys.filter((key) => valueOf(key) !== null).length}\r\n`;
    return `*${keys.length}\r\n${keys.map(redisValue).join("")}`;
  },
  oddReply: (random, keyCount) => {
    if (random.chance(0.2)) return redisReply(random).toString("latin1");
    if (random.chance(0.3)) return random.pick(ODD_ELEMENTS);
    const elements = Array.from({ length: keyCount }, () => random.pick(ODD_ELEMENTS));
    return `*${keyCount}\r\n${elements.join("")}`;
  },
  readReply: readRedisReply,
};

function redisValue(key: string): string {
  const value = valueOf(key);
  return value === null ? "$-1\r\n" : bulk(value);
}

const ODD_VALUES = [
  ...[
    "VALUE k 0 1\r\nx\r\n",
    "VALUE  0 1\r\nx\r\n",
    "value k 0 1\r\nx\r\n",
    "VALUE\tk 0 1 1\r\nx\r\n",
  ],
  ...["VALUE k\r 0 01\r\nx\r\n", "VALUE k 0 0 9\r\n\r\n", "VALUE k 0 5\r\nEND\r\n\r\n", ""],
];

const MEMCACHED_KIND: FragmentKind = {
  protocol: MEMCACHED as unknown as Protocol,
  words: MEMCACHED_WORDS,
  make: (random) => {
    const start = random.pick(["get", "get", "gets", "gat 60", "gats -1"]);
    const blank = random.pick([" ", " ", "  "]);
    const line = [start, ...keysOf(random, false)].join(blank);
    return Buffer.from(`${line}${random.pick(["\r\n", "\n", " \r\n"])}`, "latin1");
  },
  readRequest: (text) => {
    const words = text.trimEnd().split(/ +/);
    const first = words[0]!.startsWith("gat") ? 2 : 1;
    return { command: words.slice(0, first).join(" "), keys: words.slice(first) };
  },
  reply: (command, keys) => {
    const isUnique = command.startsWith("gets") || command.startsWith("gats");
    return `${keys.map((key) => memcachedValue(key, isUnique)).join("")}END\r\n`;
  },
  oddReply: (random, keyCount) => {
    if (random.chance(0.2)) return memcachedReply(random);
    const values = Array.from({ length: keyCount }, () => random.pick(ODD_VALUES));
    return `${values.join("")}${random.pick(["END\r\n", "end\r\n", "END x\r\n", "ERROR\r\n"])}`;
  },
  readReply: readMemcachedReply,
};

/** Each key has one: where some are missing, values of different servers may change places. */
function memcachedValue(key: string, isUnique: boolean): string {
  const value = valueOf(key) ?? "";
  return `VALUE ${key} 0 ${value.length}${isUnique ? " 77" : ""}\r\n${value}\r\n`;
}

export const FRAGMENT_FUZZERS: readonly Fuzzer[] = [
  {
    name: "redis-fragments",
    feeds: "requests of many keys, and the replies of several servers, right and damaged",
    checks: "each fragment has its keys; there is one reply, and if none was damaged the right one",
    smokeRuns: 1500,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new FragmentTarget(REDIS_KIND),
  },
  {
    name: "memcached-fragments",
    feeds: "requests of many keys, and the replies of several servers, right and damaged",
    checks: "as redis-fragments",
    smokeRuns: 1500,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new FragmentTarget(MEMCACHED_KIND),
  },
];
