/**
 * A server whose requests are lines, and that answers as it is told: a memcached that is none.
 *
 * For Redis there is test/support/scripted-server.ts.
 */
import type { Socket } from "bun";
import { freePort } from "../support/free-port.ts";

const LF = 0x0a;

/** One connection, as the one who answers sees it. */
export class LinePeer {
  readonly #socket: Socket<LinePeer>;

  constructor(socket: Socket<LinePeer>) {
    this.#socket = socket;
  }

  /** Replies are short: what the kernel does not take at once is dropped. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes, 0, bytes.length);
  }

  finish(): void {
    this.#socket.end();
  }
}

export class LineServer {
  readonly port = freePort();
  readonly #listener: { stop(closeAll?: boolean): void };

  /** @param onLine called once for each line that came */
  constructor(onLine: (peer: LinePeer) => void) {
    this.#listener = Bun.listen<LinePeer>({
      hostname: "127.0.0.1",
      port: this.port,
      socket: {
        open: (socket) => {
          socket.data = new LinePeer(socket);
        },
        data: (socket, chunk) => {
          for (const byte of chunk) if (byte === LF) onLine(socket.data);
        },
      },
    });
  }

  get item(): string {
    return `127.0.0.1:${this.port}`;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}
