/**
 * What a worker wants of the others, over its supervisor: who their clients are, and orders.
 *
 *   peers(pool) -> waiting -> asked --askPeers--> supervisor --> every other worker
 *                               ^                                      |
 *                               +---- foundPeers, or no answer in time +
 *
 * One question per pool is under way at a time. Who asks meanwhile waits for the next one, which
 * all of them share: so they see what was true after they asked, and a client that asks in a
 * pipeline costs the other workers little.
 */

import type { OtherWorkers, PeerFacts, PeerOrder } from "../proxy/distant-peers.ts";
import type { MessageFromWorker } from "./worker-messages.ts";

/** The supervisor waits for half of this time (worker-process.ts); it may be held up itself. */
const PATIENCE_MS = 2_000;

type Resolve = (peers: readonly PeerFacts[]) => void;

/** Questions about one pool. */
interface Line {
  /** Number of the question under way; 0 = none. */
  ask: number;
  asked: Resolve[];
  waiting: Resolve[];
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class WorkersElsewhere implements OtherWorkers {
  readonly #send: (message: MessageFromWorker) => void;
  readonly #lines = new Map<number, Line>();
  #lastAsk = 0;
  #isOrphaned = false;

  constructor(send: (message: MessageFromWorker) => void) {
    this.#send = send;
  }

  peers(pool: number): Promise<readonly PeerFacts[]> {
    if (this.#isOrphaned) return Promise.resolve([]);
    const line = this.#lines.get(pool) ?? { ask: 0, asked: [], waiting: [], timer: undefined };
    this.#lines.set(pool, line);
    return new Promise((resolve) => {
      line.waiting.push(resolve);
      if (line.ask === 0) this.#ask(pool, line);
    });
  }

  tell(order: PeerOrder): void {
    this.#send({ kind: "order", order });
  }

  /** An answer that comes too late is not looked at. */
  found(pool: number, ask: number, peers: readonly PeerFacts[]): void {
    const line = this.#lines.get(pool);
    if (line === undefined || line.ask !== ask) return;
    clearTimeout(line.timer);
    line.ask = 0;
    const { asked } = line;
    line.asked = [];
    if (line.waiting.length > 0) this.#ask(pool, line);
    for (const resolve of asked) resolve(peers);
  }

  /** The supervisor is gone: nobody else is known any more, nor waited for. */
  orphaned(): void {
    this.#isOrphaned = true;
    for (const [pool, line] of this.#lines) {
      line.asked.push(...line.waiting.splice(0));
      this.found(pool, line.ask, []);
    }
  }

  #ask(pool: number, line: Line): void {
    const ask = ++this.#lastAsk;
    line.ask = ask;
    line.asked = line.waiting;
    line.waiting = [];
    line.timer = setTimeout(() => this.found(pool, ask, []), PATIENCE_MS);
    this.#send({ kind: "askPeers", pool, ask });
  }
}
