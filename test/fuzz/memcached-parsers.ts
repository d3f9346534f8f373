/**
 * Fuzzers of the parsers of the memcached protocol: requests of both kinds, and replies.
 */
import { ByteChain } from "../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import { MessageBytes } from "../../src/lib/message-bytes.ts";
import { MEMCACHED } from "../../src/protocol/memcached/memcached.ts";
import { MemcachedRequestParser } from "../../src/protocol/memcached/request-parser.ts";
import { MemcachedResponseParser } from "../../src/protocol/memcached/response-parser.ts";
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Fuzzer, FuzzTarget } from "./fuzzer.ts";
import { ensure, escaped, KEPT_BYTES_MAX, Tally } from "./fuzzer.ts";
import { replyStream, requestStream } from "./memcached-streams.ts";
import { newSession } from "../support/client-session.ts";
import type { Message } from "./readings.ts";
import { readInAllWays, statusName } from "./readings.ts";
import { compareWithReference } from "./reference.ts";
import { KEYS_TOLD, readMemcachedReply, readMemcachedRequest } from "./reference-memcached.ts";

export const MEMCACHED_PARSER_FUZZERS: readonly Fuzzer[] = [
  {
    name: "memcached-request",
    feeds: "streams of requests, those of old and meta commands, right and damaged",
    checks: "ends, routes and keys are the reference's, however cut; what is forwarded is normal",
    smokeRuns: 4000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new RequestTarget(),
  },
  {
    name: "memcached-response",
    feeds: "streams of replies, right and damaged",
    checks: "each reply ends where the reference says, however cut",
    smokeRuns: 4000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new ResponseTarget(),
  },
];

class RequestTarget implements FuzzTarget {
  readonly #parser = new MemcachedRequestParser();
  readonly #second = new MemcachedRequestParser();
  readonly #server = new MemcachedRequestParser();
  readonly #message = new MessageBytes();
  readonly #forward = new ByteChain(new ChunkPool(16_384));
  readonly #tally = new Tally();
  readonly make = requestStream;

  check(input: Buffer, random: SeededRandom): void {
    const messages = readInAllWays(this.#parser, input, random, this.#look);
    for (const { status } of messages) this.#tally.add(statusName(status));
    compareWithReference(input, messages, readMemcachedRequest);
    this.#answer(input, messages);
  }

  tally(): string {
    return this.#tally.toString();
  }

  readonly #look = (): number[] => {
    const parser = this.#parser;
    const { status, route, isSilent } = parser;
    if (status !== ParseStatus.Complete) return [];
    const marks: number[] = [route, isSilent ? 1 : 0];
    if (route === Route.Refuse) return marks;
    if (parser.isProbed) {
      // A probed request has two fragments of the same key.
      return [
        Route.Key,
        marks[1]!,
        parser.replyFilter,
        1,
        parser.keyOffset(0),
        parser.keyLength(0),
      ];
    }
    marks.push(parser.replyFilter);
    if (route !== Route.Key && route !== Route.Keys) return marks;
    marks.push(parser.keyCount);
    const told = Math.min(parser.keyCount, KEYS_TOLD);
    for (let i = 0; i < told; i++) marks.push(parser.keyOffset(i), parser.keyLength(i));
    return marks;
  };

  /** What the proxy says by itself is one line or more; what it forwards is a normal request. */
  #answer(input: Buffer, messages: readonly Message[]): void {
    const parser = this.#second;
    parser.reset();
    let at = 0;
    for (const { status } of messages) {
      const start = at;
      at = parser.parse(input, start, input.length);
      ensure(parser.status === status, () => `another parser says ${statusName(parser.status)}`);
      if (status === ParseStatus.Invalid) expectLines(MEMCACHED.framingErrorReply(parser));
      if (status !== ParseStatus.Complete) continue;
      this.#message.usePiece(input, start, at);
      if (parser.route === Route.Key) this.#checkForward();
      if (parser.route === Route.Local || parser.route === Route.Refuse) {
        const session = newSession();
        const reply = MEMCACHED.localReply(parser, this.#message, session);
        if (!session.isQuitting) expectLines(reply);
      }
    }
  }

  /** The server reads a request like the one that the proxy read, and always replies to it. */
  #checkForward(): void {
    const parser = this.#second;
    const bytes = this.#forwardOf(parser);
    const server = this.#server;
    server.reset();
    const end = server.parse(bytes, 0, bytes.length);
    const isLike =
      server.status === ParseStatus.Complete &&
      end === bytes.length &&
      server.route === Route.Key &&
      server.command === parser.command &&
      server.keyLength(0) === parser.keyLength(0) &&
      !server.isSilent &&
      server.replyFilter === 0;
    ensure(isLike, () => `this is forwarded: ${escaped(bytes)}`);
    // Another proxy behind this one would change no more.
    this.#message.usePiece(bytes, 0, bytes.length);
    const again = this.#forwardOf(server);
    ensure(again.equals(bytes), () => `${escaped(bytes)} would be forwarded as ${escaped(again)}`);
  }

  #forwardOf(parser: MemcachedRequestParser): Buffer {
    const chain = this.#forward;
    MEMCACHED.writeForward(parser, this.#message, chain);
    const bytes = Buffer.alloc(chain.sizeBytes);
    chain.copyOut(0, bytes.length, bytes, 0);
    chain.clear();
    return bytes;
  }
}

/** What the proxy sends is whole lines. */
function expectLines(reply: Buffer): void {
  const isWhole = /^(?:[^\r\n]+\r\n)+$/.test(reply.toString("latin1"));
  ensure(isWhole, () => `these are no lines: ${escaped(reply)}`);
}

class ResponseTarget implements FuzzTarget {
  readonly #parser = new MemcachedResponseParser();
  readonly #tally = new Tally();
  readonly make = replyStream;

  check(input: Buffer, random: SeededRandom): void {
    const messages = readInAllWays(this.#parser, input, random, this.#look);
    for (const { status } of messages) this.#tally.add(statusName(status));
    compareWithReference(input, messages, readMemcachedReply);
  }

  tally(): string {
    return this.#tally.toString();
  }

  readonly #look = (): number[] => [this.#parser.isError ? 1 : 0];
}
