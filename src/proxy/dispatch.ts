/**
 * One request, start to end: answer it here, divide it, or give it to the server of its key.
 *
 *   Local, Refuse  -> protocol.localReply                    -> client.answer
 *                     about all clients, with other workers  -> client.answerWithPeers
 *                     what concerns the only server, if the pool allows it -> server connection
 *   Key            -> pool.serverIndexOf(key)                     -> server connection
 *   Keys           -> group keys by server -> fragments      -> server connections
 *   SameServer     -> the same, if all keys have one server  -> server connection
 *                     one that may block                     -> client.block (blocked-request.ts)
 *   Servers        -> one fragment for each server           -> server connections
 *
 * In the place of a server connection: an error, if the server is ejected and its keys go nowhere
 * else. The only file that knows the whole story of a request; it only calls. A request that fails
 * at once is done before `dispatch` returns, so it is queued at the client first.
 */
import type { MessageBytes } from "../lib/message-bytes.ts";
import type { ClientSession, PeersReply, RequestParser } from "../protocol/protocol.ts";
import { Route } from "../protocol/protocol.ts";
import type { Request, RequestOwner } from "../protocol/request.ts";
import { giveRequest, takeRequest } from "../protocol/request.ts";
import { takeSplitRequest } from "../protocol/split-request.ts";
import type { Lane } from "./lane.ts";
import type { HeldBack, ServerConnection } from "./server-connection.ts";
import type { ServerPool } from "./server-pool.ts";

/** A client as dispatch sees it. */
export interface DispatchClient extends RequestOwner, ClientSession, HeldBack {
  readonly pool: ServerPool;
  /** The kind of server connections that its requests use. */
  readonly lane: Lane;
  /** The request takes its place in the order of replies. */
  enqueue(request: Request): void;
  /** A reply that is there already takes its place. */
  answer(reply: Buffer): void;
  /** The same with a reply that is made when the clients of other workers are known. */
  answerWithPeers(reply: PeersReply, sizeBytes: number): void;
  /**
   * The request goes to the server `target` over a connection lent for it, after those before it;
   * none is taken from the client until it is replied to. The bytes are taken over.
   * @param timeoutReply what it is told if it is made to wait no longer
   */
  block(target: number, message: MessageBytes, timeoutReply: Buffer): void;
  /** The server connection has too much to write: stop reading until it calls serverDrained. */
  holdBack(connection: ServerConnection): void;
}

/** @param message the bytes of the request that `parser` has just completed; they are taken over */
export function dispatch(
  client: DispatchClient,
  parser: RequestParser,
  message: MessageBytes,
): void {
  const { pool } = client;
  const { route } = parser;
  if (!client.isAuthenticated && !parser.isAllowedBeforeAuth) {
    client.answer(pool.protocol.authRequiredReply);
  } else if (route === Route.Key) {
    forwardByKey(client, parser, message);
  } else if (route === Route.Keys) {
    if (parser.keyCount === 1) forwardByKey(client, parser, message);
    else divide(client, parser, message);
  } else if (route === Route.Placeholder) {
    forward(client, pool.placeholderTarget(), parser, message);
  } else if (route === Route.SameServer) {
    forwardTogether(client, parser, message);
  } else if (route === Route.Servers && pool.config.memcachedFlushAll) {
    broadcast(client, parser, message);
  } else {
    answerHere(client, parser, message);
  }
}

/** Unless the request is about the only server of a pool that passes such requests on. */
function answerHere(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  const { config, protocol, askElsewhere } = client.pool;
  if (config.redisServerCommands && protocol.concernsServer(parser, message)) {
    forwardOrBlock(client, 0, parser, message);
    return;
  }
  const reply = askElsewhere === null ? null : protocol.peersReply(parser, message);
  if (reply !== null) client.answerWithPeers(reply, message.sizeBytes);
  else client.answer(protocol.localReply(parser, message, client));
}

function forwardByKey(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  forward(client, targetOf(client.pool, parser, message, 0), parser, message);
}

function targetOf(
  pool: ServerPool,
  parser: RequestParser,
  message: MessageBytes,
  keyIndex: number,
): number {
  const { decodedKey } = parser;
  if (decodedKey !== null) return pool.serverIndexOf(decodedKey, 0, decodedKey.length);
  message.locate(parser.keyOffset(keyIndex), parser.keyLength(keyIndex));
  return pool.serverIndexOf(message.bytes, message.start, message.end);
}

