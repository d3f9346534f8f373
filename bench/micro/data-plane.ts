/**
 * The whole data plane without the kernel: clients and servers whose sockets take everything and
 * keep nothing. One call of a round puts a chunk into every client and the replies into every
 * server, and ends the turns between.
 */
import type { Socket } from "bun";
import { parseConfig } from "../../src/config/load.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import type { Logger } from "../../src/log/logger.ts";
import { REDIS } from "../../src/protocol/redis/redis.ts";
import { ClientConnection } from "../../src/proxy/client-connection.ts";
import { DescriptorBudget } from "../../src/proxy/descriptor-budget.ts";
import { ServerPool } from "../../src/proxy/server-pool.ts";
import { Turn } from "../../src/proxy/turn.ts";
import { WaitingRoom } from "../../src/proxy/waiting-room.ts";
import { ConnectionCounters } from "../../src/stats/counters.ts";

const CONFIG = `bench:
  listen: /none
  redis: true
  servers:
    - /none0:1 s0
    - /none1:1 s1
`;

const silent = (): void => {};
const log: Logger = {
  always: silent,
  error: silent,
  warn: silent,
  notice: silent,
  info: silent,
  debug: silent,
};

/** A socket that takes everything and keeps nothing but the number of bytes. */
class Sink {
  bytes = 0;
  write(_: Buffer, _offset: number, length: number): number {
    this.bytes += length;
    return length;
  }
  pause = silent;
  resume = silent;
  terminate = silent;
  end = silent;
}

/**
 * @param requests of one chunk, each with its key as the second argument
 * @param reply what a server answers to each of them
 * @returns a function that takes these requests, from each client, through the data plane
 */
export function roundOf(
  requests: readonly string[],
  reply: string,
  clientCount: number,
): () => void {
  const { clients, receivers, endTurn, pool } = make(clientCount);
  const chunk = Buffer.from(requests.join(""));
  const perServer = new Array<number>(receivers.length).fill(0);
  for (const request of requests) {
    const key = Buffer.from(request.split("\r\n")[4] ?? "");
    const server = pool.serverIndexOf(key, 0, key.length);
    perServer[server] = (perServer[server] ?? 0) + clientCount;
  }
  const replies = perServer.map((count) => Buffer.from(reply.repeat(count)));
  return () => {
    for (let i = 0; i < clients.length; i++) clients[i]?.received(chunk);
    endTurn();
    for (let i = 0; i < receivers.length; i++) {
      const bytes = replies[i];
      if (bytes !== undefined && bytes.length > 0) receivers[i]?.(bytes);
    }
    endTurn();
  };
}

function make(clientCount: number) {
  const config = parseConfig(CONFIG, "bench.yml").pools[0];
  if (config === undefined) throw new Error("no pool");
  const turn = new Turn();
  const pool = new ServerPool(config, REDIS, {
    turn,
    log,
    chunkPool: new ChunkPool(16_384),
    connections: new ConnectionCounters(),
    descriptors: new DescriptorBudget({ max: Infinity, keptForServers: 0, log }),
    waitingRoom: new WaitingRoom(),
  });
  const receivers = pool.servers.map((server) => {
    let receive: (chunk: Buffer) => void = silent;
    server.connect = (connection) => {
      receive = (chunk) => connection.received(chunk);
      connection.opened(new Sink() as unknown as Socket<typeof connection>);
    };
    return (chunk: Buffer) => receive(chunk);
  });
  const clients = Array.from(
    { length: clientCount },
    () =>
      new ClientConnection(pool, new Sink() as unknown as Socket<ClientConnection>, {
        clients: [],
        clientClosed: silent,
      }),
  );
  // Ends the turn now, as setImmediate would.
  const endTurn = () => (turn as unknown as { end(): void }).end();
  return { clients, receivers, endTurn, pool };
}

const VALUE = `$64\r\n${"x".repeat(64)}\r\n`;

function keyOf(index: number): string {
  return `$16\r\nkey:${String(index * 7919).padStart(12, "0")}\r\n`;
}

/** What is sent again and again: name, requests of one chunk, the reply to each, clients. */
export const ROUNDS: readonly (readonly [string, readonly string[], string, number])[] = [
  ["GET, pipeline 100, 10 clients", many(100, (i) => `*2\r\n$3\r\nGET\r\n${keyOf(i)}`), VALUE, 10],
  [
    "SET, pipeline 100, 10 clients",
    many(100, (i) => `*3\r\n$3\r\nSET\r\n${keyOf(i)}${VALUE}`),
    "+OK\r\n",
    10,
  ],
  ["GET, pipeline 1, 50 clients", many(1, (i) => `*2\r\n$3\r\nGET\r\n${keyOf(i)}`), VALUE, 50],
];

function many(count: number, make: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
