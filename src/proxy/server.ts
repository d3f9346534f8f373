/**
 * One backend: its connections, and what their ends and its probes say about its health.
 *
 *   connectionFor() -> [connection, connection, ...]  up to server_connections, then in turn
 *   connectionClosed(), requestTimedOut() -> health.failed() -> one too many: owner.eject(this)
 *   expire() -> probe -> probeEnded() -> owner.readmit(this)
 *
 * Does not keep the ring (server-pool.ts), the queues (server-connection.ts), nor count
 * (server-health.ts). Twin: nc_server.c. Differs: a connection that closes while nothing waits for
 * it is no failure, and a server that is out is probed instead of tried with requests of clients.
 */
import type { Socket, SocketHandler } from "bun";
import type { PoolConfig, ServerConfig } from "../config/config.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import { ConnectingSocket, nextDescriptor } from "../lib/descriptors.ts";
import { bareHost } from "../lib/resolve-name.ts";
import type { Logger } from "../log/logger.ts";
import type { FailureReason } from "../protocol/failure.ts";
import {
  failureOf,
  isRefusedHandshake,
  OUT_OF_DESCRIPTORS,
  SERVER_CLOSED,
  TIMED_OUT,
  UNUSED,
} from "../protocol/failure.ts";
import type { Protocol, ResponseParser } from "../protocol/protocol.ts";
import { type ConnectionCounters, ServerCounters, ServerState } from "../stats/counters.ts";
import { type Connectable, type DescriptorBudget, ServerDescriptor } from "./descriptor-budget.ts";
import type { Lane, Lanes } from "./lane.ts";
import { CONNECT_TIMEOUT_MS, PRIVATE_KEEPALIVE_MS } from "./limits.ts";
import { PrivateConnections, type PrivateOwner } from "./private-connections.ts";
import type { ServerConnectionOwner } from "./server-connection.ts";
import { ServerConnection } from "./server-connection.ts";
import { ServerHealth } from "./server-health.ts";
import type { ProbeOwner } from "./server-probe.ts";
import { ServerProbe } from "./server-probe.ts";
import { labelOf, ServerTrouble } from "./server-trouble.ts";
import type { Turn } from "./turn.ts";

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
  readonly descriptors: DescriptorBudget;
  /** Something of this server expires at that moment. */
  expiresAt(deadlineMs: number): void;
  /** Takes the server out of service, as eject_policy says, until it is well. */
  eject(server: Server, why: string): void;
  /** Takes it back. */
  readmit(server: Server, why: string): void;
  /** True if its requests go to an ejected server all the same, as there is no other. */
  readonly usesEjected: boolean;
}

export class Server implements ServerConnectionOwner, PrivateOwner, ProbeOwner, Connectable {
  /** Ring name. */
  readonly name: string;
  readonly counters = new ServerCounters();
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  readonly timeoutMs: number;
  readonly health: ServerHealth;
  readonly trouble: ServerTrouble;
  /** Its requests get an error instead of a connection. */
  failsFast = false;