/** To the server of all keys, or an error that names two that are on different servers. */
function forwardTogether(
  client: DispatchClient,
  parser: RequestParser,
  message: MessageBytes,
): void {
  const { pool } = client;
  const spans = pool.protocol.keySpans(parser, message);
  // Where servers are taken at random no key has one, and any will do.
  const end = pool.config.distribution === "random" ? Math.min(2, spans.length) : spans.length;
  let found = -1;
  for (let i = 0; i < end; i += 2) {
    const target = targetAt(pool, message, spans, i);
    if (found < 0) found = target;
    if (target === found) continue;
    const servers = [pool.targets[found]?.name ?? "", pool.targets[target]?.name ?? ""] as const;
    const keys = [keyAt(message, spans, 0), keyAt(message, spans, i)] as const;
    const { hashTag } = pool.config;
    client.answer(pool.protocol.differentServersReply(parser, { keys, servers, hashTag }));
    return;
  }
  if (found < 0) answerHere(client, parser, message);
  else forwardOrBlock(client, found, parser, message);
}

function forwardOrBlock(
  client: DispatchClient,
  target: number,
  parser: RequestParser,
  message: MessageBytes,
): void {
  const { protocol } = client.pool;
  if (protocol.mayBlock(parser, message)) {
    client.block(target, message, protocol.timeoutReply(parser, client.protocolVersion));
  } else {
    forward(client, target, parser, message);
  }
}

function targetAt(
  pool: ServerPool,
  message: MessageBytes,
  spans: readonly number[],
  at: number,
): number {
  message.locate(spans[at] ?? 0, spans[at + 1] ?? 0);
  return pool.serverIndexOf(message.bytes, message.start, message.end);
}

function keyAt(message: MessageBytes, spans: readonly number[], at: number): Buffer {
  message.locate(spans[at] ?? 0, spans[at + 1] ?? 0);
  return Buffer.from(message.bytes.subarray(message.start, message.end));
}

function forward(
  client: DispatchClient,
  target: number,
  parser: RequestParser,
  message: MessageBytes,
): void {
  const request = takeRequest(client);
  request.replyFilter = parser.replyFilter;
  if (parser.isSilent) request.owner = null;
  else client.enqueue(request);
  const connection = connectionTo(client, target, request);
  if (connection === null) return;
  const chain = connection.beginRequest();
  if (parser.isReworded) client.pool.protocol.writeForward(parser, message, chain);
  else message.moveTo(chain);
  send(client, connection, request);
}

/** Where the request is to be written; null if it has failed at once. */
function connectionTo(
  client: DispatchClient,
  target: number,
  request: Request,
): ServerConnection | null {
  const connection = client.pool.connectionFor(target, client.lane);
  if (connection !== null) return connection;
  request.failure = client.pool.refusalOf(target);
  if (request.owner === null) giveRequest(request);
  else request.owner.requestDone(request);
  return null;
}

/** Queues the request that was written to `connection`. */
function send(client: DispatchClient, connection: ServerConnection, request: Request): void {
  connection.queued(request);
  if (connection.isBusy) client.holdBack(connection);
}

function divide(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  const { pool } = client;
  const { keyCount } = parser;
  const request = takeSplitRequest(client);
  request.begin(keyCount);
  request.countIndexes(pool.chunkPool);
  for (let i = 0; i < keyCount; i++) {
    request.fragmentOfKey[i] = targetOf(pool, parser, message, i);
  }
  request.group(pool.targets.length);
  if (parser.fragmentKeysMax < keyCount) request.divideGroups(parser.fragmentKeysMax);
  client.enqueue(request);
  const { groupCount } = request;
  pool.counters.fragments += groupCount;
  for (let group = 0; group < groupCount; group++) {
    const fragment = request.takeFragment();
    const connection = connectionTo(client, request.serverOfGroup[group]!, fragment);
    if (connection === null) continue;
    pool.protocol.writeFragment(parser, message, request, group, connection.beginRequest());
    send(client, connection, fragment);
  }
}

/** The same request to every server of the pool itself, ejected or not. */
function broadcast(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  const { pool } = client;
  const request = takeSplitRequest(client);
  request.begin(0);
  request.groupCount = pool.servers.length;
  if (parser.isSilent) request.owner = null;
  else client.enqueue(request);
  const groupCount = pool.servers.length;
  pool.counters.fragments += groupCount;
  for (let target = 0; target < groupCount; target++) {
    const fragment = request.takeFragment();
    const connection = connectionTo(client, target, fragment);
    if (connection === null) continue;
    const chain = connection.beginRequest();
    if (parser.isReworded) pool.protocol.writeForward(parser, message, chain);
    else message.copyRange(0, message.sizeBytes, chain);
    send(client, connection, fragment);
  }
}
