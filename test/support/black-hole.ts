/**
 * A TCP server that swallows every attempt to connect: its queue is full, and nobody accepts, so
 * that a connect neither succeeds nor fails for minutes.
 *
 *   using hole = await BlackHole.open();     servers: [`${hole.item}:1`]
 *   hole.accept(handlers);                   from now on it is a server
 */
import { closeSync } from "node:fs";
import type { Socket, SocketHandler } from "bun";
import { duplicateDescriptor, listenBacklog, tcpState } from "../../src/lib/libc.ts";
import { nextDescriptor } from "../../src/lib/descriptors.ts";

const CONNECTING = 2;
const FILLERS_MAX = 10;

export class BlackHole {
  readonly #fillers: Socket<undefined>[] = [];
  #listener: { stop(closeActive?: boolean): void } | null = null;

  private constructor(
    readonly port: number,
    private descriptor: number,
  ) {}

  static async open(): Promise<BlackHole> {
    const socket = { data() {} };
    const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
    const { port } = listener;
    const hole = new BlackHole(port, duplicateDescriptor((listener as { fd?: number }).fd ?? -1));
    listener.stop();
    listenBacklog(hole.descriptor, 0);
    for (let count = 0; count < FILLERS_MAX; count++) {
      const descriptor = nextDescriptor();
      const connecting = Bun.connect({ hostname: "127.0.0.1", port, socket });
      if (tcpState(descriptor) === CONNECTING) {
        connecting.catch(() => {});
        return hole;
      }
      hole.#fillers.push(await connecting);
    }
    throw new Error(`${FILLERS_MAX} connections did not fill a queue of none`);
  }

  /** As in nutcracker.yml, without the weight. */
  get item(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Takes those that wait, and everybody else. */
  accept(handlers: SocketHandler<undefined>): void {
    const target = { socket: handlers, fd: this.descriptor };
    this.descriptor = -1;
    this.#listener = Bun.listen(target as never);
    for (const filler of this.#fillers.splice(0)) filler.terminate();
  }

  [Symbol.dispose](): void {
    this.#listener?.stop(true);
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    for (const filler of this.#fillers) filler.terminate();
  }
}
