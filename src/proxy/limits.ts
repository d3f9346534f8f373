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

/** Requests waiting for a server connection to take them. */
export const SERVER_OUTPUT_BYTES_MAX = 8 * 1024 * 1024;

/** A reply of which so much has come goes on to its client before the rest. */
export const STREAM_BYTES_MIN = 64 * 1024;

/** Longest attempt to connect to a server, handshake included, in a pool without `timeout`. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** After our last byte to a client: longest wait for it to close, too. */
export const LINGER_MS = 2_000;

/** File descriptors that are not for clients: logs, the stats port, the runtime's own. */
export const RESERVED_DESCRIPTORS = 32;
