/**
 * How long a server that never has a fault takes to answer through the proxy, while others have
 * faults: one small request every few milliseconds, on a connection of its own.
 *
 * The time includes how late this process is itself, because it has all the other clients, too;
 * `latest` says how much that was. Where it is very late, the machine is too busy for its servers,
 * too: that goes to the diary.
 */
import { nowMs } from "../../src/lib/clock.ts";
import { Conversation } from "./conversation.ts";
import type { SoakContext } from "./conversation.ts";
import type { SoakRequest } from "./dialect.ts";
import { MACHINE } from "./fault-diary.ts";

const PERIOD_MS = 20;
const KEPT_MAX = 200_000;
/** So late is no work of ours. */
const LATE_MS = 100;

export class WellProbe {
  readonly #timesMs: number[] = [];
  /** Times since the last look. */
  #recentMs: number[] = [];
  /** The latest that this process came back from a sleep, in milliseconds. */
  latestMs = 0;

  /** Asks again and again, until it is over. */
  async run(context: SoakContext, request: SoakRequest, isOver: () => boolean): Promise<void> {
    let conversation: Conversation | null = null;
    while (!isOver()) {
      conversation ??= await Conversation.open(context, "probe");
      const startMs = nowMs();
      if (conversation !== null) {
        if (!(await conversation.exchange([request]))) conversation = null;
        this.#note(nowMs() - startMs);
      }
      const sleepMs = nowMs();
      await Bun.sleep(PERIOD_MS);
      const lateMs = nowMs() - sleepMs - PERIOD_MS;
      this.latestMs = Math.max(this.latestMs, lateMs);
      if (lateMs > LATE_MS) context.diary.begin(MACHINE, `${MACHINE} late`)();
    }
    conversation?.client.close();
  }

  /** The 99th percentile since the last call. */
  takeRecent(): number {
    const percentile = percentileOf(this.#recentMs, 0.99);
    this.#recentMs = [];
    return percentile;
  }

  get summary(): string {
    const parts = [0.5, 0.99, 1].map((share) => `${percentileOf(this.#timesMs, share).toFixed(1)}`);
    return `p50 ${parts[0]} ms, p99 ${parts[1]} ms, most ${parts[2]} ms`;
  }

  #note(timeMs: number): void {
    if (this.#timesMs.length < KEPT_MAX) this.#timesMs.push(timeMs);
    this.#recentMs.push(timeMs);
  }
}

function percentileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
