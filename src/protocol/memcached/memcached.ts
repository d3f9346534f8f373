/**
 * The memcached protocol as the proxy sees it: this folder behind the contract of protocol.ts.
 */
import type { Protocol } from "../protocol.ts";
import { coalesce } from "./coalesce.ts";
import { writeForward } from "./forward.ts";
import { writeFragment } from "./fragment.ts";
import { localReply } from "./local-replies.ts";
import { hidesReply } from "./meta.ts";
import { MEMCACHED_PROBE } from "./probe.ts";
import { failureReply, framingError, TOO_MANY_CLIENTS, UNAUTHENTICATED } from "./replies.ts";
import { MemcachedRequestParser } from "./request-parser.ts";
import { MemcachedResponseParser } from "./response-parser.ts";

export const MEMCACHED: Protocol<MemcachedRequestParser> = {
  name: "memcached",
  firstVersion: 1,
  createRequestParser: () => new MemcachedRequestParser(),
  createResponseParser: () => new MemcachedResponseParser(),
  localReply,
  // No command of memcached is about other clients.
  peersReply: () => null,
  // No command of memcached has keys that must be on one server.
  keySpans: () => [],
  concernsServer: () => false,
  mayBlock: () => false,
  timeoutReply: () => Buffer.alloc(0),
  differentServersReply: () => Buffer.alloc(0),
  // No memcached pool has a password.
  authRequiredReply: UNAUTHENTICATED,
  framingErrorReply: (parser) => framingError(parser.error),
  tooManyClientsReply: TOO_MANY_CLIENTS,
  failureReply,
  writeForward,
  hidesReply,
  writeFragment,
  coalesce,
  probe: MEMCACHED_PROBE,
  handshake: () => null,
};
