/**
 * What an ejected memcached server is asked: its version. An error in its place is that of a server
 * that takes no more connections, or has no memory.
 */
import { ascii } from "../../lib/bytes.ts";
import type { Probe } from "../protocol.ts";

export const MEMCACHED_PROBE: Probe = {
  bytes: ascii("version\r\n"),
  isWell: (reply) => reply.startsWith("VERSION "),
};
