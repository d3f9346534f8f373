/**
 * Lanes: the shared connections of a server, grouped by what a connection's state must be, which is
 * the protocol version and the database.
 *
 *   client: RESP2, db 0 -> lane 0 (the pool's own) -> connection, connection
 *   client: HELLO 3     -> lane 1 (RESP3, db 0)    -> connection
 *   client: SELECT 5    -> lane 2 (RESP2, db 5)    -> connection
 *
 * A lane is opened on first use; connections of lanes other than the pool's own close when unused,
 * and a lane without connections and clients makes room for another one.
 */
import type { Handshake, HandshakeOptions } from "../protocol/protocol.ts";

/** Lanes of a pool. One more is refused: each may cost server_connections to each server. */
export const LANES_MAX = 32;

/** Connections of a lane that is not the pool's own close when unused for so long. */
export const LANE_IDLE_MS = 60_000;

export interface Lane {
  readonly index: number;
  readonly protocolVersion: number;
  readonly database: number;
  readonly handshake: Handshake | null;
  /** Clients that are in it, and connections. */
  users: number;
}

export class Lanes {
  private readonly lanes: Lane[] = [];

  /** @param handshakeFor what a connection says first to be in a state */
  constructor(
    private readonly password: string | null,
    private readonly handshakeFor: (options: HandshakeOptions) => Handshake | null,
    protocolVersion: number,
    database: number,
  ) {
    this.find(protocolVersion, database);
  }

  /** The lane of clients that asked for nothing. */
  get first(): Lane {
    return this.lanes[0]!;
  }

  /** The lane for this state, or null if there are too many. */
  find(protocolVersion: number, database: number): Lane | null {
    for (const lane of this.lanes) {
      if (lane.protocolVersion === protocolVersion && lane.database === database) return lane;
    }
    const index = this.freeIndex();
    if (index < 0) return null;
    const handshake = this.handshakeFor({ password: this.password, protocolVersion, database });
    const lane = { index, protocolVersion, database, handshake, users: 0 };
    this.lanes[index] = lane;
    return lane;
  }

  /** Where a new lane goes: behind the others, or in the place of one that nobody uses. */
  private freeIndex(): number {
    if (this.lanes.length < LANES_MAX) return this.lanes.length;
    return this.lanes.findIndex((lane) => lane.index > 0 && lane.users === 0);
  }
}
