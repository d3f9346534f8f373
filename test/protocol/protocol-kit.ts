/**
 * A protocol with samples of its requests and replies, and what a proxy does with them, without any
 * socket: reads requests, divides them, puts replies together. The hands of conformance.ts.
 */
import { expect } from "bun:test";
import { ByteChain } from "../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import { MessageBytes } from "../../src/lib/message-bytes.ts";
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import type { ClientSession, Protocol, RequestParser } from "../../src/protocol/protocol.ts";
import type { SplitRequest } from "../../src/protocol/split-request.ts";
import { giveSplitRequest, takeSplitRequest } from "../../src/protocol/split-request.ts";
import { newSession } from "../support/client-session.ts";

/** Bytes as latin1 text. */
export type Text = string;

export interface ProtocolSamples {
  /** Requests with one key, and the key. */
  readonly singleKey: readonly { request: Text; key: Text }[];
  /** Stores a value. */
  readonly store: (key: Text, value: Text) => Text;
  /** Reads several keys. */
  readonly readMany: (keys: readonly Text[]) => Text;
  /** The fragment of `readMany` for some of its keys. */
  readonly fragment: (keys: readonly Text[]) => Text;
  /** The reply to `readMany`, or to a fragment of it; null = missing. */
  readonly values: (found: readonly (readonly [Text, Text | null])[]) => Text;
  /** A good reply, but not to a fragment. */
  readonly strangeReply: Text;
  /** A server's error. */
  readonly errorReply: Text;
  /** Any other replies. */
  readonly replies: readonly Text[];
  /** What is no reply. */
  readonly badReplies: readonly Text[];
  /** Answered by the proxy, with the answer. */
  readonly local: readonly { request: Text; reply: Text | RegExp }[];
  /** Asks to be closed. */
  readonly quit: Text;
  /** Answered with an error; the connection goes on. */
  readonly refused: readonly { request: Text; reply: RegExp }[];
  /** Bytes after which nothing can be understood. */
  readonly garbage: readonly Text[];
  /** How an error about a server begins. */
  readonly errorStart: Text;
  /** Bytes that need no answer. */
  readonly nothing: readonly Text[];
  /** Wants no reply; with what its server reads, which does reply. */
  readonly silent: readonly { request: Text; forward: Text }[];
  /** For every server; with the replies of two of them, and the one reply. */
  readonly everyServer: readonly { request: Text; replies: readonly [Text, Text]; reply: Text }[];
  /** Another form of a request, and its normal form. */
  readonly rewritten: readonly { request: Text; normal: Text }[];
}

/** What was read of one message. */
export interface Parsed {
  readonly status: ParseStatus;
  /** Local stands for all routes without a key. */
  readonly route: Route;
  readonly keys: readonly Text[];
  readonly sizeBytes: number;
}

const pool = new ChunkPool(512);
/** A key that begins so lives on this server. */
const SERVER_OF: Readonly<Record<string, number>> = { a: 0, b: 1, c: 2 };
const OWNER = { requestDone() {}, replyArriving: () => true, holdReply() {} };

export function bytesOf(text: Text): Buffer {
  return Buffer.from(text, "latin1");
}

/** Takes the text out of a chain. */
export function takeText(chain: ByteChain): Text {
  const bytes = Buffer.alloc(chain.sizeBytes);
  chain.copyOut(0, bytes.length, bytes, 0);
  chain.clear();
  return bytes.toString("latin1");
}

export function newChain(): ByteChain {
  return new ByteChain(pool);
}

/** The text as it lies in a chain when it came in pieces. */
function chainOf(text: Text, sizeBytes: number): ByteChain {
  const chain = newChain();
  for (let at = 0; at < text.length; at += sizeBytes) {
    chain.append(bytesOf(text), at, Math.min(text.length, at + sizeBytes));
  }
  return chain;
}

/** A message in pieces of so many bytes; 0 = in one. */
export function messageOf(text: Text, sizeBytes = 0): MessageBytes {
  const message = new MessageBytes();
  if (sizeBytes === 0) message.usePiece(bytesOf(text), 0, text.length);
  else message.useChain(chainOf(text, sizeBytes));
  return message;
}

export class ProtocolKit {
  readonly protocol: Protocol;
  readonly samples: ProtocolSamples;

  constructor(protocol: Protocol, samples: ProtocolSamples) {
    this.protocol = protocol;
    this.samples = samples;
  }

  /** A parser that has just read the whole request. */
  parserOf(request: Text, status: ParseStatus = ParseStatus.Complete): RequestParser {
    const parser = this.protocol.createRequestParser();
    expect(parser.parse(bytesOf(request), 0, request.length)).toBe(request.length);
    expect(parser.status).toBe(status);
    return parser;
  }

