/**
 * How a server is, from its failures, replies and probes; and when it is looked at next.
 *
 *            failure              server_failure_limit          probe due
 *   Healthy ---------> Suspect ------------------------> Ejected <------> Probing
 *      ^                  | reply                           ^      failed    |
 *      '------------------'------ an answered probe, or request -------------'
 *
 * One incident is one failure: connections that were open when it was counted, and have had no
 * reply since, fail without being counted again. Does not know sockets (server-probe.ts) nor what
 * an ejection means (server-pool.ts); all times are handed in.
 */
import type { ServerCounters } from "../stats/counters.ts";
import { ServerState } from "../stats/counters.ts";

/** Ejected again so soon after it was back, a server flaps. */
export const FLAP_WINDOW_MS = 30_000;

/** The longest that flapping can put off the first probe, unless its interval is longer. */
export const FLAP_DELAY_MAX_MS = 60_000;

/** The part of a delay that chance may take away, so that probes of many proxies spread. */
const JITTER = 0.25;

export interface HealthSettings {
  readonly serverFailureLimit: number;
  readonly serverProbeIntervalMs: number;
  readonly serverRetryTimeoutMs: number;
}

/** What of a connection counts here. */
export interface Witness {
  /** `incidents` of its server when it was opened, or had a reply. */
  incident: number;
}

export class ServerHealth {
  /** Failures counted so far. */
  incidents = 0;
  /** When an ejected server is to be probed; monotonic milliseconds. */
  probeAtMs = Infinity;
  /** Failures without a reply in between. */
  private failures = 0;
  private ejectedAtMs = 0;
  private returnedAtMs = -Infinity;
  /** Returns in a row that did not last. */
  private flaps = 0;
  private probeDelayMs = 0;

  constructor(
    private readonly counters: Pick<ServerCounters, "serverState">,
    private readonly settings: HealthSettings,
  ) {}

  get state(): ServerState {
    return this.counters.serverState;
  }

  get isEjected(): boolean {
    return this.counters.serverState >= ServerState.Probing;
  }

  /**
   * Counts a failure of this connection, if it is news.
   * @returns how many in a row it was if that is too many, and begins anew; else 0
   */
  failed(witness: Witness): number {
    if (this.isEjected || witness.incident !== this.incidents) return 0;
    this.incidents++;
    this.counters.serverState = ServerState.Suspect;
    const failures = ++this.failures;
    if (failures < this.settings.serverFailureLimit) return 0;
    this.failures = 0;
    return failures;
  }

  /** A connection of a server that is not ejected had a reply. */
  replied(witness: Witness): void {
    witness.incident = this.incidents;
    this.failures = 0;
    this.counters.serverState = ServerState.Healthy;
  }

  /** @returns milliseconds until the first probe */
  eject(nowMs: number): number {
    const { serverProbeIntervalMs: intervalMs } = this.settings;
    this.flaps = nowMs - this.returnedAtMs < FLAP_WINDOW_MS ? this.flaps + 1 : 0;
    const dampedMs = intervalMs * 2 ** Math.max(0, this.flaps - 1);
    this.counters.serverState = ServerState.Ejected;
    this.ejectedAtMs = nowMs;
    this.probeDelayMs = Math.min(dampedMs, Math.max(FLAP_DELAY_MAX_MS, intervalMs));
    this.probeAtMs = nowMs + this.probeDelayMs;
    return this.probeDelayMs;
  }

  /** A probe starts; if it fails, the time to the next one counts from here. */
  probing(nowMs: number): void {
    const { serverProbeIntervalMs: intervalMs, serverRetryTimeoutMs: retryMs } = this.settings;
    this.counters.serverState = ServerState.Probing;
    // After a first delay that was damped the usual ones follow. An explicit interval above
    // the retry timeout is what the operator wants, and is kept.
    const doubledMs = Math.min(this.probeDelayMs, Math.max(intervalMs, retryMs)) * 2;
    this.probeDelayMs = Math.min(doubledMs, Math.max(intervalMs, retryMs));
    this.probeAtMs = nowMs + this.probeDelayMs * (1 - JITTER * Math.random());
  }

  probeFailed(): void {
    this.counters.serverState = ServerState.Ejected;
  }

  /** It is in service again. @returns milliseconds that it was not */
  returned(nowMs: number): number {
    this.counters.serverState = ServerState.Healthy;
    this.returnedAtMs = nowMs;
    this.probeAtMs = Infinity;
    return nowMs - this.ejectedAtMs;
  }
}
