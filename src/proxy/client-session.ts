/**
 * What a client has said about itself and asked for, within its pool: password, database, protocol
 * version, name, hidden replies. Protocols see it as ClientSession.
 *
 * Knows no socket but for its addresses; reading and replying is client-connection.ts.
 */
import type { Socket } from "bun";
import { wallClockMs, wallClockUs } from "../lib/clock.ts";
import type { ClientSession, Peer } from "../protocol/protocol.ts";
import { SocketIdentity } from "./client-identity.ts";
import type { Lane } from "./lane.ts";
import { poolFacts } from "./pool-facts.ts";
import type { ServerPool } from "./server-pool.ts";

const MS_PER_SECOND = 1000;

export abstract class PoolSession implements ClientSession {
  isAuthenticated: boolean;
  isQuitting = false;
  hiddenReplies = 0;
  lane: Lane;
  readonly identity: SocketIdentity;

  constructor(
    readonly pool: ServerPool,
    socket: Socket<unknown>,
  ) {
    this.isAuthenticated = pool.password === null;
    this.lane = pool.lanes.first;
    this.lane.users++;
    const { address } = pool.config.listen;
    this.identity = new SocketIdentity(socket, address.kind === "unix" ? address.path : "");
  }

  abstract peers(): Iterable<Peer>;

  abstract terminate(): void;

  abstract get isBlocked(): boolean;

  abstract unblock(error: Buffer | null): boolean;

  get password(): Buffer | null {
    return this.pool.password;
  }

  get protocolVersion(): number {
    return this.lane.protocolVersion;
  }

  get database(): number {
    return this.lane.database;
  }

  select(protocolVersion: number, database: number): boolean {
    const lane = this.pool.lanes.find(protocolVersion, database);
    if (lane !== null) this.moveTo(lane);
    return lane !== null;
  }

  reset(): void {
    this.moveTo(this.pool.lanes.first);
    this.isAuthenticated = this.pool.password === null;
    this.hiddenReplies = 0;
    this.identity.name = "";
  }

  wallClockUs(): number {
    return wallClockUs();
  }

  poolFacts(): [string, string | number][] {
    return poolFacts(this.pool);
  }

  statistics(): [string, number][] {
    const { current, total } = this.pool.connections;
    return [
      ["pid", process.pid],
      ["uptime", Math.floor(process.uptime())],
      ["time", Math.floor(wallClockMs() / MS_PER_SECOND)],
      ["pointer_size", 64],
      ["curr_connections", current],
      ["total_connections", total],
      ["threads", 1],
    ];
  }

  /** The client is gone: its lane may make room for another one. */
  protected leaveLane(): void {
    this.lane.users--;
  }

  private moveTo(lane: Lane): void {
    this.lane.users--;
    this.lane = lane;
    lane.users++;
  }
}