  /** Those lent to one client at a time; server_connections does not count them. */
  readonly privates = new PrivateConnections(this);
  /** All of them, and the shared ones of each lane by its index. */
  private readonly connections: ServerConnection[] = [];
  private readonly byLane: LaneConnections[] = [];
  private readonly connectionsMax: number;
  private probe: ServerProbe | null = null;
  abandonedConnects = 0;
  private isPreconnecting = false;
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
    this.health = new ServerHealth(this.counters, owner.config);
    this.trouble = new ServerTrouble(labelOf(owner.config.name, config), owner.log, owner.turn);
  }

  /**
   * A connection for the next request: a new one until the lane has server_connections of them,
   * then each in turn, as nutcracker does.
   */
  connectionFor(lane: Lane): ServerConnection {
    const { connections, next } = this.laneConnections(lane);
    if (connections.length < this.connectionsMax && this.mayOpen(connections)) {
      return this.openConnection(lane);
    }
    const place = next < connections.length ? next : 0;
    this.byLane[lane.index]!.next = place + 1;
    return connections[place]!;
  }

  openPrivate(lane: Lane): ServerConnection {
    return this.openConnection(lane, true);
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
    const { descriptors } = this.owner;
    const isSwallowing = this.abandonedConnects >= descriptors.abandonedMax;
    const { isPrivate } = connection;
    const hasRoom = isPrivate ? descriptors.hasRoomForClient : descriptors.hasRoomForServer;
    if (isSwallowing || !hasRoom) {
      setImmediate(() => connection.close(isSwallowing ? TIMED_OUT : OUT_OF_DESCRIPTORS));
      return;
    }
    const descriptor = new ServerDescriptor(descriptors, this, isPrivate);
    connection.descriptor = descriptor;
    const fail = (error: { code?: string }) => {
      descriptor.release();
      connection.close(failureOf(error.code ?? "EINVAL"));
    };
    try {
      const number = nextDescriptor();
      const connecting =
        address.kind === "unix"
          ? Bun.connect({ ...common, unix: address.path })
          : Bun.connect({ ...common, hostname: bareHost(address.host), port: address.port });
      // Not by a connectError handler: Bun calls that one before `connect` returns where it can, as
      // for a unix socket that is not there, and the caller has yet to queue its request.
      connecting.catch(fail);
      descriptor.attempt = ConnectingSocket.at(number);
    } catch (error) {
      // Not in this turn: the caller has yet to queue its request.
      setImmediate(fail, error as { code?: string });
    }
  }

  connected(connection: ServerConnection, socket: Socket<ServerConnection>): void {
    this.isPreconnecting = false;
    this.counters.serverConnections++;
    // No timeout tells that the server is gone, only this.
    if (connection.isPrivate) socket.setKeepAlive(true, PRIVATE_KEEPALIVE_MS);
    else if (this.owner.config.tcpKeepalive) socket.setKeepAlive(true);
    this.owner.log.info("server.ts:1", `${this.trouble.label}: connected`);
  }

  requestQueued(deadlineMs: number): void {
    this.owner.expiresAt(deadlineMs);
  }

  replyReceived(connection: ServerConnection): void {
    const { health } = this;
    if (connection.incident === health.incidents && health.state === ServerState.Healthy) return;
    // What was in flight when the server was ejected proves nothing, unless all there is are such.
    if (health.isEjected && !this.owner.usesEjected) return;
    if (health.isEjected) this.owner.readmit(this, "it answered a request");
    const wasSuspect = health.state === ServerState.Suspect;
    health.replied(connection);
    if (wasSuspect) this.trouble.answered();
  }

  requestTimedOut(connection: ServerConnection): void {
    this.counters.serverTimedout++;
    this.countFailure(connection, TIMED_OUT);
    this.trouble.warn("server.ts:7", `${this.trouble.label}: a request timed out`);
    // If the connection is closed for it in the end, that counts as well.
    connection.incident = this.health.incidents;
  }

  probeEnded(trouble: string | null): void {
    const { health, owner } = this;
    this.probe = null;
    if (!health.isEjected) return;
    if (trouble === null) {
      owner.readmit(this, "it answered a probe");
      return;
    }
    health.probeFailed();
    owner.expiresAt(health.probeAtMs);
    owner.log.info("server.ts:8", `${this.trouble.label}: probe failed: ${trouble}`);
  }

  /** It is in service again: a probe under way is of no use. */
  readmitted(): void {
    this.failsFast = false;
    this.probe?.cancel();
    this.probe = null;
  }

  handlerFailed(error: Error): void {
    const text = `${this.trouble.label}: a handler failed: ${error.stack}`;
    this.owner.log.error("server.ts:6", text);
  }

  connectionClosed(
    connection: ServerConnection,
    failure: FailureReason,
    wasEstablished: boolean,
    wasInUse: boolean,
  ): void {
    const { counters, owner } = this;
    const inLane = this.laneConnections(connection.lane).connections;
    if (connection.isPrivate) this.privates.closed(connection);
    else inLane.splice(inLane.indexOf(connection), 1);
    connection.lane.users--;
    this.connections.splice(this.connections.indexOf(connection), 1);
    owner.connections.current--;
    if (wasEstablished) counters.serverConnections--;
    if (failure === SERVER_CLOSED) counters.serverEof++;
    else if (failure === TIMED_OUT) counters.serverTimedout++;
    else if (failure !== UNUSED) counters.serverErr++;
    if (this.isClosing) return;
    const isInUse = wasInUse && failure !== UNUSED;
    // A lack of descriptors is our own.
    const isItsFault = !isRefusedHandshake(failure) && failure !== OUT_OF_DESCRIPTORS;
    if (isInUse && isItsFault) this.countFailure(connection, failure);
    this.logClose(failure, isInUse);
  }

  /** Does what is due at `nowMs`. @returns when there is more to do, or Infinity */
  expire(nowMs: number): number {
    let next = Infinity;
    // Backwards, as closing takes a connection out of the list.
    for (let i = this.connections.length - 1; i >= 0; i--) {
      next = Math.min(next, this.connections[i]!.expire(nowMs));
    }
    return Math.min(next, this.expireProbe(nowMs));
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
    this.probe?.cancel();
    for (const connection of [...this.connections]) connection.close(SERVER_CLOSED);
  }

  private laneConnections(lane: Lane): LaneConnections {
    return (this.byLane[lane.index] ??= { connections: [], next: 0 });
  }

  /** Fewer connections do, when there are no descriptors for more. */
  private mayOpen(connections: readonly ServerConnection[]): boolean {
    return connections.length === 0 || this.owner.descriptors.hasRoomForServer;
  }

  private openConnection(lane: Lane, isPrivate = false): ServerConnection {
    const { owner } = this;
    const connection = new ServerConnection(this, lane, isPrivate);
    connection.incident = this.health.incidents;
    this.connections.push(connection);
    if (!isPrivate) this.laneConnections(lane).connections.push(connection);
    lane.users++;
    owner.connections.total++;
    owner.connections.current++;
    connection.connectDeadlineMs = this.turn.now() + (this.timeoutMs || CONNECT_TIMEOUT_MS);
    owner.expiresAt(connection.connectDeadlineMs);
    connection.connect();
    return connection;
  }

  /** @param why if this is one too many */
  private countFailure(connection: ServerConnection, why: FailureReason): void {
    const wasHealthy = this.health.state === ServerState.Healthy;
    const failures = this.health.failed(connection);
    const isSuspect = this.health.state === ServerState.Suspect;
    if (isSuspect) this.trouble.failed(why, wasHealthy, this.isPreconnecting);
    if (failures === 0 || !this.owner.config.autoEjectHosts) return;
    const count = failures === 1 ? "1 failure" : `${failures} failures in a row`;
    this.owner.eject(this, `${count} (${why.cause})`);
  }

  /** The probe that is due, or has taken too long. @returns when there is more to do */
  private expireProbe(nowMs: number): number {
    const { health, owner } = this;
    if (!health.isEjected) return Infinity;
    if (this.probe !== null && this.probe.deadlineMs <= nowMs) this.probe.expire();
    if (this.probe === null && health.probeAtMs <= nowMs) {
      const deadlineMs = nowMs + (this.timeoutMs || CONNECT_TIMEOUT_MS);
      this.probe = new ServerProbe(this, owner.protocol, owner.lanes.first, deadlineMs);
      health.probing(nowMs);
      this.probe.start();
    }
    return this.probe === null ? health.probeAtMs : this.probe.deadlineMs;
  }

  private logClose({ reply, cause }: FailureReason, wasInUse: boolean): void {
    const { trouble, owner, config } = this;
    const { label } = trouble;
    if (reply !== null) {
      const words = reply.toString("latin1").trim().replace(/^-/, "");
      trouble.warn("server.ts:2", `${label}: ${cause}: ${words}`);
    } else if (this.isPreconnecting) {
      this.isPreconnecting = false;
      // nutcracker's words.
      const text = `connect to server '${config.displayName}' failed, ignored: ${cause}`;
      trouble.warn("server.ts:3", `${label}: ${text}`);
    } else if (wasInUse) {
      trouble.warn("server.ts:4", `${label}: connection in use closed: ${cause}`);
    } else {
      owner.log.info("server.ts:5", `${label}: idle connection closed: ${cause}`);
    }
  }
}
