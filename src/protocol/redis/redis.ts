/**
 * The Redis protocol as the proxy sees it: this folder behind the contract of protocol.ts.
 */
import type { Protocol } from "../protocol.ts";
import { mayBlock, timeoutReply } from "./blocking.ts";
import { coalesce } from "./coalesce.ts";
import { writeFragment } from "./fragment.ts";
import { redisHandshake } from "./handshake.ts";
import { localReply, peersReply } from "./local-replies.ts";
import { keySpans } from "./key-spans.ts";
import { REDIS_PROBE } from "./probe.ts";
import {
  AUTH_REQUIRED,
  differentServersReply,
  failureReply,
  framingError,
  TOO_MANY_CLIENTS,
} from "./replies.ts";
import { RedisRequestParser } from "./request-parser.ts";
import { RedisResponseParser } from "./response-parser.ts";
import { concernsServer } from "./server-commands.ts";

export const REDIS: Protocol<RedisRequestParser> = {
  name: "redis",
  firstVersion: 2,
  createRequestParser: () => new RedisRequestParser(),
  createResponseParser: () => new RedisResponseParser(),
  localReply,
  peersReply,
  keySpans,
  concernsServer,
  mayBlock,
  timeoutReply,
  differentServersReply: (parser, found) =>
    differentServersReply(parser.command.name.toLowerCase(), found),
  authRequiredReply: AUTH_REQUIRED,
  framingErrorReply: (parser) => framingError(parser.error, parser.errorByte),
  tooManyClientsReply: TOO_MANY_CLIENTS,
  failureReply,
  // Redis requests are forwarded as they came.
  writeForward: (_parser, message, target) => message.moveTo(target),
  // Only a client that asked for it, with CLIENT REPLY, has requests whose reply is looked at.
  hidesReply: () => true,
  writeFragment,
  coalesce,
  probe: REDIS_PROBE,
  handshake: redisHandshake,
};
