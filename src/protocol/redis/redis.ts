/**
 * The Redis protocol as the proxy sees it: this folder behind the contract of protocol.ts.
 */
import type { Protocol } from "../protocol.ts";
import { coalesce } from "./coalesce.ts";
import { writeFragment } from "./fragment.ts";
import { redisHandshake } from "./handshake.ts";
import { localReply } from "./local-replies.ts";
import { AUTH_REQUIRED, failureReply, framingError, TOO_MANY_CLIENTS } from "./replies.ts";
import { RedisRequestParser } from "./request-parser.ts";
import { RedisResponseParser } from "./response-parser.ts";

export const REDIS: Protocol<RedisRequestParser> = {
  name: "redis",
  firstVersion: 2,
  createRequestParser: () => new RedisRequestParser(),
  createResponseParser: () => new RedisResponseParser(),
  localReply,
  authRequiredReply: AUTH_REQUIRED,
  framingErrorReply: (parser) => framingError(parser.error, parser.errorByte),
  tooManyClientsReply: TOO_MANY_CLIENTS,
  failureReply,
  // Redis requests are forwarded as they came, and all their replies are wanted.
  writeForward: (_parser, message, target) => message.moveTo(target),
  hidesReply: () => false,
  writeFragment,
  coalesce,
  handshake: redisHandshake,
};
