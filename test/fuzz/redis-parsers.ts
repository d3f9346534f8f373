/**
 * Fuzzers of the parsers of the Redis protocol: requests, inline commands, replies.
 */
import { MessageBytes } from "../../src/lib/message-bytes.ts";
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import { REDIS } from "../../src/protocol/redis/redis.ts";
import { RedisRequestParser } from "../../src/protocol/redis/request-parser.ts";
import { RedisResponseParser } from "../../src/protocol/redis/response-parser.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Fuzzer, FuzzTarget } from "./fuzzer.ts";
import { ensure, escaped, KEPT_BYTES_MAX, Tally } from "./fuzzer.ts";
import { mutate } from "./mutate.ts";
import { newSession } from "../support/client-session.ts";
import type { Message } from "./readings.ts";
import { readInAllWays, statusName } from "./readings.ts";
import { inlineRequest, REDIS_WORDS, replyStream, requestStream } from "./redis-streams.ts";
import { compareWithReference } from "./reference.ts";
import { KEYS_TOLD, readRedisRequest } from "./reference-redis-request.ts";
import { readRedisReply } from "./reference-redis-response.ts";

export const REDIS_PARSER_FUZZERS: readonly Fuzzer[] = [
  {
    name: "redis-request",
    feeds: "streams of requests, right and damaged",
    checks:
      "ends, routes and keys are the reference's, however cut; our own replies are well-formed",
    smokeRuns: 4000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new RequestTarget(requestStream),
  },
  {
    name: "redis-inline",
    feeds: "lines of words with quotes and escapes, and what looks like them",
    checks: "as redis-request; the words are those that Redis would read",
    smokeRuns: 4000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () =>
      new RequestTarget((random) => {
        const lines = Array.from({ length: random.between(1, 3) }, () => inlineRequest(random));
        return mutate(random, Buffer.concat(lines), REDIS_WORDS);
      }),
  },
  {
    name: "redis-response",
    feeds: "streams of replies of RESP2 and RESP3, right and damaged",
    checks: "each reply ends where the reference says, however cut",
    smokeRuns: 4000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new ResponseTarget(),
  },
];

class RequestTarget implements FuzzTarget {
  readonly #parser = new RedisRequestParser();
  readonly #second = new RedisRequestParser();
  readonly #message = new MessageBytes();
  readonly #tally = new Tally();
  readonly make: (random: SeededRandom) => Buffer;

  constructor(make: (random: SeededRandom) => Buffer) {
    this.make = make;
  }

  check(input: Buffer, random: SeededRandom): void {
    const messages = readInAllWays(this.#parser, input, random, this.#look);
    for (const { status } of messages) this.#tally.add(statusName(status));
    compareWithReference(input, messages, readRedisRequest);
    this.#answer(input, messages);
  }

  tally(): string {
    return this.#tally.toString();
  }

  readonly #look = (): number[] => {
    const parser = this.#parser;
    const { status, route, argumentCount } = parser;
    if (status === ParseStatus.Rewritten) {
      return [parser.rewritten.length, Bun.hash.crc32(parser.rewritten)];
    }
    if (status !== ParseStatus.Complete) return [];
    const marks: number[] = [route, argumentCount];
    if (route !== Route.Key && route !== Route.Keys) return marks;
    marks.push(parser.keyCount);
    const told = Math.min(parser.keyCount, KEYS_TOLD);
    for (let i = 0; i < told; i++) marks.push(parser.keyOffset(i), parser.keyLength(i));
    return marks;
  };

  /** What the proxy would say by itself is one reply; what it would rewrite is one request. */
  #answer(input: Buffer, messages: readonly Message[]): void {
    const parser = this.#second;
    parser.reset();
    let at = 0;
    for (const { status } of messages) {
      const start = at;
      at = parser.parse(input, start, input.length);
      ensure(parser.status === status, () => `another parser says ${statusName(parser.status)}`);
      if (status === ParseStatus.Invalid) expectReply(REDIS.framingErrorReply(parser));
      else if (status === ParseStatus.Rewritten) this.#readRewritten(parser.rewritten);
      else if (status === ParseStatus.Complete) this.#answerComplete(input, start, at);
    }
  }

  #readRewritten(bytes: Buffer): void {
    const parser = this.#parser;
    parser.reset();
    const end = parser.parse(bytes, 0, bytes.length);
    const isRead = parser.status === ParseStatus.Complete && end === bytes.length;
    ensure(isRead, () => `rewritten to ${escaped(bytes)}, ${statusName(parser.status)} at ${end}`);
    parser.reset();
  }

  #answerComplete(input: Buffer, start: number, end: number): void {
    const parser = this.#second;
    this.#message.usePiece(input, start, end);
    if (parser.route === Route.SameServer) this.#checkKeySpans(end - start);
    if (parser.route !== Route.Local && parser.route !== Route.Refuse) return;
    const session = newSession();
    const reply = REDIS.localReply(parser, this.#message, session);
    // CLIENT REPLY OFF and SKIP have none.
    if (reply.length > 0) expectReply(reply);
  }

  #checkKeySpans(sizeBytes: number): void {
    const parser = this.#second;
    const spans = REDIS.keySpans(parser, this.#message);
    if (spans.length === 0)
      return expectReply(REDIS.localReply(parser, this.#message, newSession()));
    for (let i = 0; i < spans.length; i += 2) {
      const [offset, length] = [spans[i]!, spans[i + 1]!];
      const isInside = offset > 0 && length >= 0 && offset + length + 2 <= sizeBytes;
      ensure(isInside, () => `a key at ${offset} of ${length} bytes, in ${sizeBytes} bytes`);
    }
  }
}

/** What the proxy sends is one whole reply and nothing else. */
export function expectReply(reply: Buffer): void {
  const found = readRedisReply(reply.toString("latin1"), 0);
  const isOne = found.status === ParseStatus.Complete && found.end === reply.length;
  ensure(isOne, () => `this is not one reply: ${escaped(reply)}`);
}

class ResponseTarget implements FuzzTarget {
  readonly #parser = new RedisResponseParser();
  readonly #tally = new Tally();
  readonly make = replyStream;

  check(input: Buffer, random: SeededRandom): void {
    const messages = readInAllWays(this.#parser, input, random, this.#look);
    for (const { status } of messages) this.#tally.add(statusName(status));
    compareWithReference(input, messages, readRedisReply);
  }

  tally(): string {
    return this.#tally.toString();
  }

  readonly #look = (): number[] => {
    const { status, isError } = this.#parser;
    return status === ParseStatus.Complete ? [isError ? 1 : 0] : [];
  };
}
