/**
 * Where log lines go: a file that can be opened again by name (after logrotate), or stderr.
 *
 *   path given         -> open for append, mode 0644
 *   stderr is a file   -> descriptor 2 itself; the offset is shared with whoever gave it to us
 *   a pipe, a terminal -> opened again without waiting, since O_NONBLOCK on descriptor 2 would also
 *                         change the pipe for every process that has it
 *   a socket           -> send without waiting; a socket cannot be opened again
 *
 * A line is one write. Where nobody reads or the disk is full the line is lost: the proxy neither
 * waits nor fails for its log. Does not know levels or formats (file-logger.ts).
 */

import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { dlopen } from "bun:ffi";
import { ProxyError } from "../lib/errors.ts";
import { errnoText } from "./errno-text.ts";

const STDERR_FD = 2;
const STDERR_PATH = "/proc/self/fd/2";
const FILE_MODE = 0o644;
const NO_WAIT = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Linux: MSG_DONTWAIT | MSG_NOSIGNAL. */
const SEND_FLAGS = 0x40 | 0x4000;

type Write = (descriptor: number, line: Uint8Array, length: number) => void;

function writeFile(descriptor: number, line: Uint8Array, length: number): void {
  writeSync(descriptor, line, 0, length);
}

/** libc's send, for a stderr that is a socket: the journal of systemd, a parent written in Node. */
function sendWithoutWaiting(): Write {
  try {
    const { symbols } = dlopen("libc.so.6", {
      send: { args: ["i32", "buffer", "u64", "i32"], returns: "void" },
    });
    return (descriptor, line, length) => {
      symbols.send(descriptor, line, length, SEND_FLAGS);
    };
  } catch {
    // A libc of another name: lines may then wait for the reader, as nutcracker's do.
    return writeFile;
  }
}

export class LogSink {
  /** The file's name, or null for stderr. */
  readonly path: string | null;
  #descriptor: number;
  #write: Write = writeFile;

  private constructor(path: string | null, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /**
   * @param path a file to append to, or null for stderr
   * @throws ProxyError LOG_OPEN_FAILED
   */
  static open(path: string | null): LogSink {
    if (path !== null) {
      return new LogSink(path, openLogFile(path, `opening log file '${path}' failed`));
    }
    const sink = new LogSink(null, STDERR_FD);
    sink.#chooseStderr();
    return sink;
  }

  /** Writes `length` bytes of the line at once, or loses them. */
  write(line: Uint8Array, length: number): void {
    try {
      this.#write(this.#descriptor, line, length);
    } catch {
      // A full disk or a reader that left must not hurt the clients.
    }
  }

  /**
   * Opens the file again by its name, which another process may have renamed. Lines go on to the
   * old file when that fails. Nothing happens for stderr.
   *
   * @throws ProxyError LOG_OPEN_FAILED
   */
  reopen(): void {
    const { path } = this;
    if (path === null) return;
    const old = this.#descriptor;
    this.#descriptor = openLogFile(path, `reopening log file '${path}' failed, ignored`);
    closeSync(old);
  }

  /** Descriptor 2 stays open: it is not ours. */
  close(): void {
    if (this.#descriptor !== STDERR_FD) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #chooseStderr(): void {
    try {
      const status = fstatSync(STDERR_FD);
      if (status.isSocket()) this.#write = sendWithoutWaiting();
      else if (!status.isFile()) this.#descriptor = openSync(STDERR_PATH, NO_WAIT);
    } catch {
      // Not Linux, or a terminal of another user: descriptor 2 as it is.
    }
  }
}

function openLogFile(path: string, failure: string): number {
  try {
    return openSync(path, NO_WAIT | constants.O_CREAT, FILE_MODE);
  } catch (cause) {
    const text = `${failure}: ${errnoText(cause)}`;
    throw new ProxyError("LOG_OPEN_FAILED", "operator", text, { cause });
  }
}
