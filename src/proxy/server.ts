/**
 * One backend: its connections, its failures in a row, and when it is out of the ring.
 *
 *   connectionFor() -> [connection, connection, ...]  up to server_connections, then in turn
 *   connectionClosed() -> failures + 1 -> at the limit: owner.eject(this)
 *
 * Does not keep the ring (server-pool.ts) nor the queues (server-connection.ts).
 * Twin: nc_server.c. Differs: a connection that closes while nothing waits for it is no failure.
 */
import type { Socket, SocketHandler } from "bun";
import type { PoolConfig, ServerConfig } from "../config/config.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import { bareHost } from "../lib/resolve-name.ts";
import type { Logger } from "../log/logger.ts";
import type { FailureReason } from "../protocol/failure.ts";
import { failureOf, SERVER_CLOSED, TIMED_OUT, UNUSED } from "../protocol/failure.ts";
import type { Protocol, ResponseParser } from "../protocol/protocol.ts";
import { type ConnectionCounters, ServerCounters } from "../stats/counters.ts";
import type { Lane, Lanes } from "./lane.ts";
import { LANE_IDLE_MS } from "./lane.ts";
import { CONNECT_TIMEOUT_MS } from "./limits.ts";
import type { ServerConnectionOwner } from "./server-connection.ts";
import { ConnectionState, ServerConnection } from "./server-connection.ts";
import type { Turn } from "./turn.ts";

/** Warnings about a server that come sooner are info: one that is down fails with every request. */
const WARN_PAUSE_MS = 1000;

interface LaneConnections {
  readonly connections: ServerConnection[];
  /** Place of the connection whose turn it is. */
  next: number;
}

/** What a server needs from its pool. */
export interface ServerOwner {
  readonly config: PoolConfig;
  readonly protocol: Protocol;
  readonly lanes: Lanes;
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  readonly log: Logger;
  readonly connections: ConnectionCounters;
  /** Something of this server expires at that moment. */
  expiresAt(deadlineMs: number): void;
  /** Takes the server out of the ring for server_retry_timeout. */
  eject(server: Server): void;
}

export class Server implements ServerConnectionOwner {
  /** Ring name. */
  readonly name: string;
  readonly counters = new ServerCounters();
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  readonly timeoutMs: number;
  isEjected = false;
  /** When an ejected server may come back; monotonic milliseconds. */
  retryAtMs = 0;

  /** All of them, and those of each lane by its index. */
  private readonly connections: ServerConnection[] = [];
  private readonly byLane: LaneConnections[] = [];
  private readonly connectionsMax: number;
  private failures = 0;
  private isPreconnecting = false;
  private nextWarnMs = 0;
  /** The proxy ends: closed connections are nobody's failure, and no news. */
  private isClosing = false;

  constructor(
    readonly config: ServerConfig,
    private readonly owner: ServerOwner,
  ) {
    this.name = config.name;
    this.turn = owner.turn;
    this.chunkPool = owner.chunkPool;
    this.timeoutMs = owner.config.timeoutMs;
    this.connectionsMax = owner.config.serverConnections;
  }

  /**
   * A connection for the next request: a new one until the lane has server_connections of them,
   * then each in turn, as nutcracker does.
   */
  connectionFor(lane: Lane): ServerConnection {
    const { connections, next } = this.laneConnections(lane);
    if (connections.length < this.connectionsMax) return this.openConnection(lane);
    const place = next < connections.length ? next : 0;
    this.byLane[lane.index]!.next = place + 1;
    return connections[place]!;
  }

  /** Opens a first connection before any request; a failure is logged. */
  preconnect(): void {
    this.isPreconnecting = true;
    this.openConnection(this.owner.lanes.first);
  }

  createResponseParser(): ResponseParser {
    return this.owner.protocol.createResponseParser();
  }

  connect(connection: ServerConnection, handlers: SocketHandler<ServerConnection>): void {
    const { address } = this.config;
    const common = { data: connection, socket: handlers };
    const fail = (error: { code?: string }) => connection.close(failureOf(error.code ?? "EINVAL"));
    try {
      const connecting =
        address.kind === "unix"
          ? Bun.connect({ ...common, unix: address.path })
          : Bun.connect({ ...common, hostname: bareHost(address.host), port: address.port });
      // Not by a connectError handler: Bun calls that one before `connect` returns where it can, as
      // for a unix socket that is not there, and the caller has yet to queue its request.
      connecting.catch(fail);
    } catch (error) {
      // Not in this turn: the caller has yet to queue its request.
      setImmediate(fail, error as { code?: string });
    }
  }

  connected(_connection: ServerConnection, socket: Socket<ServerConnection>): void {
    this.isPreconnecting = false;
    this.counters.serverConnections++;
    if (this.owner.config.tcpKeepalive) socket.setKeepAlive(true);
    this.owner.log.info("server.ts:1", `connected to server '${this.config.displayName}'`);
  }

  requestQueued(deadlineMs: number): void {
    this.owner.expiresAt(deadlineMs);
  }

