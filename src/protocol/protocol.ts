/**
 * The contract: what the proxy needs to know about a wire protocol, and nothing more.
 *
 *   bytes -> RequestParser -> route + marks -> (proxy) -> ResponseParser -> end of reply
 *
 * A protocol has never heard of a socket, a clock or a configuration file. Both parsers read one
 * message at a time, keep their place between calls, and never throw: an incomplete message is an
 * ordinary outcome.
 */
import type { ByteChain } from "../lib/byte-chain.ts";
import type { MessageBytes } from "../lib/message-bytes.ts";
import type { FailureReason } from "./failure.ts";
import type { Request } from "./request.ts";
import type { SplitRequest } from "./split-request.ts";

/** How a call of `parse` ended. */
export const ParseStatus = {
  /** All bytes read, the message is not over. */
  Incomplete: 0,
  Complete: 1,
  /** Broken framing: what follows cannot be understood. */
  Invalid: 2,
  /** Bytes that are no message of ours: an empty line, or a push of a server. */
  Nothing: 3,
  /** A message in a form that `rewritten` holds in its normal form (an inline command). */
  Rewritten: 4,
} as const;
export type ParseStatus = (typeof ParseStatus)[keyof typeof ParseStatus];

/** What the proxy does with a request. */
export const Route = {
  /** To the server of its key. */
  Key: 0,
  /** Divided over the servers of its keys. */
  Keys: 1,
  /** Answered here. */
  Local: 2,
  /** To the server that the text "placeholder" belongs to: commands without a key. */
  Placeholder: 3,
  /** Answered with an error: unknown, unsupported, or with a wrong number of arguments. */
  Refuse: 4,
  /** To every server, if the pool allows it; the replies become one. Else answered here. */
  Servers: 5,
  /** To the server of all its keys; answered with an error if they are on several. */
  SameServer: 6,
} as const;
export type Route = (typeof Route)[keyof typeof Route];

/** Reads requests. The marks describe the request that was completed last, until the next call. */
export interface RequestParser {
  /** Outcome of the last call of `parse`. */
  readonly status: ParseStatus;
  /** What to do with the request; valid when complete. */
  readonly route: Route;
  readonly keyCount: number;
  /** A request that must pass without authentication, such as AUTH. */
  readonly isAllowedBeforeAuth: boolean;
  /** The client wants no reply (noreply). The server still sends one, which is swallowed. */
  readonly isSilent: boolean;
  /** The request goes to its server in another form, written by `writeForward`. */
  readonly isReworded: boolean;
  /** Not 0: `hidesReply` decides by this number whether the client sees the reply. */
  readonly replyFilter: number;
  /** The normal form of a message that was read in another one. */
  readonly rewritten: Buffer;
  /** The key that decides about the server, if the request spells it in another form; or null. */
  readonly decodedKey: Buffer | null;
  /** What it keeps in memory of a request under way, beside the request itself. */
  readonly keptBytes: number;
  /** The most keys that may go into one fragment. */
  readonly fragmentKeysMax: number;
  /** @returns index after the last byte read, at most `end` */
  parse(bytes: Buffer, start: number, end: number): number;
  /** Offset of key `index` from the first byte of the request. */
  keyOffset(index: number): number;
  keyLength(index: number): number;
  /** Forgets a message under way and is ready for the next one. */
  reset(): void;
}

/** Reads replies; finds where one ends. */
export interface ResponseParser {
  readonly status: ParseStatus;
  /** True if the reply that was completed last is an error. */
  readonly isError: boolean;
  /** The message under way is one that no request asks for. */
  readonly isPush: boolean;
  parse(bytes: Buffer, start: number, end: number): number;
  reset(): void;
}

/** Who a client is, and what it has said about itself. */
export interface ClientIdentity {
  readonly id: number;
  /** "host:port" */
  readonly address: string;
  /** Of this proxy. */
  readonly localAddress: string;
  readonly ageSeconds: number;
  name: string;
  libraryName: string;
  libraryVersion: string;
}

/** A client as others of its pool may see it, and what they may do to it. */
export interface Peer {
  readonly identity: ClientIdentity;
  readonly protocolVersion: number;
  readonly database: number;
  /** Its last request waits at the server. */
  readonly isBlocked: boolean;
  /**
   * Ends that with the error, or as if its time were over; a reply that is on its way still comes.
   * @returns false if it does not wait
   */
  unblock(error: Buffer | null): boolean;
  /** Closes at once. */
  terminate(): void;
}

