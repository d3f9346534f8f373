/**
 * Fault proxies in a thread of their own: the clients of a soak keep their thread busy, and a
 * server behind a fault proxy would answer late for that.
 *
 *   soak --start, set--> thread: FaultProxy --> server
 *        <--port--------
 */
import { FaultProxy } from "../support/fault-proxy.ts";
import type { Fault, FaultProxyOptions } from "../support/fault-proxy.ts";

/** What a thread sees of the one that started it. */
declare const self: Worker;

type Order =
  | { readonly kind: "start"; readonly serverPort: number; readonly options: FaultProxyOptions }
  | { readonly kind: "set"; readonly id: number; readonly fault: Fault };

/** The answer to an order. */
interface Done {
  readonly id: number;
  readonly item: string;
}

/** A fault proxy that lives in the thread. */
export interface ThreadedFaultProxy {
  /** As an item of a pool's `servers:` list, without weight and name. */
  readonly item: string;
  /** As of FaultProxy; resolves when it is so. */
  set(fault: Fault): Promise<void>;
}

export class FaultThread {
  readonly #worker = new Worker(import.meta.path, { ref: false });
  /** Orders are answered in their order. */
  #waiting: ((done: Done) => void)[] = [];

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Done>) => this.#waiting.shift()?.(data);
  }

  async start(serverPort: number, options: FaultProxyOptions): Promise<ThreadedFaultProxy> {
    const { id, item } = await this.#order({ kind: "start", serverPort, options });
    const set = async (fault: Fault) => void (await this.#order({ kind: "set", id, fault }));
    return { item, set };
  }

  /** Ends the thread, and all that is in it. */
  stop(): void {
    this.#worker.terminate();
  }

  #order(order: Order): Promise<Done> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(order);
    });
  }
}

/** Carries out the orders, in the thread. */
function serve(): void {
  const proxies: FaultProxy[] = [];
  self.onmessage = ({ data: order }: MessageEvent<Order>) => {
    if (order.kind === "start") proxies.push(FaultProxy.start(order.serverPort, order.options));
    else proxies[order.id]?.set(order.fault);
    const id = order.kind === "start" ? proxies.length - 1 : order.id;
    const done: Done = { id, item: proxies[id]?.item ?? "" };
    self.postMessage(done);
  };
}

if (!Bun.isMainThread) serve();
