/**
 * How much may wait, and where: the table of limits of the data plane.
 *
 * At each limit the client that caused it is not read from until half of it is gone; others notice
 * nothing. The limits are soft by what one socket chunk (512 KB) or one request may add.
 * Limits of single messages stand with their parsers.
 */

/** Replies waiting for a client to read them. */
export const CLIENT_OUTPUT_BYTES_MAX = 1024 * 1024;

/** Requests of one client that have no reply yet. */
export const CLIENT_REQUESTS_MAX = 1024;

/**
 * What the replies may weigh that a client has asked for and not got, by the size of its last ones:
 * a client that asks for large values has few requests in flight, or one that reads nothing could
 * fill the memory and the server's connection with what it asked for in one packet.
 */
export const CLIENT_REPLIES_BYTES_MAX = 2 * 1024 * 1024;

/** The size that is expected of replies to a client that had none yet. */
export const FIRST_REPLY_BYTES = 512 * 1024;

/** Who holds no more than this goes on when memory is short: most never notice. */
export const ROOM_ALWAYS_BYTES = 64 * 1024;

/** How long a client waits for buffer memory with its request half there, before it is closed. */
export const ROOM_WAIT_MS = 5_000;

/** Requests waiting for a server connection to take them. */
export const SERVER_OUTPUT_BYTES_MAX = 8 * 1024 * 1024;

/** What a blocked client may send behind its blocking request before it is not read from. */
export const BLOCKED_BYTES_MAX = 1024 * 1024;

/** Connections of a server that are lent to one client each: as many may be blocked there. */
export const PRIVATE_CONNECTIONS_MAX = 1024;

/** Of these, so many are kept when nobody needs them. */
export const PRIVATE_IDLE_MAX = 16;

/** How long the end of a block waits for an element that is on its way already. */
export const UNBLOCK_MS = 1_000;

/** Seldom enough to cost nothing: a server that vanished is missed by nobody else. */
export const PRIVATE_KEEPALIVE_MS = 60_000;

/** A reply of which so much has come goes on to its client before the rest. */
export const STREAM_BYTES_MIN = 64 * 1024;

/** Requests that have timed out, whose late replies a server connection is to swallow. */
export const EXPIRED_REQUESTS_MAX = 16_384;

/** Longest attempt to connect to a server, handshake included, in a pool without `timeout`. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** After our last byte to a client: longest wait for it to close, too. */
export const LINGER_MS = 2_000;

/** A client that has sent half a request is closed when nothing more came for so long. */
export const REQUEST_STALL_MS = 60_000;

/** File descriptors beyond those open at the start: opening a log again, resolving names. */
export const SPARE_DESCRIPTORS = 8;

/**
 * Connections to the stats port at a time: a part of all descriptors, so that they never take the
 * last one.
 */
export function statsConnectionsMax(descriptorsMax: number): number {
  return Math.max(8, Math.min(256, Math.floor(descriptorsMax / 16)));
}
