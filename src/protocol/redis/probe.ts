/**
 * What an ejected Redis server is asked: PING, whose answer tells whether it can serve.
 *
 * A refusal for want of rights (NOAUTH, NOPERM), or of a command that was renamed, comes from a
 * server that works. Not well is one that would answer requests in the same way: it still loads,
 * has lost its master, hangs in a script, is down as a cluster, or takes no more connections.
 */
import { ascii } from "../../lib/bytes.ts";
import type { Probe } from "../protocol.ts";

const UNWELL = /^-(LOADING|MASTERDOWN|BUSY|CLUSTERDOWN|ERR max number of clients)\b/;

export const REDIS_PROBE: Probe = {
  bytes: ascii("*1\r\n$4\r\nPING\r\n"),
  isWell: (reply) => !UNWELL.test(reply),
};
