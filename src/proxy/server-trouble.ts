/**
 * What the log says of one server that fails: when it begins, now and then in between, and when it
 * answers again.
 *
 *   healthy --failed--> warning --warn, warn, ...--> one a second --answered--> notice
 *
 * One that is down fails with every request, so all lines share one pause; those that come sooner
 * are info. Does not know when a server is ejected and back (server-pool.ts says that), nor count
 * what decides it (server-health.ts).
 */
import type { ServerConfig } from "../config/config.ts";
import type { Logger } from "../log/logger.ts";
import type { FailureReason } from "../protocol/failure.ts";
import type { Turn } from "./turn.ts";

/** Warnings about a server that come sooner are info. */
export const WARN_PAUSE_MS = 1000;

export class ServerTrouble {
  private nextWarnMs = 0;
  private nextNoticeMs = 0;
  private sinceMs = 0;
  private failures = 0;
  /** The log shows that it fails, at the levels that most people read. */
  private isTold = false;

  constructor(
    /** How each line calls the server. */
    readonly label: string,
    private readonly log: Logger,
    private readonly turn: Turn,
  ) {}

  /**
   * @param isFirst it was healthy until now
   * @param isSaid another warning says so
   */
  failed(why: FailureReason, isFirst: boolean, isSaid: boolean): void {
    if (isFirst) {
      this.sinceMs = this.turn.now();
      this.failures = 0;
      this.isTold = false;
      if (!isSaid) this.warn("server-trouble.ts:1", `${this.label} begins to fail: ${why.cause}`);
    }
    this.failures++;
  }

  /** It has failed, was not ejected, and has sent a reply. */
  answered(): void {
    const { label, log, failures } = this;
    const awayMs = Math.round(this.turn.now() - this.sinceMs);
    const times = failures === 1 ? "1 failure" : `${failures} failures`;
    const text = `${label} answers again after ${awayMs} msec and ${times}`;
    log[this.isTold ? "notice" : "info"]("server-trouble.ts:2", text);
  }

  /** A warning, or info if it comes too soon after the last one. */
  warn(place: string, text: string): void {
    const nowMs = this.turn.now();
    if (nowMs < this.nextWarnMs) {
      this.log.info(place, text);
      return;
    }
    this.nextWarnMs = nowMs + WARN_PAUSE_MS;
    this.isTold = true;
    this.log.warn(place, text);
  }

  /** A notice, or info if it comes too soon after the last one. */
  notice(place: string, text: string): void {
    const nowMs = this.turn.now();
    if (nowMs < this.nextNoticeMs) {
      this.log.info(place, text);
      return;
    }
    this.nextNoticeMs = nowMs + WARN_PAUSE_MS;
    this.log.notice(place, text);
  }
}

/** As in "pool 'alpha': server 'cache1' (10.0.0.1:6379)". */
export function labelOf(pool: string, { name, address }: ServerConfig): string {
  const place = address.kind === "unix" ? address.path : `${address.host}:${address.port}`;
  return `pool '${pool}': server '${name}'${name === place ? "" : ` (${place})`}`;
}
