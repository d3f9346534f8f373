/**
 * The stats port: whoever connects gets one JSON document and a line feed, then the end.
 *
 *   connect -> write the document -> shutdown -> wait for the other's FIN -> close
 *
 * What a client sends is thrown away unread, so a browser sees HTTP/0.9, as with nutcracker. It is
 * read off the socket though: a close with unread bytes would reset the connection and could cost
 * the client the end of the document. Nobody holds up anybody: connections are served side by
 * side, and one that does not read is dropped after a while.
 * Differs: nutcracker serves one at a time and blocks. Twin: nc_stats.c.
 */

import type { Socket, SocketListener } from "bun";
import { descriptorsMax, nextDescriptor } from "../lib/descriptors.ts";
import { ProxyError } from "../lib/errors.ts";
import { errnoText } from "../log/errno-text.ts";
import { resolutionFailure, resolveName } from "../lib/resolve-name.ts";
import { statsConnectionsMax } from "../proxy/limits.ts";

/** Time for one client to take its document and to close. */
const PATIENCE_MS = 5_000;

interface StatsConnection {
  document: Uint8Array | null;
  sentBytes: number;
  peerHasEnded: boolean;
  timer: ReturnType<typeof setTimeout> | null;
}

/** Makes the document, without line feed; called once per connection. */
type Render = () => string | Promise<string>;

type StatsSocket = Socket<StatsConnection>;

export class StatsListener {
  readonly #sockets = new Set<StatsSocket>();
  #listener: SocketListener<StatsConnection> | null = null;
  #render: Render | null = null;
  /** One more is closed at once. Each holds a document of some 300 bytes per server. */
  readonly #connectionsMax = statsConnectionsMax(descriptorsMax());

  private constructor() {}

  /**
   * Occupies the address. Connections wait until serve() is called.
   *
   * @param address host name or IP; a text that starts with "/" is the path of a unix socket
   * @throws ProxyError STATS_LISTEN_FAILED, NAME_NOT_RESOLVED
   */
  static async open(address: string, port: number): Promise<StatsListener> {
    const stats = new StatsListener();
    const isUnix = address.startsWith("/");
    const hostname = isUnix ? "" : await resolve(address, port);
    const options = { allowHalfOpen: true, socket: stats.#handlers() };
    const descriptor = nextDescriptor();
    try {
      stats.#listener = isUnix
        ? Bun.listen<StatsConnection>({ ...options, unix: address })
        : Bun.listen<StatsConnection>({ ...options, hostname, port });
    } catch (cause) {
      const where = `bind on m ${descriptor} to stats server addr '${address}:${port}'`;
      const text = `${where} failed: ${errnoText(cause)}`;
      throw new ProxyError("STATS_LISTEN_FAILED", "system", text, { cause });
    }
    return stats;
  }

  /** @param render its promise must not be rejected */
  serve(render: Render): void {
    this.#render = render;
    for (const socket of this.#sockets) this.#begin(socket, render);
  }

  /** Closes everything at once and removes a unix socket from the file system. */
  close(): void {
    this.#listener?.stop(true);
    this.#listener = null;
  }

  #handlers() {
    return {
      open: (socket: StatsSocket) => this.#opened(socket),
      data: () => {},
      drain: (socket: StatsSocket) => this.#write(socket),
      end: (socket: StatsSocket) => this.#peerEnded(socket),
      error: (socket: StatsSocket) => socket.terminate(),
      close: (socket: StatsSocket) => this.#closed(socket),
    };
  }

  #opened(socket: StatsSocket): void {
    socket.data = { document: null, sentBytes: 0, peerHasEnded: false, timer: null };
    if (this.#sockets.size >= this.#connectionsMax) {
      socket.terminate();
      return;
    }
    this.#sockets.add(socket);
    if (this.#render !== null) this.#begin(socket, this.#render);
  }

  #begin(socket: StatsSocket, render: Render): void {
    socket.data.timer = setTimeout(() => giveUp(socket), PATIENCE_MS);
    const text = render();
    if (typeof text === "string") this.#answer(socket, text);
    else void text.then((later) => this.#answer(socket, later));
  }

  #answer(socket: StatsSocket, text: string): void {
    if (!this.#sockets.has(socket)) return;
    socket.data.document = Buffer.from(`${text}\n`);
    this.#write(socket);
  }

  /** May be called at any time: Bun's drain event comes without cause now and then. */
  #write(socket: StatsSocket): void {
    const { document, sentBytes, peerHasEnded } = socket.data;
    if (document === null || sentBytes === document.length) return;
    const written = socket.write(document, sentBytes, document.length - sentBytes);
    if (written < 0) {
      socket.terminate();
      return;
    }
    socket.data.sentBytes += written;
    if (socket.data.sentBytes < document.length) return;
    if (peerHasEnded) socket.end();
    else socket.shutdown();
  }

  #peerEnded(socket: StatsSocket): void {
    socket.data.peerHasEnded = true;
    if (isSentWhole(socket)) socket.end();
  }

  #closed(socket: StatsSocket): void {
    this.#sockets.delete(socket);
    const { timer } = socket.data;
    if (timer !== null) clearTimeout(timer);
  }
}

function isSentWhole(socket: StatsSocket): boolean {
  const { document, sentBytes } = socket.data;
  return document !== null && sentBytes === document.length;
}

/** A reset throws away what the kernel still has to deliver, so only an unsent rest gets one. */
function giveUp(socket: StatsSocket): void {
  if (isSentWhole(socket)) socket.end();
  else socket.terminate();
}

async function resolve(host: string, port: number): Promise<string> {
  const address = await resolveName(host);
  if (address !== null) return address;
  throw new ProxyError("NAME_NOT_RESOLVED", "operator", resolutionFailure(host, port));
}
