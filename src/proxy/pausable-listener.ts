/**
 * A listening socket that can stop accepting and start again, which Bun's cannot.
 *
 *   accepting --pause()--> a second descriptor of the same socket; Bun's listener is stopped
 *             <-resume()-- a listener of Bun on that descriptor
 *
 * In between clients connect as usual and wait in the kernel's queue (`backlog`). Bun unlinks the
 * path of a unix socket that it stops; so it gets a second descriptor at once, and the path is our
 * own business. Does not bind (listening-socket.ts) and does not know why it pauses.
 */
import { closeSync } from "node:fs";
import type { SocketHandler } from "bun";
import type { PoolConfig } from "../config/config.ts";
import { duplicateDescriptor } from "../lib/libc.ts";
import {
  adoptListeningSocket,
  listenError,
  type ListeningSocket,
  openListeningSocket,
  type SocketFile,
  socketFile,
  stopButKeepFile,
  unlinkOwn,
} from "./listening-socket.ts";

export class PausableListener<Data> {
  /** Null = paused, or stopped. */
  private socket: ListeningSocket | null = null;
  /** While paused: keeps the socket open. */
  private descriptor = -1;
  /** false: the system does not let us. */
  private isPausable = true;
  /** The path to unlink at the end, if that is left to us. */
  private file: SocketFile | null = null;

  private constructor(
    private readonly config: PoolConfig,
    private readonly handlers: SocketHandler<Data>,
  ) {}

  /**
   * @param descriptor a listening socket that somebody else has bound; null = bind one
   * @throws ProxyError if the address cannot be listened on
   */
  static async open<Data>(
    config: PoolConfig,
    handlers: SocketHandler<Data>,
    descriptor: number | null,
  ): Promise<PausableListener<Data>> {
    const listener = new PausableListener(config, handlers);
    if (descriptor !== null) {
      listener.socket = adoptListeningSocket(config, handlers, descriptor);
      return listener;
    }
    listener.socket = await openListeningSocket(config, handlers, config.reusePort);
    const { address } = config.listen;
    if (address.kind === "unix") listener.takePath(address.path);
    return listener;
  }

  /** @returns false if that is not possible here: it goes on accepting */
  pause(): boolean {
    if (this.socket === null) return true;
    if (!this.isPausable || !this.hold()) return false;
    this.socket.stop(false);
    this.socket = null;
    return true;
  }

  /** @throws ProxyError */
  resume(): void {
    if (this.descriptor < 0) return;
    this.socket = adoptListeningSocket(this.config, this.handlers, this.descriptor);
    this.descriptor = -1;
  }

  /** Nobody can connect any more; connections that are there stay. */
  stop(): void {
    this.socket?.stop(false);
    this.socket = null;
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    if (this.file !== null) unlinkOwn(this.file);
    this.file = null;
  }

  /** Makes the path our business instead of Bun's. */
  private takePath(path: string): void {
    try {
      this.isPausable = this.hold();
      if (!this.isPausable) return;
      stopButKeepFile(this.socket!, path);
      this.file = socketFile(path);
      this.resume();
    } catch (error) {
      this.stop();
      throw listenError(this.config.listen.text, -1, error);
    }
  }

  private hold(): boolean {
    this.descriptor = duplicateDescriptor(this.socket?.fd ?? -1);
    return this.descriptor >= 0;
  }
}
