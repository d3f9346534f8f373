/**
 * What an idle connection costs: memory of a fresh proxy before and after thousands have connected,
 * and once more when each has had one reply.
 *
 *   warm up -> memory -> connect -> memory = silent -> GET each -> memory = used
 */
import type { Socket } from "bun";
import { eventually } from "../../test/support/eventually.ts";
import type { Measured } from "./measures.ts";
import type { Peer } from "./peers.ts";
import { memoryOf } from "./process-tree.ts";
import { descriptorsMax, LOAD_CORE, outputOf, pinned, withDescriptors } from "./run.ts";
import type { IdleScenario } from "./scenarios.ts";
import type { Stage } from "./stage.ts";

/** Connections that are made at once. */
const CONNECTING_MAX = 100;
/** For how long a proxy is left alone before its memory is read. */
const SETTLE_MS = 2000;
/** Descriptors of a proxy that no client has. */
const DESCRIPTORS_KEPT = 200;
const WARM_REQUESTS = 20_000;
const GET = "*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n";

/** As many connections as the scenario wants, or as the proxy can have on this machine. */
export function connectionsFor(scenario: { readonly connections: number }, peer: Peer): number {
  const possible = (descriptorsMax() - DESCRIPTORS_KEPT) / peer.descriptorsPerClient;
  return Math.min(scenario.connections, Math.floor(possible));
}

export async function measureIdle(
  scenario: IdleScenario,
  stage: Stage,
  peer: Peer,
  divisor: number,
): Promise<Measured> {
  const settleMs = SETTLE_MS / divisor;
  await using proxy = await stage.startProxy(peer);
  const warm = ["redis-benchmark", "-p", String(proxy.port), "-t", "get", "-q"];
  const shape = ["-n", String(WARM_REQUESTS), "-P", "16"];
  await outputOf(pinned(LOAD_CORE, withDescriptors([...warm, ...shape])));
  const count = Math.ceil(connectionsFor(scenario, peer) / divisor);
  const before = await settledKb(proxy.pid, settleMs);
  const connections = new IdleConnections();
  try {
    await connections.open(proxy.port, count);
    const silent = await settledKb(proxy.pid, settleMs);
    await connections.ask();
    const used = await settledKb(proxy.pid, settleMs);
    return {
      idleKb: (silent - before) / count,
      usedKb: (used - before) / count,
      residentMb: memoryOf(proxy.pid).residentKb / 1024,
    };
  } finally {
    connections.close();
  }
}

async function settledKb(pid: number, settleMs: number): Promise<number> {
  await Bun.sleep(settleMs);
  return memoryOf(pid).anonymousKb;
}

class IdleConnections {
  readonly #sockets: Socket<undefined>[] = [];
  #replies = 0;
  #closed = 0;

  async open(port: number, count: number): Promise<void> {
    const socket = {
      data: () => {
        this.#replies++;
      },
      close: () => {
        this.#closed++;
      },
    };
    while (this.#sockets.length < count) {
      const size = Math.min(CONNECTING_MAX, count - this.#sockets.length);
      const one = (): Promise<Socket<undefined>> =>
        Bun.connect({ hostname: "127.0.0.1", port, socket });
      this.#sockets.push(...(await Promise.all(Array.from({ length: size }, one))));
    }
  }

  /** One request on each connection; all have their reply. */
  async ask(): Promise<void> {
    const count = this.#sockets.length;
    for (const socket of this.#sockets) socket.write(GET);
    await eventually(() => this.#replies >= count || this.#closed > 0, {
      what: `${count} replies`,
      deadlineMs: 30_000,
    });
    if (this.#closed > 0) throw new Error(`${this.#closed} idle connections were closed`);
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}
