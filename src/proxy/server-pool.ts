/**
 * The servers of a pool, the ring over those in service, and what all its clients share.
 *
 *   serverOf(key) -> Router -> Server
 *   eject(server) -> ring without it -> retry time -> readmit() -> ring with it
 *
 * Does not know clients nor their sockets (listener.ts, client-connection.ts).
 * Twin: server_pool of nc_server.c. Differs: with every server ejected the ring of all of them is
 * used, so that a pool whose servers came back is not refused until the retry time.
 */
import type { PoolConfig } from "../config/config.ts";
import { hashFunction } from "../hash/hashes.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import { wallClockUs } from "../lib/clock.ts";
import type { Logger } from "../log/logger.ts";
import type { Protocol, RequestParser } from "../protocol/protocol.ts";
import { Router } from "../routing/router.ts";
import type { ConnectionCounters, PoolStatistics } from "../stats/counters.ts";
import { PoolCounters } from "../stats/counters.ts";
import { DeadlineTimer } from "./deadline-timer.ts";
import { Lanes } from "./lane.ts";
import type { ServerOwner } from "./server.ts";
import { Server } from "./server.ts";
import type { Turn } from "./turn.ts";

/** Parsers kept for reuse; one is in use per client whose request is half there. */
const FREE_PARSERS_MAX = 64;

/** What all pools of the process share. */
export interface SharedParts {
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  readonly log: Logger;
  readonly connections: ConnectionCounters;
}

export class ServerPool implements ServerOwner, PoolStatistics {
  readonly name: string;
  readonly counters = new PoolCounters();
  readonly servers: readonly Server[];
  readonly password: Buffer | null;
  readonly lanes: Lanes;
  readonly turn: Turn;
  readonly chunkPool: ChunkPool;
  readonly log: Logger;
  readonly connections: ConnectionCounters;

  private readonly router: Router;
  private readonly deadlines = new DeadlineTimer((nowMs) => this.expire(nowMs));
  /** When the first ejected server may come back; Infinity = none is ejected. */
  private nextRetryMs = Infinity;
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
    this.password = config.redisAuth === null ? null : Buffer.from(config.redisAuth);
    this.lanes = new Lanes(
      config.redisAuth,
      (options) => protocol.handshake(options),
      protocol.firstVersion,
      config.redisDb,
    );
    this.servers = config.servers.map((server) => new Server(server, this));
    this.router = new Router({
      hash: hashFunction(config.hash),
      distribution: config.distribution,
      hashTag: config.hashTag,
      servers: config.servers,
    });
  }

  /** The server that holds the key in [start, end). */
  serverOf(bytes: Buffer, start: number, end: number): Server {
    return this.servers[this.serverIndexOf(bytes, start, end)]!;
  }

  serverIndexOf(bytes: Buffer, start: number, end: number): number {
    return this.router.serverIndexOf(bytes, start, end);
  }

  /** The server for commands without a key: the one that holds this text, as in nutcracker. */
  placeholderServer(): Server {
    return this.serverOf(PLACEHOLDER, 0, PLACEHOLDER.length);
  }

  /** To be called before routing: servers whose retry time has come are back in the ring. */
  readmit(): void {
    if (this.nextRetryMs === Infinity || this.turn.now() < this.nextRetryMs) return;
    const nowMs = this.turn.now();
    for (const server of this.servers) {
      if (!server.isEjected || server.retryAtMs > nowMs) continue;
      server.isEjected = false;
      this.log.notice("server-pool.ts:1", `pool '${this.name}': server '${server.name}' is back`);
    }
    this.rebuild();
  }

  eject(server: Server): void {
    const { config, log } = this;
    server.isEjected = true;
    server.retryAtMs = this.turn.now() + config.serverRetryTimeoutMs;
    server.counters.serverEjectedAt = wallClockUs();
    this.counters.serverEjects++;
    log.notice(
      "server-pool.ts:2",
      `pool '${this.name}': server '${server.name}' is ejected for ` +
        `${config.serverRetryTimeoutMs} msec`,
    );
    this.rebuild();
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

  private rebuild(): void {
    this.router.rebuild((index) => !this.servers[index]!.isEjected);
    this.nextRetryMs = Infinity;
    for (const server of this.servers) {
      if (server.isEjected) this.nextRetryMs = Math.min(this.nextRetryMs, server.retryAtMs);
    }
  }
}

const PLACEHOLDER = Buffer.from("placeholder");
