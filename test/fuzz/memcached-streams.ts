/**
 * Makes streams of memcached requests and of memcached replies: mostly right, then damaged.
 */
import {
  FORWARDED_LINE_BYTES_MAX,
  KEY_BYTES_MAX,
  LINE_BYTES_MAX,
} from "../../src/protocol/memcached/request-line.ts";
import { ClassicGenerator } from "../support/memcached-classic-generator.ts";
import { MemcachedRequestGenerator } from "../support/memcached-request-generator.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Dictionary } from "./mutate.ts";
import { mutate } from "./mutate.ts";

export const MEMCACHED_WORDS: Dictionary = [
  ...["get ", "gets k\r\n", "set k 0 0 1\r\nx\r\n", "cas k 0 0 1 7\r\n", " noreply\r\n", "gat 0 "],
  ...["mg k v q\r\n", "ms k 2 q\r\nab\r\n", "md k\r\n", "ma k N0 q b\r\n", "mn\r\n", "me k b\r\n"],
  ...[
    "\r\n",
    "\n",
    " ",
    "  ",
    "END\r\n",
    "VALUE k 0 1\r\nx\r\nEND\r\n",
    "VA 2\r\nab\r\n",
    "HD\r\n",
  ],
  ...["ERROR\r\n", "SERVER_ERROR out of memory\r\n", "STAT pid 1\r\n", "flush_all\r\n", "quit\r\n"],
  ...["\x80\0\0\0", "\x81", "GET / HTTP/1.1\r\n", " b", " q", " MA", " N60", "\t5", "99999999999 "],
];

/** One stream of requests: of those of old, of meta commands, of both. */
export function requestStream(random: SeededRandom): Buffer {
  const classic = new ClassicGenerator({ random, namespace: "k", mistakes: random.pick([0, 0.5]) });
  const meta = new MemcachedRequestGenerator({ random, namespace: "m", mistakes: 0.05 });
  return stream(random, () => {
    if (random.chance(LONG_LINE_CHANCE)) return longLine(random);
    return random.chance(0.55) ? classic.next().text : meta.meta();
  });
}

/** One line in so many is about as long as a limit. */
const LONG_LINE_CHANCE = 0.002;
const LIMITS = [KEY_BYTES_MAX, FORWARDED_LINE_BYTES_MAX, LINE_BYTES_MAX];

function longLine(random: SeededRandom): string {
  const size = random.pick(LIMITS) + random.between(-12, 12);
  const start = random.pick(["get ", "gat 0 ", "mg ", "set ", "", " ".repeat(size - 4), "k"]);
  const filling = random.pick(["k ", "k", " ", "key1 "]);
  const line = (start + filling.repeat(size)).slice(0, size);
  return `${line}${random.pick(["", "get k"])}${random.pick(["\r\n", "\n"])}`;
}

export function replyStream(random: SeededRandom): Buffer {
  return stream(random, () => validReply(random));
}

function stream(random: SeededRandom, one: () => string): Buffer {
  let text = "";
  for (let left = random.pick([1, 1, 1, 2, 3, 5]); left > 0; left--) text += one();
  const all = Buffer.from(text, "latin1");
  return random.chance(0.2) ? all : mutate(random, all, MEMCACHED_WORDS);
}

const LINES = [
  ...["STORED", "NOT_STORED", "EXISTS", "NOT_FOUND", "DELETED", "TOUCHED", "OK", "END", "42", "EN"],
  ...["ERROR", "CLIENT_ERROR bad", "SERVER_ERROR x", "VERSION 1.6.18", "HD", "HD O1 kkey", "NF"],
];

export function validReply(random: SeededRandom): string {
  const kind = random.integer(10);
  if (kind < 4) return `${random.pick(LINES)}\r\n`;
  if (kind < 6) {
    const value = replyValue(random);
    return `VA ${value.length}${random.pick(["", " f0", " W s3"])}\r\n${value}\r\n`;
  }
  let text = "";
  const isUnique = random.chance(0.3);
  for (let left = random.pick([0, 1, 1, 1, 2, 5]); left > 0; left--) {
    const value = replyValue(random);
    const unique = isUnique ? ` ${random.integer(1000)}` : "";
    text += `VALUE key${random.integer(100)} 0 ${value.length}${unique}\r\n${value}\r\n`;
  }
  return `${text}END\r\n`;
}

function replyValue(random: SeededRandom): string {
  const size = random.chance(0.01) ? random.between(1000, 20_000) : random.integer(20);
  return random.chance(0.3) ? random.bytes(size).toString("latin1") : "v".repeat(size);
}
