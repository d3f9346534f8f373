/**
 * Random Redis requests that know their right replies, as the wire spells them.
 */
import { bulk, encodeRequest } from "../support/resp.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import {
  counterStart,
  type Dialect,
  isCountOf,
  isStreamed,
  KEYS,
  pickWeighted,
  someKeys,
  type SoakRequest,
  TROUBLE,
  valueOf,
} from "./dialect.ts";

const NULL = "$-1\r\n";
const OK = "+OK\r\n";
const SHOWN_LENGTH = 120;
const TROUBLE_LINE = new RegExp(`^-(?:ERR (${TROUBLE})|(LOADING) .*)\r\n$`);
/** Starts a counter where it does not exist, counts, and answers the count. */
const COUNT_SCRIPT = "redis.call('SET',KEYS[1],ARGV[1],'NX') return redis.call('INCR',KEYS[1])";

type Judge = (reply: string) => boolean;

interface Row {
  readonly weight: number;
  readonly make: (random: SeededRandom, key: string) => SoakRequest;
}

function request(args: readonly string[], keys: readonly string[], isRight: Judge): SoakRequest {
  return {
    bytes: encodeRequest(args),
    keys,
    isRight,
    isStreamed: args[0] === "GET" && isStreamed(args[1] ?? ""),
    shown: args.join(" ").slice(0, SHOWN_LENGTH),
  };
}

function is(expected: string): Judge {
  return (reply) => reply === expected;
}

/** A number from 0 to `most`. */
function isNumber(most: number): Judge {
  return (reply) => /^:\d+\r\n$/.test(reply) && Number(reply.slice(1)) <= most;
}

function isNullOr(expected: string): Judge {
  return (reply) => reply === NULL || reply === expected;
}

/** The values of keys in their order, each of which may be missing. */
function isValuesOf(keys: readonly string[]): Judge {
  return (reply) => {
    let position = `*${keys.length}\r\n`.length;
    if (!reply.startsWith(`*${keys.length}\r\n`)) return false;
    for (const key of keys) {
      const expected = reply.startsWith(NULL, position) ? NULL : bulk(valueOf(key));
      if (!reply.startsWith(expected, position)) return false;
      position += expected.length;
    }
    return position === reply.length;
  };
}

function get(key: string): SoakRequest {
  return request(["GET", key], [key], isNullOr(bulk(valueOf(key))));
}

function set(key: string): SoakRequest {
  return request(["SET", key, valueOf(key)], [key], is(OK));
}

function withKeys(name: string, keys: readonly string[], isRight: Judge): SoakRequest {
  return request([name, ...keys], keys, isRight);
}

const ROWS: readonly Row[] = [
  { weight: 25, make: (_, key) => get(key) },
  { weight: 18, make: (_, key) => set(key) },
  {
    weight: 10,
    make(random) {
      const keys = someKeys(random);
      return keys.length === 0 ? get("p1") : withKeys("MGET", keys, isValuesOf(keys));
    },
  },
  {
    weight: 6,
    make(random) {
      const keys = someKeys(random);
      if (keys.length === 0) return set("p1");
      return request(["MSET", ...keys.flatMap((key) => [key, valueOf(key)])], keys, is(OK));
    },
  },
  {
    weight: 6,
    make(random, key) {
      const keys = [key, ...someKeys(random).filter((other) => other !== key)];
      return withKeys(
        random.pick(["DEL", "UNLINK", "EXISTS", "TOUCH"]),
        keys,
        isNumber(keys.length),
      );
    },
  },
  {
    weight: 8,
    make(random, key) {
      const text = `${key}:${random.next()}`;
      return request(["EVAL", "return ARGV[1]", "1", key, text], [key], is(bulk(text)));
    },
  },
  {
    weight: 6,
    make(random) {
      const key = random.pick(KEYS.counter);
      const start = String(counterStart(key));
      return request(["EVAL", COUNT_SCRIPT, "1", key, start], [key], (reply) =>
        isCountOf(key, Number(/^:(\d+)\r\n$/.exec(reply)?.[1] ?? -1)),
      );
    },
  },
  {
    weight: 5,
    make(random) {
      const key = random.pick(KEYS.hash);
      const field = `f${random.integer(20)}`;
      const value = `${key}.${field}`;
      if (random.chance(0.5)) return request(["HGET", key, field], [key], isNullOr(bulk(value)));
      return request(["HSET", key, field, value], [key], isNumber(1));
    },
  },
  {
    weight: 4,
    make(_, key) {
      const size = valueOf(key).length;
      const isSize = (reply: string) => reply === ":0\r\n" || reply === `:${size}\r\n`;
      return request(["STRLEN", key], [key], isSize);
    },
  },
  {
    weight: 4,
    make(random, key) {
      const last = random.integer(40);
      const part = bulk(valueOf(key).slice(0, last + 1));
      return request(["GETRANGE", key, "0", String(last)], [key], (reply) =>
        ["$0\r\n\r\n", part].includes(reply),
      );
    },
  },
  { weight: 3, make: () => request(["PING"], [], is("+PONG\r\n")) },
  {
    weight: 1,
    make: (_, key) => request(["nothing", key], [], is("-ERR unknown command 'nothing'\r\n")),
  },
];

export const redisDialect: Dialect = {
  random: (random) => pickWeighted(random, ROWS).make(random, random.pick(KEYS.plain)),
  get,
  set,
  place: (key) => encodeRequest(["SET", key, "x"]),
  read: (client) => client.readReply(),
  troubleOf(reply) {
    const found = TROUBLE_LINE.exec(reply);
    return found === null ? null : (found[1] ?? found[2] ?? null);
  },
};
