/**
 * The connections of one server that are lent to one client at a time.
 *
 *   take(lane) -> an idle one of that lane, else a new one, else null: there are too many
 *   give(connection) -> idle, if it is clean and few are; else closed
 *
 * Idle ones close when unused for LANE_IDLE_MS (ServerConnection.expire). Knows nothing of what
 * they are borrowed for (blocked-request.ts), nor how one is opened (server.ts).
 */
import { UNUSED } from "../protocol/failure.ts";
import type { Lane } from "./lane.ts";
import { LANE_IDLE_MS } from "./lane.ts";
import { PRIVATE_CONNECTIONS_MAX, PRIVATE_IDLE_MAX } from "./limits.ts";
import type { ServerConnection } from "./server-connection.ts";
import { ConnectionState } from "./server-connection.ts";
import type { Turn } from "./turn.ts";

/** The server. */
export interface PrivateOwner {
  readonly turn: Turn;
  openPrivate(lane: Lane): ServerConnection;
  /** A connection is to be looked at then. */
  requestQueued(deadlineMs: number): void;
}

export class PrivateConnections {
  connectionsMax = PRIVATE_CONNECTIONS_MAX;
  /** Lent and idle ones. */
  private count = 0;
  /** Used last: at the end. */
  private readonly idle: ServerConnection[] = [];

  constructor(private readonly owner: PrivateOwner) {}

  take(lane: Lane): ServerConnection | null {
    const place = this.idle.findLastIndex((connection) => connection.lane === lane);
    if (place >= 0) return this.idle.splice(place, 1)[0]!;
    if (this.count >= this.connectionsMax) {
      // One of another lane makes room.
      if (this.idle.length === 0) return null;
      this.idle[0]!.close(UNUSED);
    }
    this.count++;
    return this.owner.openPrivate(lane);
  }

  /** Nobody may use the connection any more but who takes it next. */
  give(connection: ServerConnection): void {
    if (connection.state === ConnectionState.Closed) return;
    const isClean = connection.state === ConnectionState.Open && connection.sent.length === 0;
    if (!isClean || this.idle.length >= PRIVATE_IDLE_MAX) {
      connection.close(UNUSED);
      return;
    }
    connection.lastUsedMs = this.owner.turn.now();
    this.idle.push(connection);
    this.owner.requestQueued(connection.lastUsedMs + LANE_IDLE_MS);
  }

  closed(connection: ServerConnection): void {
    this.count--;
    const place = this.idle.indexOf(connection);
    if (place >= 0) this.idle.splice(place, 1);
  }
}
