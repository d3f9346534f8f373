/**
 * Why a request has no reply from a server: one row per reason, with the text that clients see.
 *
 * Texts are glibc's strerror texts, as nutcracker sends them behind "-ERR " or "SERVER_ERROR ".
 * How a reason is spelled on the wire is each protocol's replies.ts.
 */

import { LF } from "../lib/bytes.ts";

export interface FailureReason {
  /** The code that Bun or Node gives for it, or our own word. */
  readonly code: string;
  /** What the client reads. */
  readonly text: string;
  /** What the log says: the same, or more where nutcracker's words hide the cause. */
  readonly cause: string;
  /**
   * A server's own words, sent to the client instead of `text`: the whole reply with its line end.
   */
  readonly reply: Buffer | null;
}

function reason(code: string, text: string, cause = text): FailureReason {
  return { code, text, cause, reply: null };
}

/** The server closed the connection with requests in flight. nutcracker has no errno for it. */
export const SERVER_CLOSED = reason("FIN", "unknown", "closed by the server");
export const TIMED_OUT = reason("ETIMEDOUT", "Connection timed out");
/** A reply that cannot be read, or one that nobody asked for. */
export const BAD_RESPONSE = reason("EINVAL", "Invalid argument");
/** We closed the connection, because nobody used it. */
export const UNUSED = reason("UNUSED", "unused");
/** The proxy has no room for the reply (max_buffer_memory). */
export const NO_BUFFER_SPACE = reason("ENOBUFS", "No buffer space available");
/** The failover pool has no lane for clients of this kind. */
export const TOO_MANY_LANES = reason(
  "LANES",
  "too many databases and protocol versions are in use through the failover pool",
);
/** So many clients wait at this server as may. */
export const TOO_MANY_BLOCKED = reason("BLOCKED", "Too many clients are blocked at this server");
/** We have no file descriptor for a connection. */
export const OUT_OF_DESCRIPTORS = reason("EMFILE", "Too many open files");
export const NAME_NOT_RESOLVED = unresolved("ENOTFOUND");

const REASONS: readonly FailureReason[] = [
  SERVER_CLOSED,
  TIMED_OUT,
  BAD_RESPONSE,
  NAME_NOT_RESOLVED,
  unresolved("DNS_ENOTFOUND"),
  unresolved("EAI_AGAIN"),
  reason("EHOSTDOWN", NAME_NOT_RESOLVED.text),
  reason("ECONNREFUSED", "Connection refused"),
  reason("ECONNRESET", "Connection reset by peer"),
  reason("ECONNABORTED", "Software caused connection abort"),
  reason("EPIPE", "Broken pipe"),
  reason("EHOSTUNREACH", "No route to host"),
  reason("ENETUNREACH", "Network is unreachable"),
  reason("EADDRNOTAVAIL", "Cannot assign requested address"),
  reason("ENOENT", "No such file or directory"),
  reason("EACCES", "Permission denied"),
  reason("EPERM", "Operation not permitted"),
  reason("ENOTSOCK", "Socket operation on non-socket"),
  reason("EPROTOTYPE", "Protocol wrong type for socket"),
  OUT_OF_DESCRIPTORS,
  reason("ENFILE", "Too many open files in system"),
  NO_BUFFER_SPACE,
  reason("ENOMEM", "Cannot allocate memory"),
];

const byCode = new Map(REASONS.map((row) => [row.code, row]));

/** The reason for an error code of a socket; a code that has no row is shown as it is. */
export function failureOf(code: string | undefined): FailureReason {
  if (code === undefined) return SERVER_CLOSED;
  return byCode.get(code) ?? reason(code, code);
}

/** nutcracker's words for it, which say too little in a log. */
function unresolved(code: string): FailureReason {
  return reason(code, "Host is down", "its name does not resolve");
}

/**
 * The pool answers for a server that is ejected (eject_policy). To be made once for each server.
 * @param failoverPool the pool that it is in, if it is asked there because another one is ejected
 */
export function ejected(server: string, failoverPool: string | null = null): FailureReason {
  const place = failoverPool === null ? "" : ` of failover pool '${shown(failoverPool)}'`;
  const also = failoverPool === null ? "" : ", too";
  return reason("EJECTED", `Server '${shown(server)}'${place} is ejected${also}`);
}

/** A name of the configuration as it may stand in a reply. */
function shown(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, "?");
}

const REFUSED_HANDSHAKE = "HANDSHAKE";

/** A server refused the handshake: its own error line goes to each request that waited. */
export function refusedHandshake(reply: Buffer): FailureReason {
  const cause = "handshake failed";
  return { code: REFUSED_HANDSHAKE, text: BAD_RESPONSE.text, cause, reply };
}

/**
 * The same, from a server that has sent an error before it was asked (too many clients). Several
 * lines may hold a value, or an error that only clients of RESP3 can read: they belong to nobody.
 */
export function refusedConnection(reply: Buffer): FailureReason {
  if (reply.indexOf(LF) !== reply.length - 1) return BAD_RESPONSE;
  return { code: "REFUSED", text: BAD_RESPONSE.text, cause: "refused the connection", reply };
}

/** The server has answered as servers do that live. */
export function isRefusedHandshake({ code }: FailureReason): boolean {
  return code === REFUSED_HANDSHAKE;
}