  /** Reads requests that come in these pieces. */
  parseAll(pieces: readonly Uint8Array[]): Parsed[] {
    const parser = this.protocol.createRequestParser();
    const found: Parsed[] = [];
    let pending = Buffer.alloc(0);
    for (const piece of pieces) {
      const chunk = Buffer.from(piece);
      for (let at = 0; at < chunk.length;) {
        const start = at;
        at = parser.parse(chunk, start, chunk.length);
        pending = Buffer.concat([pending, chunk.subarray(start, at)]);
        if (parser.status === ParseStatus.Incomplete) continue;
        found.push(marksOf(parser, pending));
        pending = Buffer.alloc(0);
      }
    }
    expect(pending.length).toBe(0);
    return found;
  }

  /** Sizes of the replies that come in these pieces, or null if one of them is broken. */
  replySizes(pieces: readonly Uint8Array[]): number[] | null {
    const parser = this.protocol.createResponseParser();
    const sizes: number[] = [];
    let size = 0;
    for (const piece of pieces) {
      const chunk = Buffer.from(piece);
      for (let at = 0; at < chunk.length;) {
        const start = at;
        at = parser.parse(chunk, start, chunk.length);
        size += at - start;
        if (parser.status === ParseStatus.Invalid) return null;
        if (parser.status !== ParseStatus.Complete) continue;
        sizes.push(size);
        size = 0;
      }
    }
    return sizes;
  }

  /** What the proxy answers by itself. */
  answer(request: Text, session: ClientSession = newSession()): Text {
    const parser = this.parserOf(request);
    expect(parser.route === Route.Local || parser.route === Route.Refuse).toBe(true);
    return this.protocol.localReply(parser, messageOf(request), session).toString("latin1");
  }

  /** A request as its server reads it. */
  forward(request: Text, message: MessageBytes): Text {
    const target = newChain();
    this.protocol.writeForward(this.parserOf(request), message, target);
    return takeText(target);
  }

  /** `readMany`, divided as dispatch does it, with a text for each fragment. */
  divide(keys: readonly Text[], pieceBytes = 0): [SplitRequest, Text[]] {
    const text = this.samples.readMany(keys);
    const parser = this.parserOf(text);
    expect(parser.route).toBe(Route.Keys);
    const message = messageOf(text, pieceBytes);
    const request = takeSplitRequest(OWNER);
    request.begin(parser.keyCount);
    keys.forEach((key, i) => (request.fragmentOfKey[i] = SERVER_OF[key[0] ?? ""] ?? 0));
    request.group(3);
    const texts = Array.from({ length: request.groupCount }, (_, group) => {
      request.takeFragment();
      const target = newChain();
      this.protocol.writeFragment(parser, message, request, group, target);
      return takeText(target);
    });
    return [request, texts];
  }

  /** The one reply to `readMany` when its fragments were answered so. */
  coalesce(keys: readonly Text[], replies: readonly Text[], pieceBytes = 0): Text {
    const [request] = this.divide(keys);
    expect(request.fragments.length).toBe(replies.length);
    return this.#reply(request, replies, pieceBytes);
  }

  /** The one reply to a request that went to all servers. */
  coalesceEvery(replies: readonly Text[]): Text {
    const request = takeSplitRequest(OWNER);
    request.begin(0);
    request.groupCount = replies.length;
    for (const _ of replies) request.takeFragment();
    return this.#reply(request, replies, 0);
  }

  #reply(request: SplitRequest, replies: readonly Text[], pieceBytes: number): Text {
    for (const [i, fragment] of request.fragments.entries()) {
      const reply = replies[i] ?? "";
      if (pieceBytes > 0) fragment.replyChain = chainOf(reply, pieceBytes);
      else fragment.setReply(bytesOf(`..${reply}..`), 2, reply.length + 2);
    }
    const target = newChain();
    this.protocol.coalesce(request, target);
    giveSplitRequest(request);
    return takeText(target);
  }
}

function marksOf(parser: RequestParser, message: Buffer): Parsed {
  const { status, route } = parser;
  const isKeyed = status === ParseStatus.Complete && (route === Route.Key || route === Route.Keys);
  const keys: Text[] = [];
  for (let i = 0; isKeyed && i < parser.keyCount; i++) {
    const offset = parser.keyOffset(i);
    keys.push(message.toString("latin1", offset, offset + parser.keyLength(i)));
  }
  return { status, route: isKeyed ? route : Route.Local, keys, sizeBytes: message.length };
}