  responseReceived(): void {
    this.failures = 0;
  }

  handlerFailed(error: Error): void {
    const server = `server '${this.config.displayName}'`;
    this.owner.log.error("server.ts:6", `a handler of ${server} failed: ${error.stack}`);
  }

  connectionClosed(
    connection: ServerConnection,
    failure: FailureReason,
    wasEstablished: boolean,
    wasInUse: boolean,
  ): void {
    const { counters, owner } = this;
    const inLane = this.laneConnections(connection.lane).connections;
    inLane.splice(inLane.indexOf(connection), 1);
    connection.lane.users--;
    this.connections.splice(this.connections.indexOf(connection), 1);
    owner.connections.current--;
    if (wasEstablished) counters.serverConnections--;
    if (failure === SERVER_CLOSED) counters.serverEof++;
    else if (failure === TIMED_OUT) counters.serverTimedout++;
    else if (failure !== UNUSED) counters.serverErr++;
    if (this.isClosing) return;
    this.logClose(failure, wasInUse);
    // A refused handshake is the server's answer: it lives.
    if (wasInUse && failure.reply === null && owner.config.autoEjectHosts) this.countFailure();
  }

  /** Closes what has waited too long. @returns the next deadline, or Infinity */
  expire(nowMs: number): number {
    let next = Infinity;
    // Backwards, as closing takes a connection out of the list.
    for (let i = this.connections.length - 1; i >= 0; i--) {
      const connection = this.connections[i]!;
      const oldest = connection.sent.peek();
      const isOpen = connection.state === ConnectionState.Open;
      let deadlineMs = oldest !== null && oldest.deadlineMs > 0 ? oldest.deadlineMs : Infinity;
      if (!isOpen) {
        deadlineMs = Math.min(deadlineMs, connection.connectDeadlineMs);
      } else if (connection.lane !== this.owner.lanes.first) {
        // One in use is looked at again later: nothing else may ask for it.
        if (oldest === null) deadlineMs = connection.lastUsedMs + LANE_IDLE_MS;
        else next = Math.min(next, nowMs + LANE_IDLE_MS);
      }
      if (deadlineMs <= nowMs) connection.close(oldest === null && isOpen ? UNUSED : TIMED_OUT);
      else next = Math.min(next, deadlineMs);
    }
    return next;
  }

  /** Brings the queue gauges up to date. */
  refreshGauges(): void {
    const { counters } = this;
    counters.inQueue = counters.inQueueBytes = 0;
    counters.outQueue = counters.outQueueBytes = 0;
    for (const connection of this.connections) {
      const waiting = connection.waiting();
      let bytes = 0;
      for (let i = 0; i < connection.sent.length; i++) bytes += connection.sent.at(i).sizeBytes;
      counters.inQueue += waiting.count;
      counters.inQueueBytes += waiting.bytes;
      counters.outQueue += connection.sent.length - waiting.count;
      counters.outQueueBytes += Math.max(0, bytes - waiting.bytes);
    }
  }

  close(): void {
    this.isClosing = true;
    for (const connection of [...this.connections]) connection.close(SERVER_CLOSED);
  }

  private laneConnections(lane: Lane): LaneConnections {
    return (this.byLane[lane.index] ??= { connections: [], next: 0 });
  }

  private openConnection(lane: Lane): ServerConnection {
    const { owner } = this;
    const connection = new ServerConnection(this, lane);
    this.connections.push(connection);
    this.laneConnections(lane).connections.push(connection);
    lane.users++;
    owner.connections.total++;
    owner.connections.current++;
    connection.connectDeadlineMs = this.turn.now() + (this.timeoutMs || CONNECT_TIMEOUT_MS);
    owner.expiresAt(connection.connectDeadlineMs);
    connection.connect();
    return connection;
  }

  private countFailure(): void {
    if (this.isEjected) return;
    this.failures++;
    if (this.failures < Math.max(1, this.owner.config.serverFailureLimit)) return;
    this.failures = 0;
    this.owner.eject(this);
  }

  private logClose(failure: FailureReason, wasInUse: boolean): void {
    const server = `server '${this.config.displayName}'`;
    if (failure.reply !== null) {
      const words = failure.reply.toString("latin1").trim().replace(/^-/, "");
      this.warn("server.ts:2", `handshake with ${server} failed: ${words}`);
    } else if (this.isPreconnecting) {
      this.isPreconnecting = false;
      this.warn("server.ts:3", `connect to ${server} failed, ignored: ${failure.text}`);
    } else if (wasInUse) {
      this.warn("server.ts:4", `close of the connection to ${server} in use: ${failure.text}`);
    } else {
      const text = `close of an idle connection to ${server}: ${failure.text}`;
      this.owner.log.info("server.ts:5", text);
    }
  }

  private warn(place: string, text: string): void {
    const { log } = this.owner;
    const nowMs = this.turn.now();
    if (nowMs < this.nextWarnMs) {
      log.info(place, text);
      return;
    }
    this.nextWarnMs = nowMs + WARN_PAUSE_MS;
    log.warn(place, text);
  }
}
