/**
 * The servers of a pool, the ring over those in service, and what all its clients share.
 *
 *   key -> Router -> target: [server, server, ..., servers of the failover pool, ...]
 *   eject(server)   rehash:    ring without it
 *                   fail_fast: ring as it is, its keys have no connection
 *                   failover:  the same, its keys go on to the ring of the other pool
 *   readmit(server) as it was before
 *
 * Does not know clients nor their sockets (listener.ts, client-connection.ts), nor when a server is
 * ejected (server-health.ts). Twin: server_pool of nc_server.c. Differs: with every server ejected
 * the ring of all of them is used, so that those that came back are found by the first request.
 */
import type { PoolConfig } from "../config/config.ts";
import { hashFunction } from "../hash/hashes.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import { wallClockUs } from "../lib/clock.ts";
import type { Logger } from "../log/logger.ts";
import { ejected, type FailureReason, TOO_MANY_LANES } from "../protocol/failure.ts";
import type { Protocol, RequestParser } from "../protocol/protocol.ts";
import { Router } from "../routing/router.ts";
import type { ConnectionCounters, PoolStatistics } from "../stats/counters.ts";
import { PoolCounters } from "../stats/counters.ts";
import { DeadlineTimer } from "./deadline-timer.ts";
import type { DescriptorBudget } from "./descriptor-budget.ts";
import type { DistantPeers } from "./distant-peers.ts";
import { type Lane, Lanes } from "./lane.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { ServerOwner } from "./server.ts";
import { Server } from "./server.ts";
import type { Turn } from "./turn.ts";
import type { WaitingRoom } from "./waiting-room.ts";

/** Parsers kept for reuse; one is in use per client whose request is half there. */
const FREE_PARSERS_MAX = 64;

/** What all pools of the process share. */
export interface SharedParts {
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  readonly log: Logger;
  readonly connections: ConnectionCounters;
  readonly descriptors: DescriptorBudget;
  readonly waitingRoom: WaitingRoom;
}

export class ServerPool implements ServerOwner, PoolStatistics {
  readonly name: string;
  readonly counters = new PoolCounters();
  readonly servers: readonly Server[];
  /** What the keys of this pool may be sent to: its servers, then those of the failover pool. */
  targets: readonly Server[];
  readonly password: Buffer | null;
  readonly lanes: Lanes;
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  readonly log: Logger;
  readonly connections: ConnectionCounters;
  readonly descriptors: DescriptorBudget;
  readonly waitingRoom: WaitingRoom;
  /** Clients of the pool that are with other workers; null = there are no other workers. */
  askElsewhere: (() => Promise<DistantPeers>) | null = null;

  private readonly router: Router;
  private readonly deadlines = new DeadlineTimer((nowMs) => this.expire(nowMs));
  private failover: ServerPool | null = null;
  /** Of each target, what its requests fail with while it is ejected. */
  private refusals: readonly FailureReason[];
  private ejectedCount = 0;
  /** The keys of some server go another way than the ring says. */
  private isDiverting = false;
  private readonly freeParsers: RequestParser[] = [];

  constructor(
    readonly config: PoolConfig,
    readonly protocol: Protocol,
    shared: SharedParts,
  ) {
    this.name = config.name;
    this.turn = shared.turn;
    this.chunkPool = shared.chunkPool;
    this.log = shared.log;
    this.connections = shared.connections;
    this.waitingRoom = shared.waitingRoom;
    this.descriptors = shared.descriptors;
    this.password = config.redisAuth === null ? null : Buffer.from(config.redisAuth);
    this.lanes = new Lanes(
      config.redisAuth,
      (options) => protocol.handshake(options),
      protocol.firstVersion,
      config.redisDb,
    );
    this.servers = config.servers.map((server) => new Server(server, this));
    this.targets = this.servers;
    this.refusals = this.servers.map(({ name }) => ejected(name));
    this.router = new Router({
      hash: hashFunction(config.hash),
      distribution: config.distribution,
      hashTag: config.hashTag,
      servers: config.servers,
    });
  }

  /** To be called once, when all pools are there. */
  failOverTo(pool: ServerPool): void {
    this.failover = pool;
    this.targets = [...this.servers, ...pool.servers];
    const others = pool.servers.map(({ name }) => ejected(name, pool.name));
    this.refusals = [...this.refusals, ...others];
  }

