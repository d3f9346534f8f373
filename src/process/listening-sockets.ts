/**
 * The listening sockets of all workers, bound once and kept open by the supervisor.
 *
 *   TCP pool    one socket for each worker on the same address: the kernel spreads clients evenly
 *   unix pool   one socket for all: whichever worker is awake first accepts
 *
 * The supervisor only holds descriptors and accepts nobody. So the queue of a worker that died is
 * still there for the next one, and no connection is lost. With one TCP socket for all, epoll
 * gives one worker most of the clients: 382 to 18 in a burst of 400, against 184 to 216 this way.
 */

import { closeSync } from "node:fs";
import type { Config, PoolConfig } from "../config/config.ts";
import { ProxyError } from "../lib/errors.ts";
import { duplicateDescriptor } from "../lib/libc.ts";
import {
  openListeningSocket,
  type SocketFile,
  socketFile,
  stopButKeepFile,
  unlinkOwn,
} from "../proxy/listening-socket.ts";

export class ListeningSockets {
  /** By worker, then by pool. */
  readonly #descriptors: number[][];
  readonly #files: SocketFile[] = [];

  private constructor(workerCount: number) {
    this.#descriptors = Array.from({ length: workerCount }, () => []);
  }

  /** @throws ProxyError if an address cannot be listened on; what was made so far is undone */
  static async open(config: Config, workerCount: number): Promise<ListeningSockets> {
    const sockets = new ListeningSockets(workerCount);
    try {
      for (const pool of config.pools) await sockets.#openPool(pool);
    } catch (error) {
      sockets.close();
      throw error;
    }
    return sockets;
  }

  /** The descriptors for one worker, in the order of the pools. */
  of(worker: number): readonly number[] {
    return this.#descriptors[worker] ?? [];
  }

  /** From now on nobody can connect, except to a worker that still listens. */
  close(): void {
    const descriptors = new Set(this.#descriptors.flat());
    for (const descriptor of descriptors) closeSync(descriptor);
    for (const list of this.#descriptors) list.length = 0;
    for (const file of this.#files.splice(0)) unlinkOwn(file);
  }

  async #openPool(pool: PoolConfig): Promise<void> {
    const { address } = pool.listen;
    if (address.kind === "unix") {
      const descriptor = await bind(pool, false);
      this.#files.push(socketFile(address.path));
      for (const list of this.#descriptors) list.push(descriptor);
      return;
    }
    // Without sharing first: a stranger on the address is found, unless the pool allows strangers.
    if (!pool.reusePort) closeSync(await bind(pool, false));
    for (const list of this.#descriptors) list.push(await bind(pool, true));
  }
}

/** @returns a descriptor of a listening socket that nobody accepts on yet */
async function bind(pool: PoolConfig, reusePort: boolean): Promise<number> {
  const socket = await openListeningSocket(pool, { data: () => {} }, reusePort);
  const descriptor = duplicateDescriptor(socket.fd ?? -1);
  const { address, text } = pool.listen;
  if (descriptor >= 0) {
    if (address.kind === "unix") stopButKeepFile(socket, address.path);
    else socket.stop();
    return descriptor;
  }
  socket.stop();
  throw new ProxyError(
    "NO_SHARED_LISTENER",
    "system",
    `sharing '${text}' between workers failed: more than one worker needs the GNU C library and ` +
      "a free file descriptor",
  );
}
