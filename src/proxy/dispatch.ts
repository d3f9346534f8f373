/**
 * One request, start to end: answer it here, divide it, or give it to the server of its key.
 *
 *   Local, Refuse  -> protocol.localReply                    -> client.answer
 *   Key            -> pool.serverOf(key)                     -> server connection
 *   Keys           -> group keys by server -> fragments      -> server connections
 *   SameServer     -> the same, if all keys have one server  -> server connection
 *   Servers        -> one fragment for each server           -> server connections
 *
 * The only file that knows the whole story of a request; it only calls. A request that fails at
 * once is done before `dispatch` returns, so it is queued at the client first.
 */
import type { MessageBytes } from "../lib/message-bytes.ts";
import type { ClientSession, RequestParser } from "../protocol/protocol.ts";
import { Route } from "../protocol/protocol.ts";
import type { Request, RequestOwner } from "../protocol/request.ts";
import { takeRequest } from "../protocol/request.ts";
import { takeSplitRequest } from "../protocol/split-request.ts";
import type { Lane } from "./lane.ts";
import type { HeldBack, ServerConnection } from "./server-connection.ts";
import type { Server } from "./server.ts";
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
    pool.readmit();
    forward(client, pool.placeholderServer(), parser, message);
  } else if (route === Route.SameServer) {
    forwardTogether(client, parser, message);
  } else if (route === Route.Servers && pool.config.memcachedFlushAll) {
    broadcast(client, parser, message);
  } else {
    client.answer(pool.protocol.localReply(parser, message, client));
  }
}

function forwardByKey(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  const { pool } = client;
  pool.readmit();
  forward(client, pool.servers[serverIndexOf(pool, parser, message, 0)]!, parser, message);
}

function serverIndexOf(
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
  pool.readmit();
  const spans = pool.protocol.keySpans(parser, message);
  // Where servers are taken at random no key has one, and any will do.
  const end = pool.config.distribution === "random" ? Math.min(2, spans.length) : spans.length;
  let found = -1;
  for (let i = 0; i < end; i += 2) {
    const index = serverIndexAt(pool, message, spans, i);
    if (found < 0) found = index;
    if (index === found) continue;
    const servers = [pool.servers[found]?.name ?? "", pool.servers[index]?.name ?? ""] as const;
    const keys = [keyAt(message, spans, 0), keyAt(message, spans, i)] as const;
    const { hashTag } = pool.config;
    client.answer(pool.protocol.differentServersReply(parser, { keys, servers, hashTag }));
    return;
  }
  const server = pool.servers[found];
  if (server === undefined) client.answer(pool.protocol.localReply(parser, message, client));
  else forward(client, server, parser, message);
}

function serverIndexAt(
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
  server: Server,
  parser: RequestParser,
  message: MessageBytes,
): void {
  const request = takeRequest(client);
  request.replyFilter = parser.replyFilter;
  if (parser.isSilent) request.owner = null;
  else client.enqueue(request);
  const connection = server.connectionFor(client.lane);
  const { chain } = connection.output;
  const before = chain.sizeBytes;
  if (parser.isReworded) client.pool.protocol.writeForward(parser, message, chain);
  else message.moveTo(chain);
  send(client, connection, request, before);
}

/** Queues the request whose bytes `connection` has beyond the first `before`. */
function send(
  client: DispatchClient,
  connection: ServerConnection,
  request: Request,
  before: number,
): void {
  connection.queued(request, connection.output.chain.sizeBytes - before);
  if (connection.isBusy) client.holdBack(connection);
}

function divide(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  const { pool } = client;
  pool.readmit();
  const { keyCount } = parser;
  const request = takeSplitRequest(client);
  request.begin(keyCount);
  for (let i = 0; i < keyCount; i++) {
    request.fragmentOfKey[i] = serverIndexOf(pool, parser, message, i);
  }
  request.group(pool.servers.length);
  if (parser.fragmentKeysMax < keyCount) request.divideGroups(parser.fragmentKeysMax);
  client.enqueue(request);
  for (let group = 0; group < request.groupCount; group++) {
    const fragment = request.takeFragment();
    const connection = pool.servers[request.serverOfGroup[group]!]!.connectionFor(client.lane);
    const { chain } = connection.output;
    const before = chain.sizeBytes;
    pool.protocol.writeFragment(parser, message, request, group, chain);
    send(client, connection, fragment, before);
  }
  pool.counters.fragments += request.groupCount;
}

/** The same request to every server. */
function broadcast(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  const { pool } = client;
  const request = takeSplitRequest(client);
  request.begin(0);
  request.groupCount = pool.servers.length;
  if (parser.isSilent) request.owner = null;
  else client.enqueue(request);
  for (const server of pool.servers) {
    const fragment = request.takeFragment();
    const connection = server.connectionFor(client.lane);
    const { chain } = connection.output;
    const before = chain.sizeBytes;
    if (parser.isReworded) pool.protocol.writeForward(parser, message, chain);
    else message.copyRange(0, message.sizeBytes, chain);
    send(client, connection, fragment, before);
  }
  pool.counters.fragments += request.groupCount;
}
