/**
 * Random memcached requests that know their right replies, of the classic and the meta commands.
 */
import { readReply } from "../support/memcached-replies.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import {
  counterStart,
  type Dialect,
  isCountOf,
  isStreamed,
  KEYS,
  numberOf,
  pickWeighted,
  someKeys,
  type SoakRequest,
  TROUBLE,
  valueOf,
} from "./dialect.ts";

const TROUBLE_LINE = new RegExp(`^SERVER_ERROR (${TROUBLE})\r\n$`);
const SHOWN_LENGTH = 120;
/** Values are stored with the number of the key as their flags. */
const VALUE_LINE = /VALUE (\S+) (\d+) (\d+)( \d+)?\r\n/y;

type Judge = (reply: string) => boolean;

interface Row {
  readonly weight: number;
  readonly make: (random: SeededRandom, key: string) => SoakRequest;
}

function request(text: string, keys: readonly string[], isRight: Judge): SoakRequest {
  return {
    bytes: Buffer.from(text, "latin1"),
    keys,
    isRight,
    isStreamed: /^(get|gets|mg) /.test(text) && keys.some(isStreamed),
    shown: text.slice(0, SHOWN_LENGTH),
  };
}

function isOneOf(...replies: readonly string[]): Judge {
  return (reply) => replies.some((one) => reply === `${one}\r\n`);
}

/** VALUE blocks of some of the keys, each at most once and whole, then END. */
function isValuesOf(keys: readonly string[], hasCas: boolean): Judge {
  return (reply) => {
    const missing = new Set(keys);
    let position = 0;
    while (!reply.startsWith("END\r\n", position)) {
      VALUE_LINE.lastIndex = position;
      const [line, key = "", flags, size, cas] = VALUE_LINE.exec(reply) ?? [];
      if (line === undefined || !missing.delete(key) || (cas !== undefined) !== hasCas)
        return false;
      const value = valueOf(key);
      if (Number(flags) !== numberOf(key) || Number(size) !== value.length) return false;
      if (!reply.startsWith(`${value}\r\n`, position + line.length)) return false;
      position += line.length + value.length + 2;
    }
    return position + 5 === reply.length;
  };
}

/** A value with its text of ours, or a miss, which may repeat it. */
function isMetaValue(key: string, mark: string): Judge {
  const value = valueOf(key);
  const hit = `VA ${value.length} k${key} ${mark}\r\n${value}\r\n`;
  return (reply) => reply === hit || reply === "EN\r\n" || reply === `EN k${key} ${mark}\r\n`;
}

function storing(command: string, key: string, rest = ""): string {
  const value = valueOf(key);
  return `${command} ${key} ${numberOf(key)} 0 ${value.length}${rest}\r\n${value}\r\n`;
}

function get(key: string): SoakRequest {
  return request(`get ${key}\r\n`, [key], isValuesOf([key], false));
}

function set(key: string): SoakRequest {
  return request(storing("set", key), [key], isOneOf("STORED"));
}

function markOf(random: SeededRandom): string {
  return `O${random.integer(1e9)}`;
}

const CLASSIC_ROWS: readonly Row[] = [
  { weight: 20, make: (_, key) => get(key) },
  { weight: 18, make: (_, key) => set(key) },
  {
    weight: 12,
    make(random) {
      const keys = someKeys(random);
      if (keys.length === 0) return get("p1");
      const hasCas = random.chance(0.3);
      const command = hasCas ? "gets" : "get";
      return request(`${command} ${keys.join(" ")}\r\n`, keys, isValuesOf(keys, hasCas));
    },
  },
  {
    weight: 5,
    make: (_, key) => request(`delete ${key}\r\n`, [key], isOneOf("DELETED", "NOT_FOUND")),
  },
  {
    weight: 4,
    make: (_, key) => request(`touch ${key} 1000\r\n`, [key], isOneOf("TOUCHED", "NOT_FOUND")),
  },
  {
    weight: 4,
    make: (_, key) => request(storing("add", key), [key], isOneOf("STORED", "NOT_STORED")),
  },
  {
    weight: 4,
    make(random) {
      const key = random.pick(KEYS.counter);
      const start = String(counterStart(key));
      const text = `add ${key} 0 0 ${start.length}\r\n${start}\r\n`;
      return request(text, [key], isOneOf("STORED", "NOT_STORED"));
    },
  },
  {
    weight: 6,
    make(random) {
      const key = random.pick(KEYS.counter);
      return request(
        `incr ${key} 1\r\n`,
        [key],
        (reply) =>
          reply === "NOT_FOUND\r\n" ||
          (/^\d+\r\n$/.test(reply) && isCountOf(key, Number.parseInt(reply))),
      );
    },
  },
  {
    weight: 4,
    make(_, key) {
      const text = `${storing("set", key, " noreply")}get ${key}\r\n`;
      return { ...request(text, [key], isValuesOf([key], false)), isStreamed: isStreamed(key) };
    },
  },
  {
    weight: 1,
    make: (_, key) =>
      request(`set ${key} x 0 5\r\n`, [], isOneOf("CLIENT_ERROR bad command line format")),
  },
];

const META_ROWS: readonly Row[] = [
  {
    weight: 12,
    make(random, key) {
      const mark = markOf(random);
      return request(`mg ${key} v k ${mark}\r\n`, [key], isMetaValue(key, mark));
    },
  },
  {
    weight: 6,
    make(random, key) {
      const value = valueOf(key);
      const mark = markOf(random);
      const text = `ms ${key} ${value.length} F${numberOf(key)} ${mark}\r\n${value}\r\n`;
      return request(text, [key], isOneOf(`HD ${mark}`));
    },
  },
  {
    weight: 4,
    make(random, key) {
      const mark = markOf(random);
      return request(`md ${key} ${mark}\r\n`, [key], isOneOf(`HD ${mark}`, `NF ${mark}`));
    },
  },
  { weight: 2, make: () => request("mn\r\n", [], isOneOf("MN")) },
];

const ROWS: readonly Row[] = [...CLASSIC_ROWS, ...META_ROWS];

export const memcachedDialect: Dialect = {
  random: (random) => pickWeighted(random, ROWS).make(random, random.pick(KEYS.plain)),
  get,
  set,
  place: (key) => Buffer.from(`set ${key} 0 0 1\r\nx\r\n`),
  read: readReply,
  troubleOf: (reply) => TROUBLE_LINE.exec(reply)?.[1] ?? null,
};