  /** The index in `targets` of the server for the key in [start, end). */
  serverIndexOf(bytes: Buffer, start: number, end: number): number {
    const index = this.router.serverIndexOf(bytes, start, end);
    if (!this.isDiverting || this.failover === null || !this.servers[index]!.failsFast) {
      return index;
    }
    // By its ring alone, not by its policy: a key makes one hop.
    return this.servers.length + this.failover.router.serverIndexOf(bytes, start, end);
  }

  /** The target for commands without a key: that of this text, as in nutcracker. */
  placeholderTarget(): number {
    return this.serverIndexOf(PLACEHOLDER, 0, PLACEHOLDER.length);
  }

  /** A connection for a request of a client in `lane`; null if the request is to fail at once. */
  connectionFor(target: number, lane: Lane): ServerConnection | null {
    const server = this.targets[target]!;
    if (server.failsFast) return null;
    if (target < this.servers.length) return server.connectionFor(lane);
    const like = this.laneAt(target, lane);
    return like === null ? null : server.connectionFor(like);
  }

  /** Why there is no connection for a request to that target. */
  refusalOf(target: number): FailureReason {
    return this.targets[target]!.failsFast ? this.refusals[target]! : TOO_MANY_LANES;
  }

  /** The lane of a target's own pool for clients in `lane`; null if that pool has too many. */
  laneAt(target: number, lane: Lane): Lane | null {
    if (target < this.servers.length) return lane;
    const { lanes } = this.failover!;
    const isFirst = lane === this.lanes.first;
    return isFirst ? lanes.first : lanes.find(lane.protocolVersion, lane.database);
  }

  get usesEjected(): boolean {
    return this.config.ejectPolicy === "rehash" && this.ejectedCount === this.servers.length;
  }

  eject(server: Server, why: string): void {
    const { config, log } = this;
    server.counters.serverEjectedAt = wallClockUs();
    this.counters.serverEjects++;
    const name = `pool '${this.name}': server '${server.name}'`;
    if (config.serverProbeIntervalMs === 0) {
      const text = `${name} is not ejected, as server_retry_timeout is 0: ${why}`;
      server.trouble.notice("server-pool.ts:3", text);
      return;
    }
    const probeDelayMs = server.health.eject(this.turn.now());
    server.failsFast = config.ejectPolicy !== "rehash";
    this.ejectedCount++;
    this.redirect();
    this.expiresAt(server.health.probeAtMs);
    const text = `${name} is ejected after ${why}; first probe in ${probeDelayMs} msec`;
    log.notice("server-pool.ts:2", text);
    if (this.ejectedCount === this.servers.length) this.logAllEjected();
  }

  readmit(server: Server, why: string): void {
    const awayMs = Math.round(server.health.returned(this.turn.now()));
    server.readmitted();
    this.ejectedCount--;
    this.redirect();
    const name = `pool '${this.name}': server '${server.name}'`;
    this.log.notice("server-pool.ts:1", `${name} is back after ${awayMs} msec: ${why}`);
  }

  expiresAt(deadlineMs: number): void {
    this.deadlines.ask(deadlineMs);
  }

  preconnect(): void {
    for (const server of this.servers) server.preconnect();
  }

  takeParser(): RequestParser {
    return this.freeParsers.pop() ?? this.protocol.createRequestParser();
  }

  /** Takes a parser back that is between two requests. */
  giveParser(parser: RequestParser): void {
    if (this.freeParsers.length < FREE_PARSERS_MAX) this.freeParsers.push(parser);
  }

  refreshGauges(): void {
    for (const server of this.servers) server.refreshGauges();
  }

  close(): void {
    for (const server of this.servers) server.close();
    this.deadlines.stop();
  }

  private expire(nowMs: number): number {
    let next = Infinity;
    for (const server of this.servers) next = Math.min(next, server.expire(nowMs));
    return next;
  }

  private logAllEjected(): void {
    const { name, servers, failover, config, log } = this;
    const count = servers.length === 1 ? "its only server is" : `all ${servers.length} servers are`;
    let what = "every request gets an error";
    if (failover !== null) what = `every key is in pool '${failover.name}'`;
    else if (config.ejectPolicy === "rehash") what = "all are tried with requests";
    log.warn("server-pool.ts:4", `pool '${name}': ${count} ejected, ${what}`);
  }

  /** Sends keys where they belong while the servers are as they are now. */
  private redirect(): void {
    if (this.config.ejectPolicy === "rehash") {
      this.router.rebuild((index) => !this.servers[index]!.health.isEjected);
    } else {
      this.isDiverting = this.ejectedCount > 0;
    }
  }
}

const PLACEHOLDER = Buffer.from("placeholder");
