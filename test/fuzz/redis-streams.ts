/**
 * Makes streams of Redis requests and of Redis replies: mostly right, then damaged.
 */
import { COMMANDS } from "../../src/protocol/redis/commands.ts";
import { DEPTH_MAX } from "../../src/protocol/redis/response-parser.ts";
import { RequestGenerator } from "../support/request-generator.ts";
import type { Argument } from "../support/resp.ts";
import { encodeRequest } from "../support/resp.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Dictionary } from "./mutate.ts";
import { mutate } from "./mutate.ts";

export const REDIS_WORDS: Dictionary = [
  ...[
    "*1\r\n",
    "*2\r\n$3\r\nGET\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "$0\r\n\r\n",
    "\r\n",
    "_\r\n",
  ],
  ...["+OK\r\n", "-ERR x\r\n", ":1\r\n", ">2\r\n", "%1\r\n", "|1\r\n", "~1\r\n", "!3\r\nabc\r\n"],
  ...["#t\r\n", ",1.5\r\n", "(12345\r\n", "=5\r\ntxt:x\r\n", "*1048576\r\n", "*1048577\r\n"],
  ...["$536870912\r\n", "$4294967296\r\n", "PING\r\n", "POST / HTTP/1.1\r\n", "$?\r\n", '"', "'"],
  ...["_ab$3\r\n+ab\r\n", ":9007199254740992\r\n", ":+1\r\n"],
  ...["MGET", "MSET", "EVAL", "DEL", "SELECT", "HELLO", "AUTH", "CLIENT", "\\x41", "\\"],
];

const INLINE_WORDS = [
  ...["GET", "set", "k", "'a b'", '"a\\nb"', '"\\x41\\xzz"', "'it\\'s'", '"', "'", 'a"b"', '"a"b'],
  ...["", "  ", "\t", "\\", "post", "Host:", "MGET", "PING", "\0", "\xff", '""', "''", "x\ry"],
];

/** Requests of which all are right, and different from run to run. */
export function validRequest(random: SeededRandom): Buffer {
  const kind = random.integer(20);
  if (kind < 10) return encodeRequest(forms(random).next());
  if (kind < 17) return encodeRequest(anyCommand(random));
  if (kind < 19) return inlineRequest(random);
  return Buffer.from(random.pick(["\r\n", "\n", "*0\r\n", "*-1\r\n", " \t\r\n"]), "latin1");
}

function forms(random: SeededRandom): RequestGenerator {
  return new RequestGenerator({ random, namespace: "k", payloads: [Buffer.from("no payload")] });
}

/** Any command of the table with as many arguments as come. */
function anyCommand(random: SeededRandom): Argument[] {
  const count = random.chance(0.02) ? random.between(50, 400) : random.integer(7);
  const name = random.pick(COMMANDS).name;
  const args: Argument[] = [random.chance(0.5) ? name : name.toLowerCase()];
  for (let i = 0; i < count; i++) args.push(word(random));
  return args;
}

function word(random: SeededRandom): Argument {
  const kind = random.integer(12);
  if (kind === 0) return "";
  if (kind === 1) return random.bytes(random.between(1, 30));
  if (kind === 2) return random.pick(REDIS_WORDS);
  if (kind < 6) return random.integer(6);
  if (kind === 6) return random.pick(["STREAMS", "COUNT", "USAGE", "2", "LIST", "ID", "OFF"]);
  if (kind === 7 && random.chance(0.05)) return "x".repeat(random.between(500, 20_000));
  return `key${random.integer(1000)}`;
}

export function inlineRequest(random: SeededRandom): Buffer {
  const count = random.integer(6);
  const words = Array.from({ length: count }, () => random.pick(INLINE_WORDS));
  return Buffer.from(`${words.join(" ")}${random.pick(["\r\n", "\n"])}`, "latin1");
}

export function requestStream(random: SeededRandom): Buffer {
  return stream(random, validRequest);
}

export function replyStream(random: SeededRandom): Buffer {
  return stream(random, validReply);
}

function stream(random: SeededRandom, one: (random: SeededRandom) => Buffer): Buffer {
  const count = random.pick([1, 1, 1, 2, 3, 5]);
  const all =
    count === 1 ? one(random) : Buffer.concat(Array.from({ length: count }, () => one(random)));
  return random.chance(0.2) ? all : mutate(random, all, REDIS_WORDS);
}

const LINE_STARTS = "+-:,(#_";

/** A reply of any type, nested at most a few levels, or rarely very many. */
export function validReply(random: SeededRandom): Buffer {
  const parts: string[] = [];
  if (random.chance(0.01)) {
    const levels = random.pick([5, 100, DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1, 1000]);
    for (let level = 0; level < levels; level++) parts.push(random.pick(["*1\r\n", "~1\r\n"]));
    parts.push(":1\r\n");
  } else {
    addReply(random, parts, random.integer(4));
  }
  return Buffer.from(parts.join(""), "latin1");
}

function addReply(random: SeededRandom, parts: string[], levels: number): void {
  const kind = random.integer(levels > 0 ? 18 : 12);
  if (kind < 4) parts.push(bulkReply(random, "$"));
  else if (kind < 6) parts.push(`+${random.pick(["OK", "PONG", "QUEUED", ""])}\r\n`);
  else if (kind < 8) parts.push(`:${random.between(-3, 100_000)}\r\n`);
  else if (kind === 8) parts.push("-ERR no\r\n");
  else if (kind === 9) parts.push(random.pick(["$-1\r\n", "*-1\r\n", "_\r\n", "#t\r\n", "#f\r\n"]));
  else if (kind === 10) parts.push(bulkReply(random, random.pick(["!", "="])));
  else if (kind === 11) parts.push(lineReply(random));
  else addAggregate(random, parts, levels - 1);
}

function addAggregate(random: SeededRandom, parts: string[], levels: number): void {
  const type = random.pick(["*", "*", "*", "~", "%", "|", ">"]);
  const count = random.chance(0.03) ? random.between(20, 200) : random.integer(4);
  parts.push(`${type}${count}\r\n`);
  const elements = type === "%" || type === "|" ? 2 * count : count;
  for (let i = 0; i < elements; i++) addReply(random, parts, levels);
  // An attribute stands before what it is about.
  if (type === "|") addReply(random, parts, levels);
}

function bulkReply(random: SeededRandom, type: string): string {
  const isLong = random.chance(0.01);
  const size = isLong ? random.between(1000, 20_000) : random.integer(20);
  const text = random.chance(0.3) ? random.bytes(size).toString("latin1") : "v".repeat(size);
  return `${type}${size}\r\n${text}\r\n`;
}

function lineReply(random: SeededRandom): string {
  const type = LINE_STARTS[random.integer(LINE_STARTS.length)]!;
  if (type === ":")
    return `:${random.pick(["+", "-", ""])}${"9".repeat(random.between(1, 30))}\r\n`;
  if (random.chance(0.005)) return `${type}${"e".repeat(random.between(65_500, 65_600))}\r\n`;
  return `${type}${random.pick(["", "inf", "1.5", "a\nb", "\0", "t", "123456789"])}\r\n`;
}
