/**
 * Which server was in trouble when: decides whether an error may be.
 *
 *   fault driver --begin/end--> diary <--was this server well from ... to ...?-- client
 *
 * A fault has a grace time behind it: the proxy may still time out, retry, or wait for the time
 * to try an ejected server again.
 */
import { nowMs } from "../../src/lib/clock.ts";

/** Faults that are over are forgotten after so long; no request is under way for longer. */
const KEPT_MS = 120_000;

/** Stands for a server in the diary when nobody gets enough of the processor. */
export const MACHINE = "machine";

interface Fault {
  readonly kind: string;
  readonly fromMs: number;
  /** Infinity while it lasts. */
  toMs: number;
}

export class FaultDiary {
  readonly #faults = new Map<string, Fault[]>();
  readonly #counts = new Map<string, number>();

  /** Notes that a fault of a server begins; call the result when the server is well again. */
  begin(server: string, kind: string): () => void {
    const fault: Fault = { kind, fromMs: nowMs(), toMs: Infinity };
    const kept = this.#of(server).filter(({ toMs }) => toMs > fault.fromMs - KEPT_MS);
    this.#faults.set(server, [...kept, fault]);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    return () => {
      fault.toMs = nowMs();
    };
  }

  /** True if one of the servers had a fault between the times, or less than `graceMs` before. */
  wasFaulty(servers: Iterable<string>, fromMs: number, toMs: number, graceMs: number): boolean {
    for (const server of servers) {
      const isHit = (fault: Fault) => fault.fromMs <= toMs && fault.toMs + graceMs >= fromMs;
      if (this.#of(server).some(isHit)) return true;
    }
    return false;
  }

  /** What happened to a server, newest last, for a message. */
  history(server: string): string {
    const now = nowMs();
    const ago = (ms: number) => (ms === Infinity ? "now" : `-${Math.round(now - ms)} ms`);
    const faults = this.#of(server).slice(-2);
    const shown = faults.map(({ kind, fromMs, toMs }) => `${kind} ${ago(fromMs)}..${ago(toMs)}`);
    return `${server}: ${shown.join(", ") || "never a fault"}`;
  }

  get countsByKind(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Servers that have a fault now. */
  get current(): string[] {
    const hasFault = ([, faults]: [string, Fault[]]) => faults.at(-1)?.toMs === Infinity;
    return [...this.#faults].filter(hasFault).map(([server]) => server);
  }

  #of(server: string): Fault[] {
    return this.#faults.get(server) ?? [];
  }
}
