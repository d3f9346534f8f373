/**
 * What a fault proxy knows of a protocol: where a reply ends, what is no reply, and one too many.
 *
 * Garbage is never a well-formed reply: nobody could tell a wrong value from a right one.
 */
import type { ReplyEnd } from "./fault-relay.ts";
import { replyEnd as redisReplyEnd } from "./resp.ts";
import type { SeededRandom } from "./seeded-random.ts";

export type FaultProtocolName = "redis" | "memcached";

export interface FaultProtocol {
  readonly replyEnd: ReplyEnd;
  readonly garbage: (random: SeededRandom) => Buffer;
  /** A well-formed reply that is the answer to nothing. */
  readonly extraReply: Buffer;
}

/** Bytes that no reply starts with, in either protocol. */
const NO_START = "\0\x01\x16\x80\xff abcxyz@&?{}\r\n\t\"'";

const REDIS_GARBAGE = [
  "HTTP/1.1 400 Bad Request\r\n\r\n",
  "VALUE a 0 1\r\nb\r\nEND\r\n",
  "$abc\r\n",
  "$99999999999999\r\nx\r\n",
  "$1\r\nlonger than one\r\n",
  "*2\r\n$1\r\na\r\nnothing\r\n",
  "*-7x\r\n",
  ":\r\n",
  "+no line feed\rhere\r\n",
];

const MEMCACHED_GARBAGE = [
  "HTTP/1.1 400 Bad Request\r\n\r\n",
  "$3\r\nabc\r\n",
  "VALUE a 0\r\nb\r\nEND\r\n",
  "VALUE a 0 x\r\nb\r\nEND\r\n",
  "VALUE a 0 1\r\nlonger than one\r\nEND\r\n",
  "VALUE a 0 1\r\nb\r\nSTORED\r\n",
  "VA x\r\nb\r\n",
  "END\n",
  "\r\n",
];

function garbageOf(words: readonly string[]): FaultProtocol["garbage"] {
  return (random) => {
    if (random.chance(0.5)) return Buffer.from(random.pick(words), "latin1");
    const bytes = random.bytes(random.between(1, 200));
    bytes[0] = NO_START.charCodeAt(random.integer(NO_START.length));
    return Buffer.concat([bytes, Buffer.from("\r\n")]);
  };
}

/** A line, or the blocks that lines announce: VALUE ... END, VA, STAT ... END. */
function memcachedReplyEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0 || lineEnd + 2 > end) return -1;
    const words = bytes.toString("latin1", at, lineEnd).split(" ");
    at = lineEnd + 2;
    if (words[0] === "VALUE") at += Number(words[3]) + 2;
    else if (words[0] === "VA") at += Number(words[1]) + 2;
    if (at > end) return -1;
    if (words[0] !== "VALUE" && words[0] !== "STAT") return at;
  }
}

export const FAULT_PROTOCOLS: Readonly<Record<FaultProtocolName, FaultProtocol>> = {
  redis: {
    replyEnd: redisReplyEnd,
    garbage: garbageOf(REDIS_GARBAGE),
    extraReply: Buffer.from("+EXTRA\r\n"),
  },
  memcached: {
    replyEnd: memcachedReplyEnd,
    garbage: garbageOf(MEMCACHED_GARBAGE),
    extraReply: Buffer.from("END\r\n"),
  },
};
