/**
 * The pid file: the number of the process that serves, in decimal and without a line feed, for
 * init scripts. Written once, when the pools listen, and removed at every orderly end.
 *
 * Differs from nutcracker: a start that fails does not touch it; it is removed at SIGINT and
 * SIGTERM too, and only while it holds our own number. A second instance on other ports that was
 * given the same file by mistake has then put its own there.
 */

import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { ProxyError } from "../lib/errors.ts";
import { errnoText } from "../log/errno-text.ts";
import type { Logger } from "../log/logger.ts";

const FILE_MODE = 0o644;

export class PidFile {
  readonly #path: string;
  readonly #log: Logger;

  private constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /**
   * Creates the file, or replaces what is in it.
   *
   * @throws ProxyError PID_FILE_FAILED
   */
  static create(path: string, log: Logger): PidFile {
    try {
      writeFileSync(path, String(process.pid), { mode: FILE_MODE });
    } catch (cause) {
      const action = isWriteFailure(cause) ? "write to" : "opening";
      const text = `${action} pid file '${path}' failed: ${errnoText(cause)}`;
      throw new ProxyError("PID_FILE_FAILED", "operator", text, { cause });
    }
    return new PidFile(path, log);
  }

  /** Removes the file if it is still ours. A failure is logged and otherwise ignored. */
  remove(): void {
    try {
      if (readFileSync(this.#path, "latin1") === String(process.pid)) {
        unlinkSync(this.#path);
        return;
      }
      this.#log.warn("pid-file.ts:1", `pid file '${this.#path}' is of another process, kept`);
    } catch (error) {
      const text = `unlink of pid file '${this.#path}' failed, ignored: ${errnoText(error)}`;
      this.#log.error("pid-file.ts:2", text);
    }
  }
}

function isWriteFailure(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "write";
}
