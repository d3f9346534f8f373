/**
 * A server that answers as a script says: for faults a real server cannot be made to produce.
 *
 *   await using server = ScriptedServer.start((peer, args) => peer.write("$5\r\nhel"));
 *
 * The script is called once for each complete request and may answer at once, later, in pieces,
 * with garbage, or close. Everything that came is kept for the test to look at.
 */
import type { Socket } from "bun";
import { freePort } from "./free-port.ts";
import { decodeRequest } from "./resp.ts";

/** One accepted connection. */
export class Peer {
  readonly #socket: Socket<Peer>;
  #pending: Buffer = Buffer.alloc(0);
  #unsent: Buffer = Buffer.alloc(0);
  /** Requests of this connection that the script has seen, the current one included. */
  readonly requests: string[][] = [];
  isClosed = false;

  constructor(socket: Socket<Peer>) {
    this.#socket = socket;
  }

  /** Sends bytes; a string is taken as latin1. */
  write(bytes: Uint8Array | string): void {
    const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    this.#unsent = Buffer.concat([this.#unsent, data]);
    this.flush();
  }

  flush(): void {
    if (this.#unsent.length === 0) return;
    const taken = this.#socket.write(this.#unsent, 0, this.#unsent.length);
    if (taken > 0) this.#unsent = this.#unsent.subarray(taken);
  }

  /** Sends FIN. */
  finish(): void {
    this.#socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.#socket.terminate();
  }

  /** Takes the complete requests out of what came. */
  receive(chunk: Buffer): Buffer[][] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const requests: Buffer[][] = [];
    let start = 0;
    for (;;) {
      const decoded = decodeRequest(this.#pending, start);
      if (decoded === null) break;
      requests.push(decoded.args);
      start = decoded.end;
    }
    this.#pending = this.#pending.subarray(start);
    return requests;
  }
}

/** Called for each request; `args` are latin1 text, `index` counts the requests of the server. */
export type Script = (peer: Peer, args: readonly string[], index: number) => void;

export interface ScriptedOptions {
  readonly port?: number;
  readonly onConnect?: (peer: Peer) => void;
}

export class ScriptedServer {
  readonly port: number;
  /** Every connection ever accepted. */
  readonly peers: Peer[] = [];
  /** Every request of every connection, in the order they came. */
  readonly requests: string[][] = [];
  #listener: { stop(closeAll?: boolean): void } | undefined;
  readonly #script: Script;
  readonly #onConnect: ((peer: Peer) => void) | undefined;

  private constructor(script: Script, options: ScriptedOptions) {
    this.port = options.port ?? freePort();
    this.#script = script;
    this.#onConnect = options.onConnect;
    this.listen();
  }

  static start(script: Script, options: ScriptedOptions = {}): ScriptedServer {
    return new ScriptedServer(script, options);
  }

  /** The server as an item of a pool's `servers:` list, without weight and name. */
  get item(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get openPeers(): Peer[] {
    return this.peers.filter((peer) => !peer.isClosed);
  }

  /** Listens again after `stop`. */
  listen(): void {
    this.#listener = Bun.listen<Peer>({
      hostname: "127.0.0.1",
      port: this.port,
      socket: {
        open: (socket) => {
          socket.data = new Peer(socket);
          this.peers.push(socket.data);
          this.#onConnect?.(socket.data);
        },
        data: (socket, chunk) => this.#onData(socket.data, chunk),
        drain: (socket) => socket.data.flush(),
        close: (socket) => {
          socket.data.isClosed = true;
        },
      },
    });
  }

  /** Closes the listener and every connection. */
  stop(): void {
    this.#listener?.stop(true);
    this.#listener = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #onData(peer: Peer, chunk: Buffer): void {
    for (const request of peer.receive(chunk)) {
      const args = request.map((arg) => arg.toString("latin1"));
      peer.requests.push(args);
      const index = this.requests.length;
      this.requests.push(args);
      this.#script(peer, args, index);
    }
  }
}