/** What a client has asked for, and what its pool demands and tells. */
export interface ClientSession extends Peer {
  /** Null: no password is asked for. */
  readonly password: Buffer | null;
  /** Version and database that replies and requests of this client use from now on. */
  readonly protocolVersion: number;
  readonly database: number;
  /** @returns false if the pool has no room for connections in that state */
  select(protocolVersion: number, database: number): boolean;
  isAuthenticated: boolean;
  /** The client asked to be closed after its replies. */
  isQuitting: boolean;
  /** How many of the next replies the client does not want to see; Infinity: none at all. */
  hiddenReplies: number;
  /** All that the client has asked for is as it was when it came. */
  reset(): void;
  /** The clients of the pool, with itself; those of other workers in a PeersReply alone. */
  peers(): Iterable<Peer>;
  /** Microseconds since 1970. */
  wallClockUs(): number;
  /** How the pool is set up, and how it is. */
  poolFacts(): readonly (readonly [string, string | number])[];
  /** What the proxy counts, by the names that memcached has for it. */
  statistics(): readonly (readonly [string, string | number])[];
}

/** Makes the reply to a request about the clients of a pool, when all of them are known. */
export type PeersReply = (session: ClientSession) => Buffer;

/** Two keys of one request that are not on the same server. */
export interface DifferentServers {
  readonly keys: readonly [Buffer, Buffer];
  readonly servers: readonly [string, string];
  readonly hashTag: Uint8Array | null;
}

/** What a server connection says before its first request. */
export interface Handshake {
  readonly bytes: Buffer;
  readonly replyCount: number;
  /** What clients read if this reply does not allow the connection to be used; else null. */
  refusal(reply: Buffer): Buffer | null;
}

/** A request that changes nothing, to see if a server is well. */
export interface Probe {
  readonly bytes: Buffer;
  /** @param reply its first characters, as latin1 and without a line end */
  isWell(reply: string): boolean;
}

export interface HandshakeOptions {
  readonly password: string | null;
  /** Of the replies: 2 or 3 for Redis. */
  readonly protocolVersion: number;
  readonly database: number;
}

/** Stateless; one object per protocol. `P` is its own parser, which its other parts look into. */
export interface Protocol<P extends RequestParser = RequestParser> {
  readonly name: "redis" | "memcached";
  /** That clients and servers speak before anybody asks for another one. */
  readonly firstVersion: number;
  createRequestParser(): P;
  createResponseParser(): ResponseParser;
  /** The reply to a request whose route is Local or Refuse. */
  localReply(parser: P, message: MessageBytes, session: ClientSession): Buffer;
  /**
   * Not null: a request whose `localReply` speaks of all clients of the pool. Where there are
   * other workers, theirs are to be known first.
   */
  peersReply(parser: P, message: MessageBytes): PeersReply | null;
  /**
   * Offset and length of each key of a request whose route is SameServer, until the next call.
   * Empty: it does not tell its keys, and is to be answered by `localReply`.
   */
  keySpans(parser: P, message: MessageBytes): readonly number[];
  /** True if a request that is answered here may go to the server instead, if that is but one. */
  concernsServer(parser: P, message: MessageBytes): boolean;
  /** True if the server may keep back the reply until others have done something. */
  mayBlock(parser: P, message: MessageBytes): boolean;
  /** What the server says to such a request if nothing has come in time. */
  timeoutReply(parser: P, protocolVersion: number): Buffer;
  differentServersReply(parser: P, found: DifferentServers): Buffer;
  /** The reply to any request of a client that has yet to authenticate. */
  readonly authRequiredReply: Buffer;
  /** The reply to bytes that are no request; the connection is closed after it. */
  framingErrorReply(parser: P): Buffer;
  /** The reply to one client too many. */
  readonly tooManyClientsReply: Buffer;
  /** The reply to a request whose server failed. */
  failureReply(failure: FailureReason): Buffer;
  /** Writes a request that `isReworded` as its server is to read it. */
  writeForward(parser: P, message: MessageBytes, target: ByteChain): void;
  /** True if the client is not to see the reply of a request with a `replyFilter`. */
  hidesReply(request: Request): boolean;
  /** Writes the fragment of group `group`, and notes in `request` how its replies coalesce. */
  writeFragment(
    parser: P,
    message: MessageBytes,
    request: SplitRequest,
    group: number,
    target: ByteChain,
  ): void;
  /**
   * Writes the one reply of a divided request whose fragments are all done.
   * @returns false if it is an error that the proxy made
   */
  coalesce(request: SplitRequest, target: ByteChain): boolean;
  readonly probe: Probe;
  /** Null if nothing has to be said. */
  handshake(options: HandshakeOptions): Handshake | null;
}
