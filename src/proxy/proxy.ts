/**
 * The data plane as a whole: the pools of a configuration, each with its listener.
 *
 *   Config -> Proxy.start -> ServerPool + Listener per pool -> ... -> drain -> close
 *
 * Knows no YAML, no signal and no process; process/worker.ts starts and ends it.
 */
import type { Config } from "../config/config.ts";
import { ChunkPool } from "../lib/chunk-pool.ts";
import { descriptorsMax, openDescriptors } from "../lib/descriptors.ts";
import { ProxyError } from "../lib/errors.ts";
import type { Logger } from "../log/logger.ts";
import { PROTOCOLS } from "../protocol/protocols.ts";
import type { PoolStatistics } from "../stats/counters.ts";
import { ConnectionCounters, ProcessGauges } from "../stats/counters.ts";
import { DescriptorBudget } from "./descriptor-budget.ts";
import type { OtherWorkers, PeerFacts, PeerOrder } from "./distant-peers.ts";
import { carryOut, distantPeers, factsOf } from "./distant-peers.ts";
import { SPARE_DESCRIPTORS, statsConnectionsMax } from "./limits.ts";
import { Listener } from "./listener.ts";
import { ServerPool, type SharedParts } from "./server-pool.ts";
import { TurnPace } from "./turn-pace.ts";
import { Turn } from "./turn.ts";
import { WaitingRoom } from "./waiting-room.ts";

export interface ProxyOptions {
  /** Size of the chunks that buffers are made of: -m. */
  readonly chunkSizeBytes: number;
  readonly log: Logger;
  /** Listening sockets that came with the start of this process, in the order of the pools. */
  readonly listeningSockets?: readonly number[];
  /** Who else serves the pools. */
  readonly otherWorkers?: OtherWorkers;
}

export class Proxy {
  readonly connections = new ConnectionCounters();
  gauges: Readonly<ProcessGauges> = new ProcessGauges();
  private readonly waitingRoom = new WaitingRoom();
  private readonly pools: ServerPool[] = [];
  private readonly listeners: Listener[] = [];

  private constructor() {}

  /**
   * Connects ahead where the configuration says so, and listens, pool after pool.
   * @throws ProxyError if a pool cannot be served; what was made so far is undone
   */
  static async start(config: Config, options: ProxyOptions): Promise<Proxy> {
    const proxy = new Proxy();
    try {
      proxy.createPools(config, options);
      for (const pool of proxy.pools) if (pool.config.preconnect) pool.preconnect();
      for (const listener of proxy.listeners) await listener.listen();
    } catch (error) {
      proxy.close();
      throw error;
    }
    return proxy;
  }

  statistics(): readonly PoolStatistics[] {
    return this.pools;
  }

  /** The clients of a pool, as other workers are to see them. */
  peers(pool: number): PeerFacts[] {
    return Array.from(this.listeners[pool]?.clients ?? [], factsOf);
  }

  carryOut(order: PeerOrder): void {
    carryOut(order, this.listeners[order.pool]?.clients ?? []);
  }

  stopAccepting(): void {
    for (const listener of this.listeners) listener.stop();
  }

  /** Resolves when no request is in flight, or after `timeoutMs`; then everything is closed. */
  async drain(timeoutMs: number): Promise<void> {
    this.stopAccepting();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((done) => (timer = setTimeout(done, timeoutMs)));
    await Promise.race([Promise.all(this.listeners.map((one) => one.drain())), timeout]);
    clearTimeout(timer);
    this.close();
  }

  close(): void {
    this.stopAccepting();
    for (const listener of this.listeners) listener.closeClients();
    for (const pool of this.pools) pool.close();
    this.waitingRoom.stop();
  }

  private createPools(config: Config, options: ProxyOptions): void {
    const openAtStart = openDescriptors();
    const shared = {
      turn: new Turn(new TurnPace()),
      chunkPool: new ChunkPool(options.chunkSizeBytes, config.maxBufferMemoryBytes),
      log: options.log,
      connections: this.connections,
      waitingRoom: this.waitingRoom,
      descriptors: createBudget(config, options.log),
    };
    const { otherWorkers } = options;
    this.gauges = gaugesOf(shared, openAtStart + config.pools.length);
    for (const [index, pool] of config.pools.entries()) {
      const protocol = PROTOCOLS[pool.isRedis ? "redis" : "memcached"];
      const serverPool = new ServerPool(pool, protocol, shared);
      if (otherWorkers) serverPool.askElsewhere = () => distantPeers(otherWorkers, index);
      this.pools.push(serverPool);
      this.listeners.push(new Listener(serverPool, options.listeningSockets?.[index]));
    }
    for (const pool of this.pools) {
      const failover = this.pools.find((other) => other.name === pool.config.failoverPool);
      if (failover !== undefined) pool.failOverTo(failover);
    }
  }
}

/** @param others descriptors that are neither of clients nor of servers */
function gaugesOf(
  { chunkPool, waitingRoom, descriptors }: SharedParts,
  others: number,
): Readonly<ProcessGauges> {
  const filesMax = descriptorsMax();
  return {
    bufferBytesMax: chunkPool.bytesMax,
    descriptorsMax: filesMax === Infinity ? 0 : filesMax,
    get bufferBytes() {
      return chunkPool.bytesInUse;
    },
    get waitingClients() {
      return waitingRoom.size;
    },
    get descriptors() {
      return others + descriptors.inUse;
    },
  };
}

/**
 * What the process may open beyond what it has open now: servers keep enough for all their
 * connections, and clients have the rest.
 * @throws ProxyError if nothing is left for clients
 */
function createBudget(config: Config, log: Logger): DescriptorBudget {
  const filesMax = descriptorsMax();
  let keptForServers = 0;
  for (const pool of config.pools) keptForServers += pool.serverConnections * pool.servers.length;
  const spare = SPARE_DESCRIPTORS + statsConnectionsMax(filesMax);
  const others = openDescriptors() + config.pools.length + spare;
  const max = filesMax - others;
  if (max > keptForServers) return new DescriptorBudget({ max, keptForServers, log });
  throw new ProxyError(
    "TOO_FEW_DESCRIPTORS",
    "operator",
    `the limit of open files is ${filesMax}, and servers, listeners and the process itself need ` +
      `${others + keptForServers}: raise it (ulimit -n, LimitNOFILE) or lower server_connections`,
  );
}
