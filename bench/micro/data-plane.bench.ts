/**
 * A request through the whole data plane without the kernel: client chunk in, server chunk out,
 * reply in, reply out. What is left of the cost of a request when the system calls are taken away.
 */
import { bench, do_not_optimize, group, run } from "mitata";
import type { Socket } from "bun";
import type { PoolConfig } from "../../src/config/config.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import type { Logger } from "../../src/log/logger.ts";
import { REDIS } from "../../src/protocol/redis/redis.ts";
import { ClientConnection } from "../../src/proxy/client-connection.ts";
import { ServerPool } from "../../src/proxy/server-pool.ts";
import { Turn } from "../../src/proxy/turn.ts";
import { ConnectionCounters } from "../../src/stats/counters.ts";

const SERVERS = 2;
const silent = () => {};
const log: Logger = {
  always: silent,
  error: silent,
  warn: silent,
  notice: silent,
  info: silent,
  debug: silent,
};

const config: PoolConfig = {
  name: "bench",
  listen: { text: "", address: { kind: "unix", path: "" }, mode: 0 },
  hash: "fnv1a_64",
  hashTag: null,
  distribution: "ketama",
  timeoutMs: 1000,
  backlog: 512,
  clientConnections: 0,
  isRedis: true,
  tcpKeepalive: false,
  reusePort: false,
  redisAuth: null,
  redisDb: 0,
  memcachedFlushAll: false,
  preconnect: false,
  autoEjectHosts: false,
  serverConnections: 1,
  serverRetryTimeoutMs: 30_000,
  serverFailureLimit: 2,
  servers: Array.from({ length: SERVERS }, (_, i) => ({
    name: `s${i}`,
    displayName: `s${i}`,
    address: { kind: "unix", path: "" },
    weight: 1,
  })),
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

function make(clientCount: number) {
  const turn = new Turn();
  const pool = new ServerPool(config, REDIS, {
    turn,
    log,
    chunkPool: new ChunkPool(16_384),
    connections: new ConnectionCounters(),
  });
  const receivers = pool.servers.map((server) => {
    let receive: (chunk: Buffer) => void = silent;
    server.connect = (connection) => {
      receive = (chunk) => connection.received(chunk);
      connection.opened(new Sink() as unknown as Socket<typeof connection>);
    };
    return { server, receive: (chunk: Buffer) => receive(chunk) };
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

function scenario(name: string, requests: string[], reply: string, clientCount: number) {
  const { clients, receivers, endTurn, pool } = make(clientCount);
  const chunk = Buffer.from(requests.join(""));
  const perServer = new Array<number>(SERVERS).fill(0);
  for (const request of requests) {
    const key = Buffer.from(request.split("\r\n")[4]!);
    perServer[pool.serverIndexOf(key, 0, key.length)]! += clientCount;
  }
  const replies = perServer.map((count) => Buffer.from(reply.repeat(count)));
  bench(`${name}, per ${requests.length * clientCount} requests`, () => {
    for (const client of clients) client.received(chunk);
    endTurn();
    for (const [i, { receive }] of receivers.entries()) if (perServer[i]! > 0) receive(replies[i]!);
    endTurn();
    do_not_optimize(clients);
  });
}

const value = `$64\r\n${"x".repeat(64)}\r\n`;
const key = (i: number) => `$16\r\nkey:${String(i * 7919).padStart(12, "0")}\r\n`;
const get = (i: number) => `*2\r\n$3\r\nGET\r\n${key(i)}`;
const set = (i: number) => `*3\r\n$3\r\nSET\r\n${key(i)}${value}`;
const many = (make: (i: number) => string, count: number) =>
  Array.from({ length: count }, (_, i) => make(i));

group("through the data plane", () => {
  scenario("GET, pipeline 100, 10 clients", many(get, 100), value, 10);
  scenario("SET, pipeline 100, 10 clients", many(set, 100), "+OK\r\n", 10);
  scenario("GET, pipeline 1, 50 clients", many(get, 1), value, 50);
});

await run();
process.exit(0);
