/**
 * Fuzzers of requests for several servers: divided into fragments, and put together from replies.
 *
 *   MGET a b c -> fragments -> replies, perhaps damaged -> one reply
 *
 * A damaged reply reaches this place only if the response parser takes it for one whole reply. Then
 * whatever is in it, the client must read one whole reply, or nothing that follows is its own.
 */
import { ByteChain } from "../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import { MessageBytes } from "../../src/lib/message-bytes.ts";
import type { Protocol, RequestParser, ResponseParser } from "../../src/protocol/protocol.ts";
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import type { Request, RequestOwner } from "../../src/protocol/request.ts";
import type { SplitRequest } from "../../src/protocol/split-request.ts";
import { giveSplitRequest, takeSplitRequest } from "../../src/protocol/split-request.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { ensure, escaped, Tally } from "./fuzzer.ts";
import type { Dictionary } from "./mutate.ts";
import { mutate } from "./mutate.ts";
import type { ReadOne } from "./reference.ts";

/** What the two protocols differ in; all texts are latin1. */
export interface FragmentKind {
  readonly protocol: Protocol;
  readonly words: Dictionary;
  readonly make: (random: SeededRandom) => Buffer;
  /** The command of a request and its keys, by a reader of its own. */
  readonly readRequest: (text: string) => { command: string; keys: readonly string[] };
  /** The reply of a server to a fragment; the proxy's to the whole is made in the same way. */
  readonly reply: (command: string, keys: readonly string[]) => string;
  /** A reply of so many elements, each of which is odd; or none at all. */
  readonly oddReply: (random: SeededRandom, keyCount: number) => string;
  readonly readReply: ReadOne;
}

const SERVERS_MAX = 8;
/** Most damage makes a reply no reply. */
const DAMAGES_MAX = 4;
const NOBODY = {} as RequestOwner;

const pool = new ChunkPool(512);

export class FragmentTarget implements FuzzTarget {
  readonly make: (random: SeededRandom) => Buffer;
  readonly #kind: FragmentKind;
  readonly #parser: RequestParser;
  readonly #responseParser: ResponseParser;
  readonly #tally = new Tally();

  constructor(kind: FragmentKind) {
    this.#kind = kind;
    this.make = kind.make;
    this.#parser = kind.protocol.createRequestParser();
    this.#responseParser = kind.protocol.createResponseParser();
  }

  check(input: Buffer, random: SeededRandom): void {
    const parser = this.#parser;
    parser.reset();
    const end = parser.parse(input, 0, input.length);
    if (parser.status !== ParseStatus.Complete || parser.route !== Route.Keys) return;
    const whole = this.#kind.readRequest(input.toString("latin1", 0, end));
    ensure(whole.keys.length === parser.keyCount, () => `${parser.keyCount} keys`);
    const request = divide(parser, random);
    const fragments = this.#write(request, input.subarray(0, end), random);
    this.#compareFragments(request, whole, fragments);
    const isDamaged = this.#reply(request, fragments, random);
    const reply = this.#coalesce(request);
    giveSplitRequest(request);
    this.#tally.add(isDamaged ? "damaged" : "right");
    if (isDamaged) this.#expectOneReply(reply);
    else this.#expectReply(reply, this.#kind.reply(whole.command, whole.keys));
  }

  tally(): string {
    return this.#tally.toString();
  }

