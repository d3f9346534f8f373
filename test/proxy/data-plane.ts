/**
 * One pool of the data plane inside the test's own process, so that a test can look into it.
 *
 *   using plane = await DataPlane.start({ servers: [`${redis.item}:1`] });
 *   const client = await plane.connect();
 *   ...
 *   await plane.expectIdle();      // nothing is left of clients, requests and chunks
 *
 * What needs a process of its own (signals, descriptors, the stats port) starts one: run-proxy.ts.
 */
import { expect } from "bun:test";
import { parseConfig } from "../../src/config/load.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import type { Logger } from "../../src/log/logger.ts";
import { REDIS } from "../../src/protocol/redis/redis.ts";
import { DescriptorBudget } from "../../src/proxy/descriptor-budget.ts";
import { Listener } from "../../src/proxy/listener.ts";
import { ServerPool } from "../../src/proxy/server-pool.ts";
import { Turn } from "../../src/proxy/turn.ts";
import { WaitingRoom } from "../../src/proxy/waiting-room.ts";
import { ConnectionCounters, type ServerCounters } from "../../src/stats/counters.ts";
import { eventuallyHolds } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import type { Address } from "../support/raw-client.ts";
import { RawClient } from "../support/raw-client.ts";
import type { PoolSettings } from "../support/run-proxy.ts";
import { poolsToYaml } from "../support/run-proxy.ts";

const ROOM_WAIT_MS = 300;

/** Clients that wait for room, or linger, take seconds on a machine with nothing else to do. */
const IDLE_DEADLINE_MS = 20_000;

/** Each halves what the next reply is expected to weigh. */
const SETTLED_REPLIES = 20;

export interface DataPlaneOptions {
  readonly chunkSizeBytes?: number;
  /** Descriptors for clients and servers. */
  readonly descriptorsMax?: number;
  /** max_buffer_memory. */
  readonly bufferBytesMax?: number;
  /** How long clients wait for buffer memory. */
  readonly roomWaitMs?: number;
  readonly requestStallMs?: number;
}

export class DataPlane {
  readonly connections = new ConnectionCounters();
  readonly descriptors: DescriptorBudget;
  readonly chunkPool: ChunkPool;
  readonly waitingRoom: WaitingRoom;
  readonly pool: ServerPool;
  readonly listener: Listener;
  /** What was logged, one line each, with its level in front. */
  readonly log: string[] = [];

  private constructor(settings: PoolSettings, options: DataPlaneOptions) {
    const listen = settings.listen ?? `127.0.0.1:${freePort()}`;
    const config = parseConfig(poolsToYaml({ alpha: { ...settings, listen } }), "test.yml");
    const log = keepLines(this.log);
    const max = options.descriptorsMax ?? Infinity;
    const keptForServers = config.pools[0]!.servers.length * config.pools[0]!.serverConnections;
    this.descriptors = new DescriptorBudget({ max, keptForServers, log });
    this.waitingRoom = new WaitingRoom(options.roomWaitMs ?? ROOM_WAIT_MS);
    this.chunkPool = new ChunkPool(options.chunkSizeBytes ?? 16384, options.bufferBytesMax);
    this.pool = new ServerPool(config.pools[0]!, REDIS, {
      turn: new Turn(),
      chunkPool: this.chunkPool,
      waitingRoom: this.waitingRoom,
      log,
      connections: this.connections,
      descriptors: this.descriptors,
    });
    this.listener = new Listener(this.pool, null, options.requestStallMs);
  }

  static async start(settings: PoolSettings, options: DataPlaneOptions = {}): Promise<DataPlane> {
    const plane = new DataPlane(settings, options);
    if (plane.pool.config.preconnect) plane.pool.preconnect();
    await plane.listener.listen();
    return plane;
  }

  get address(): Address {
    const { address } = this.pool.config.listen;
    if (address.kind === "unix") return { unix: address.path };
    return { hostname: address.host, port: address.port };
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.address);
  }

  /**
   * A client that has had so many small replies that it may have CLIENT_REQUESTS_MAX in flight.
   * @param key of a server that answers
   */
  async connectSettled(key = "settled"): Promise<RawClient> {
    const client = await this.connect();
    for (let i = 0; i < SETTLED_REPLIES; i++) await client.call("GET", key);
    return client;
  }

  /** A key that belongs to this server. */
  keyOn(server: number): string {
    for (let i = 0; ; i++) {
      const key = `k${i}`;
      if (this.pool.serverIndexOf(Buffer.from(key), 0, key.length) === server) return key;
    }
  }

  /** Counters of a server, its queue gauges up to date. */
  counters(server = 0): ServerCounters {
    this.pool.refreshGauges();
    return this.pool.servers[server]!.counters;
  }

  /** Waits until no client, no request and no chunk is left; server connections may stay. */
  async expectIdle(): Promise<void> {
    await eventuallyHolds(
      () => {
        expect(this.listener.clients.size).toBe(0);
        expect(this.descriptors.clients).toBe(0);
        expect(this.descriptors.abandoned).toBe(0);
        expect(this.pool.counters.clientConnections).toBe(0);
        let serverConnections = 0;
        for (let i = 0; i < this.pool.servers.length; i++) {
          const { inQueue, inQueueBytes, outQueue, outQueueBytes, ...others } = this.counters(i);
          expect({ inQueue, inQueueBytes, outQueue, outQueueBytes }).toEqual({
            inQueue: 0,
            inQueueBytes: 0,
            outQueue: 0,
            outQueueBytes: 0,
          });
          serverConnections += others.serverConnections;
        }
        expect(this.connections.current).toBe(1 + serverConnections);
        expect(this.chunkPool.chunksInUse).toBe(0);
        expect(this.chunkPool.bytesInUse).toBe(0);
      },
      { deadlineMs: IDLE_DEADLINE_MS },
    );
  }

  [Symbol.dispose](): void {
    this.listener.stop();
    this.listener.closeClients();
    this.pool.close();
    this.waitingRoom.stop();
  }
}

function keepLines(lines: string[]): Logger {
  const keep = (level: string) => (place: string, text: string) => {
    lines.push(`${level} ${place} ${text}`);
  };
  return {
    always: keep("always"),
    error: keep("error"),
    warn: keep("warn"),
    notice: keep("notice"),
    info: keep("info"),
    debug: keep("debug"),
  };
}
