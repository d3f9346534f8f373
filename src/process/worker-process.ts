/**
 * One worker as its supervisor sees it: a child process, from its start to its end.
 *
 *   new WorkerProcess -> started: null or why not -> reports ... -> ended: how
 *
 * Does not decide what happens when it ends (supervisor.ts). The other side is
 * supervised-worker.ts.
 */

import { nowMs } from "../lib/clock.ts";
import type { PeerFacts } from "../proxy/distant-peers.ts";
import { runningCommand } from "./own-command.ts";
import {
  type AskPeersMessage,
  type MessageFromWorker,
  type MessageToWorker,
  type OrderMessage,
  WORKER_MARK,
} from "./worker-messages.ts";

/** Reports asked for and not answered, above which a worker that hangs is not asked again. */
const REPORTS_WAITING_MAX = 16;
/** How long a worker that is busy may take to say who its clients are. */
const PEERS_PATIENCE_MS = 1_000;

/** A message of a worker that is for another one. */
export type MessageToOthers = AskPeersMessage | OrderMessage;

export class WorkerProcess {
  /** Resolves to null when it serves, or to the reason why it never will. */
  readonly started: Promise<string | null>;
  /** Resolves when it is gone and its last message was read: "SIGKILL", "status 1". */
  readonly ended: Promise<string>;
  /** Its last report; none before the first. */
  numbers: readonly number[] = [];
  /** Why it does not serve, as far as it could say. */
  reason = "";
  /** Monotonic milliseconds of the moment when it began to serve; 0 = it does not yet. */
  servesSinceMs = 0;

  readonly #child: Bun.Subprocess;
  readonly #onMessage: (message: MessageToOthers) => void;
  readonly #started = Promise.withResolvers<string | null>();
  #asked = 0;
  /** Infinity when it is gone. */
  #answered = 0;
  #onAnswer: (() => void)[] = [];
  /** Who waits to hear of its clients, in the order of questions. */
  #onPeers: ((peers: readonly PeerFacts[]) => void)[] = [];
  /** Of those, who waits no longer. While there are any, it is not asked again. */
  #latePeers = 0;

  /**
   * @param words the command line behind the program's name, so that the worker shows it too
   * @param sockets descriptors of its listening sockets
   * @param onMessage called for what it wants of the other workers
   * @throws Error if the system cannot start a process
   */
  constructor(
    words: readonly string[],
    sockets: readonly number[],
    onMessage: (message: MessageToOthers) => void,
  ) {
    this.#onMessage = onMessage;
    this.started = this.#started.promise;
    const disconnected = Promise.withResolvers<void>();
    this.#child = Bun.spawn([...runningCommand(), ...words], {
      argv0: process.argv0,
      env: { ...process.env, [WORKER_MARK]: String(process.pid) },
      stdio: ["ignore", "inherit", "inherit", ...sockets],
      ipc: (message: MessageFromWorker) => this.#receive(message),
      onDisconnect: () => disconnected.resolve(),
    });
    this.ended = Promise.all([this.#child.exited, disconnected.promise]).then(() => this.#end());
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** A worker that is gone already does not hear it. */
  send(message: MessageToWorker): void {
    try {
      this.#child.send(message);
    } catch {
      // Its end is on the way to us.
    }
  }

  /** Asks for its numbers. @returns false if it still owes an answer, and was not asked */
  poll(): boolean {
    const isAnswered = this.#asked <= this.#answered;
    if (isAnswered) void this.report();
    return isAnswered;
  }

  /** Asks for its numbers; resolves when they are newer than this call, or there will be none. */
  report(): Promise<void> {
    const waiting = this.#asked - this.#answered;
    const isAsking = this.servesSinceMs > 0 && waiting >= 0 && waiting < REPORTS_WAITING_MAX;
    if (!isAsking) return Promise.resolve();
    const wanted = ++this.#asked;
    this.send({ kind: "report" });
    return new Promise((resolve) => {
      const check = () => {
        if (this.#answered >= wanted) resolve();
        else this.#onAnswer.push(check);
      };
      this.#onAnswer.push(check);
    });
  }

  /** Its clients of a pool; none if it does not answer in time. */
  peers(pool: number): Promise<readonly PeerFacts[]> {
    const isAsking = this.servesSinceMs > 0 && this.#latePeers === 0;
    if (!isAsking || this.#answered === Infinity) return Promise.resolve([]);
    this.send({ kind: "tellPeers", pool });
    return new Promise((resolve) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        this.#latePeers++;
        resolve([]);
      }, PEERS_PATIENCE_MS);
      this.#onPeers.push((peers) => {
        clearTimeout(timer);
        if (isLate) this.#latePeers--;
        resolve(peers);
      });
    });
  }

  /** Ends it at once, whatever it does. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #receive(message: MessageFromWorker): void {
    switch (message.kind) {
      case "serving":
        this.servesSinceMs = nowMs();
        this.#started.resolve(null);
        break;
      case "failed":
        this.reason = message.reason;
        break;
      case "report":
        this.numbers = message.numbers;
        this.#answer(this.#answered + 1);
        break;
      case "peers":
        this.#onPeers.shift()?.(message.peers);
        break;
      default:
        this.#onMessage(message);
    }
  }

  #end(): string {
    const { signalCode, exitCode } = this.#child;
    const how = `${signalCode ?? `status ${exitCode}`}`;
    if (this.reason === "") this.reason = `it ended with ${how}`;
    this.#started.resolve(this.reason);
    this.#answer(Infinity);
    for (const answer of this.#onPeers.splice(0)) answer([]);
    return how;
  }

  #answer(answered: number): void {
    this.#answered = answered;
    for (const check of this.#onAnswer.splice(0)) check();
  }
}