  /** The text of each fragment, from a message in one piece or in several. */
  #write(request: SplitRequest, bytes: Buffer, random: SeededRandom): string[] {
    const message = new MessageBytes();
    if (random.chance(0.5)) message.usePiece(bytes, 0, bytes.length);
    else message.useChain(chainOf(bytes, random));
    return Array.from({ length: request.groupCount }, (_, group) => {
      request.takeFragment();
      const target = new ByteChain(pool);
      this.#kind.protocol.writeFragment(this.#parser, message, request, group, target);
      return textOf(target);
    });
  }

  #compareFragments(
    request: SplitRequest,
    whole: { command: string; keys: readonly string[] },
    fragments: readonly string[],
  ): void {
    for (const [group, text] of fragments.entries()) {
      const { command, keys } = this.#kind.readRequest(text);
      const expected = whole.keys.filter((_, i) => request.fragmentOfKey[i] === group);
      const isRight =
        command.toLowerCase() === whole.command.toLowerCase() &&
        keys.length === expected.length &&
        keys.every((key, i) => key === expected[i]);
      ensure(isRight, () => `fragment ${group} is ${escaped(Buffer.from(text, "latin1"))}`);
    }
  }

  /** Gives each fragment its reply. @returns true if any is not the right one */
  #reply(request: SplitRequest, fragments: readonly string[], random: SeededRandom): boolean {
    const share = random.pick([0, 0.3, 1]);
    let isDamaged = false;
    for (const [i, text] of fragments.entries()) {
      const { command, keys } = this.#kind.readRequest(text);
      const right = Buffer.from(this.#kind.reply(command, keys), "latin1");
      const isOdd = random.chance(share);
      const bytes = isOdd ? this.#damage(right, random, keys.length) : right;
      if (bytes !== right) isDamaged = true;
      setReply(request.fragments[i]!, bytes, random);
    }
    return isDamaged;
  }

  /** Another reply: the right one with damage that leaves it a reply, or an odd one. */
  #damage(right: Buffer, random: SeededRandom, keyCount: number): Buffer {
    const { words, oddReply } = this.#kind;
    for (let left = DAMAGES_MAX; left > 0; left--) {
      const bytes = random.chance(0.5)
        ? mutate(random, right, words)
        : Buffer.from(oddReply(random, keyCount), "latin1");
      if (this.#isOneReply(bytes)) return bytes;
    }
    return right;
  }

  #isOneReply(bytes: Buffer): boolean {
    const parser = this.#responseParser;
    parser.reset();
    if (bytes.length === 0) return false;
    return (
      parser.parse(bytes, 0, bytes.length) === bytes.length &&
      parser.status === ParseStatus.Complete
    );
  }

  #coalesce(request: SplitRequest): string {
    const target = new ByteChain(pool);
    this.#kind.protocol.coalesce(request, target);
    return textOf(target);
  }

  #expectOneReply(reply: string): void {
    const found = this.#kind.readReply(reply, 0);
    const isOne = found.status === ParseStatus.Complete && found.end === reply.length;
    ensure(isOne, () => `not one reply: ${escaped(Buffer.from(reply, "latin1"))}`);
  }

  #expectReply(reply: string, expected: string): void {
    ensure(reply === expected, () => {
      const [is, should] = [reply, expected].map((text) => escaped(Buffer.from(text, "latin1")));
      return `the reply is ${is}\n  and not ${should}`;
    });
  }
}

/** As dispatch does it, over servers at random. */
function divide(parser: RequestParser, random: SeededRandom): SplitRequest {
  const request = takeSplitRequest(NOBODY);
  const servers = random.between(1, SERVERS_MAX);
  const { keyCount, fragmentKeysMax } = parser;
  request.begin(keyCount);
  for (let i = 0; i < keyCount; i++) request.fragmentOfKey[i] = random.integer(servers);
  request.group(servers);
  if (fragmentKeysMax < keyCount) request.divideGroups(fragmentKeysMax);
  return request;
}

function chainOf(bytes: Buffer, random: SeededRandom): ByteChain {
  const chain = new ByteChain(pool);
  // Pieces of this size are shared, the others are copied into chunks.
  for (const piece of random.cut(bytes, 12)) {
    const part = Buffer.from(piece);
    if (random.chance(0.5)) chain.append(part, 0, part.length);
    else chain.appendCopy(part, 0, part.length);
  }
  return chain;
}

function setReply(fragment: Request, bytes: Buffer, random: SeededRandom): void {
  fragment.replyChain?.clear();
  fragment.replyChain = null;
  fragment.setReply(Buffer.alloc(0), 0, 0);
  if (random.chance(0.5)) {
    fragment.replyChain = chainOf(bytes, random);
  } else {
    const padded = Buffer.concat([Buffer.from("..."), bytes, Buffer.from("...")]);
    fragment.setReply(padded, 3, 3 + bytes.length);
  }
}

function textOf(chain: ByteChain): string {
  const bytes = Buffer.alloc(chain.sizeBytes);
  chain.copyOut(0, bytes.length, bytes, 0);
  chain.clear();
  return bytes.toString("latin1");
}
