/**
 * The numbers of one worker: one record per pool and one per server, counted where things happen.
 *
 * Plain fields, because `counters.requests += 1` is the cheapest thing that can be read. Fields are
 * named after nutcracker's stats; metrics.ts has one row for each, snapshot.ts prints them.
 * Does not know who counts, nor when anybody looks.
 */

export class PoolCounters {
  clientEof = 0;
  clientErr = 0;
  clientConnections = 0;
  serverEjects = 0;
  forwardError = 0;
  fragments = 0;
}

/**
 * How a server is. A failure makes it suspect, a reply healthy again; after too many failures it
 * is ejected, and probing while a probe is under way. In the order of what is worse.
 */
export const ServerState = { Healthy: 0, Suspect: 1, Probing: 2, Ejected: 3 } as const;
export type ServerState = (typeof ServerState)[keyof typeof ServerState];

export class ServerCounters {
  serverEof = 0;
  serverErr = 0;
  serverTimedout = 0;
  serverConnections = 0;
  /** Microseconds since 1970 of the last ejection; 0 = never. */
  serverEjectedAt = 0;
  requests = 0;
  requestBytes = 0;
  responses = 0;
  responseBytes = 0;
  inQueue = 0;
  inQueueBytes = 0;
  outQueue = 0;
  outQueueBytes = 0;
  serverState: ServerState = ServerState.Healthy;
}

/** What the stats need to know about the connections of the whole process. */
export class ConnectionCounters {
  /** Connections ever made: listeners, clients, and every attempt to reach a server. */
  total = 0;
  /** Those open now. */
  current = 0;
}

/** What the whole process has in use, and may have; looked at when somebody asks. */
export class ProcessGauges {
  /** What all buffers hold. */
  bufferBytes = 0;
  /** max_buffer_memory; with several workers each has its part. */
  bufferBytesMax = 0;
  /** Clients that are not read from until there is buffer memory for what they send. */
  waitingClients = 0;
  /** File descriptors, without connections to the stats port. */
  descriptors = 0;
  /** 0 = no limit. */
  descriptorsMax = 0;
}

/** One pool as the stats see it. `refreshGauges` brings the servers' queue gauges up to date. */
export interface PoolStatistics {
  readonly name: string;
  readonly counters: PoolCounters;
  readonly servers: readonly { readonly name: string; readonly counters: ServerCounters }[];
  refreshGauges(): void;
}
