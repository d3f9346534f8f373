/**
 * The few calls of the C library that Bun does not offer.
 *
 * Everything here is optional: where the library cannot be loaded (another libc), the call does
 * nothing and says so by its result. Never on the hot path.
 */
import { dlopen } from "bun:ffi";

const C_LIBRARY = "libc.so.6";

/**
 * Changes the length of a listening socket's queue of connections not yet accepted. Bun always asks
 * for 512; a second listen(2) on the same socket changes it.
 * @returns false if that was not possible
 */
export function listenBacklog(fd: number, backlog: number): boolean {
  try {
    const library = dlopen(C_LIBRARY, { listen: { args: ["i32", "i32"], returns: "i32" } });
    const result = library.symbols.listen(fd, backlog);
    library.close();
    return result === 0;
  } catch {
    return false;
  }
}

/** Linux: F_DUPFD_CLOEXEC. */
const DUPLICATE_COMMAND = 1030;

/**
 * A second descriptor of the same file or socket, which stays open when the first one is closed.
 * @returns -1 if that was not possible
 */
export function duplicateDescriptor(fd: number): number {
  try {
    const library = dlopen(C_LIBRARY, { fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });
    const duplicate = library.symbols.fcntl(fd, DUPLICATE_COMMAND, 0);
    library.close();
    return duplicate;
  } catch {
    return -1;
  }
}
