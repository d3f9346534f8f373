/**
 * One request, start to end: answer it here, divide it, or give it to the server of its key.
 *
 *   Local, Refuse  -> protocol.localReply                    -> client.answer
 *   Key            -> pool.serverOf(key)                     -> server connection
 *   EncodedKey     -> the same, with the key that the parser decoded
 *   Keys           -> group keys by server -> fragments      -> server connections
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
  } else if (route === Route.EncodedKey) {
    pool.readmit();
    const key = parser.rewritten;
    forward(client, pool.serverOf(key, 0, key.length), parser, message);
  } else if (route === Route.Servers && pool.config.memcachedFlushAll) {
    broadcast(client, parser, message);
  } else {
    client.answer(pool.protocol.localReply(parser, message, client));
  }
}

function forwardByKey(client: DispatchClient, parser: RequestParser, message: MessageBytes): void {
  const { pool } = client;
  pool.readmit();
  message.locate(parser.keyOffset(0), parser.keyLength(0));
  forward(client, pool.serverOf(message.bytes, message.start, message.end), parser, message);
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
    message.locate(parser.keyOffset(i), parser.keyLength(i));
    request.fragmentOfKey[i] = pool.serverIndexOf(message.bytes, message.start, message.end);
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
