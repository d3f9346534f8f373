/**
 * The few calls of the C library that Bun does not offer.
 *
 * Everything here is optional: where the library cannot be loaded (another libc), the call does
 * nothing and says so by its result. Never on the hot path, but for `restUs`, which leaves it.
 */
import { dlopen, ptr } from "bun:ffi";

const C_LIBRARY = "libc.so.6";

/** Linux: F_DUPFD_CLOEXEC. */
const DUPLICATE_COMMAND = 1030;
/** Linux: IPPROTO_TCP, TCP_INFO; the first byte of its answer is the state of the connection. */
const TCP_LEVEL = 6;
const TCP_INFO = 11;
const TCP_INFO_BYTES = 256;
/** Linux: SHUT_RDWR. */
const BOTH_WAYS = 2;
/** Linux: PR_SET_TIMERSLACK, in nanoseconds; 50,000 unless told. */
const TIMER_SLACK_COMMAND = 29;
const TIMER_SLACK_NS = 1000;

function load() {
  try {
    return dlopen(C_LIBRARY, {
      listen: { args: ["i32", "i32"], returns: "i32" },
      fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
      usleep: { args: ["u32"], returns: "i32" },
      prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
      shutdown: { args: ["i32", "i32"], returns: "i32" },
      getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    }).symbols;
  } catch {
    return null;
  }
}

/** Loaded with the first call. */
let loaded: ReturnType<typeof load> | undefined;

function library(): ReturnType<typeof load> {
  return (loaded ??= load());
}

/** This thread wakes up when it asked to, not up to 50 us later. */
let isPunctual = false;

/**
 * Changes the length of a listening socket's queue of connections not yet accepted. Bun always asks
 * for 512; a second listen(2) on the same socket changes it.
 * @returns false if that was not possible
 */
export function listenBacklog(fd: number, backlog: number): boolean {
  return library()?.listen(fd, backlog) === 0;
}

/**
 * A second descriptor of the same file or socket, which stays open when the first one is closed.
 * @returns -1 if that was not possible
 */
export function duplicateDescriptor(fd: number): number {
  return library()?.fcntl(fd, DUPLICATE_COMMAND, 0) ?? -1;
}

/** The state of a TCP connection as Linux numbers them; -1 = no TCP socket, or not known. */
export function tcpState(fd: number): number {
  const info = new Uint8Array(TCP_INFO_BYTES);
  const length = new Uint32Array([TCP_INFO_BYTES]);
  const result = library()?.getsockopt(fd, TCP_LEVEL, TCP_INFO, ptr(info), ptr(length));
  return result === 0 ? (info[0] ?? -1) : -1;
}

/** Ends a connection, or the attempt to make one; the descriptor stays open. */
export function shutdownSocket(fd: number): boolean {
  return library()?.shutdown(fd, BOTH_WAYS) === 0;
}

/** Holds up the thread, and with it the event loop, for so many microseconds. */
export function restUs(us: number): void {
  const c = library();
  if (!isPunctual) c?.prctl(TIMER_SLACK_COMMAND, TIMER_SLACK_NS, 0, 0, 0);
  isPunctual = true;
  c?.usleep(Math.trunc(us));
}
