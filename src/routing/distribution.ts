/**
 * The contract between the router and a distribution: servers in, a continuum out.
 *
 * ketama.ts, modula.ts and random.ts implement it; distributions.ts lists them by name.
 */
import type { Continuum } from "./continuum.ts";

/** A server as the ring sees it. */
export interface RingServer {
  /** The name, or `host:port` and the like of a server without one; the ring is made of it. */
  readonly name: string;
  /** A whole number from 1 to 2147483647. */
  readonly weight: number;
}

export interface Distribution {
  /** Whether the hash of the key decides; if not, a random number takes its place. */
  readonly usesKey: boolean;
  /**
   * @param servers all servers of the pool, in index order
   * @param live indexes of the servers that get keys, ascending, at least one
   */
  build(servers: readonly RingServer[], live: readonly number[]): Continuum;
}
