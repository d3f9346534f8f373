/**
 * What stands on the stage: real servers, one nutcracker before them, and connections to all.
 *
 *   proxy --------> nutcracker ----> redis-a, redis-b, redis-c
 *   cache.proxy --> (the same) ----> cache-a, cache-b, which are memcached
 *   direct ------------------------> (one of them, to see what really lies there)
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemcachedClient } from "./memcached-client.ts";
import { configText, type DemoPool, type DemoServer, memcachedPool, redisPool } from "./pools.ts";
import { type DemoProcess, freePorts, Processes } from "./processes.ts";
import { type Reply, ReplyError, RespClient } from "./resp-client.ts";

const REDIS_SERVER_COUNT = 3;
const MEMCACHED_SERVER_COUNT = 2;

/** Somebody may take a free port before we do; then other ports are tried. */
const START_ATTEMPTS = 3;

/** A statement of the demo that did not hold. */
export class DemoFailure extends Error {
  constructor(
    readonly sentence: string,
    readonly detail: string,
  ) {
    super(sentence);
  }
}

/** A server and its place among all servers of the stage, which gives it its colour. */
export interface PlacedServer extends DemoServer {
  readonly index: number;
}

/** One server of the Redis pool as the demo handles it. */
export interface StageServer extends PlacedServer {
  process: DemoProcess;
  /** A connection past nutcracker. */
  direct: RespClient;
}

export interface CacheServer extends PlacedServer {
  readonly direct: MemcachedClient;
}

/** The memcached pool. */
export interface Cache {
  readonly pool: DemoPool;
  readonly servers: readonly CacheServer[];
  /** A connection through nutcracker. */
  readonly proxy: MemcachedClient;
}

/** The Redis pool, and what both pools share. */
export interface Stage {
  readonly processes: Processes;
  readonly pool: DemoPool;
  readonly statsPort: number;
  readonly nutcracker: DemoProcess;
  readonly servers: StageServer[];
  /** A connection through nutcracker. */
  readonly proxy: RespClient;
  readonly cache: Cache;
}

/** @param binary the nutcracker to show, by its full path */
export async function setStage(processes: Processes, binary: string): Promise<Stage> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await trySetStage(processes, binary);
    } catch (error) {
      await processes.stopAll();
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function trySetStage(processes: Processes, binary: string): Promise<Stage> {
  const ports = freePorts(1 + 1 + REDIS_SERVER_COUNT + 1 + MEMCACHED_SERVER_COUNT);
  const [statsPort = 0, ...poolPorts] = ports;
  const pool = redisPool(poolPorts.splice(0, 1 + REDIS_SERVER_COUNT));
  const cachePool = memcachedPool(poolPorts);
  const [servers, cacheServers] = await Promise.all([
    Promise.all(
      pool.servers.map(async (server, index) => {
        return { ...server, index, ...(await startRedisServer(processes, server)) };
      }),
    ),
    Promise.all(
      cachePool.servers.map(async (server, i) => {
        const direct = await startMemcached(processes, server);
        return { ...server, index: REDIS_SERVER_COUNT + i, direct };
      }),
    ),
  ]);
  writeFileSync(join(processes.folder, "nutcracker.yml"), configText([pool, cachePool]));
  const stats = ["-a", "127.0.0.1", "-s", String(statsPort), "-i", "100"];
  const command = [binary, "-c", "nutcracker.yml", "-o", "nutcracker.log", ...stats];
  const nutcracker = await processes.start("nutcracker", command, pool.port);
  const proxy = await RespClient.connect("nutcracker", pool.port);
  const cacheProxy = await MemcachedClient.connect("nutcracker", cachePool.port);
  const cache = { pool: cachePool, servers: cacheServers, proxy: cacheProxy };
  return { processes, pool, statsPort, nutcracker, servers, proxy, cache };
}

/** Starts the process of a server, which keeps nothing on disk, and connects to it. */
export async function startRedisServer(processes: Processes, server: DemoServer) {
  const { name, port } = server;
  const network = ["--port", String(port), "--bind", "127.0.0.1"];
  const storage = ["--save", "", "--appendonly", "no"];
  const command = ["redis-server", ...network, ...storage, "--logfile", `${name}.log`];
  const process = await processes.start(name, command, port);
  return { process, direct: await RespClient.connect(name, port) };
}

/**
 * Starts a memcached and connects to it. `-u` lets root start it, and says nothing to others. There
 * is nothing to save, so it is killed in the end; asked to go, it takes up to a second.
 */
async function startMemcached(processes: Processes, server: DemoServer): Promise<MemcachedClient> {
  const { name, port } = server;
  const network = ["-l", "127.0.0.1", "-p", String(port), "-U", "0"];
  const command = ["memcached", ...network, "-u", "root", "-t", "1"];
  await processes.start(name, command, port, "SIGKILL");
  return MemcachedClient.connect(name, port);
}

/** The servers on which a key lies, found by asking each of them that runs. */
export async function serversWith(stage: Stage, key: string): Promise<StageServer[]> {
  const running = stage.servers.filter((server) => !server.process.hasEnded());
  const replies = await Promise.all(running.map((server) => server.direct.send("EXISTS", key)));
  return running.filter((_server, i) => replies[i] === 1);
}

/** The number of keys on each server. */
export async function keyCounts(stage: Stage): Promise<number[]> {
  return Promise.all(stage.servers.map(async ({ direct }) => Number(await direct.send("DBSIZE"))));
}

/** A reply in the words of redis-cli. */
export function replyText(reply: Reply): string {
  if (reply === null) return "(nil)";
  if (reply instanceof ReplyError) return `-${reply.text}`;
  if (Array.isArray(reply)) return reply.map(replyText).join(" ");
  return String(reply);
}

/** Ends the demo where a statement does not hold; `seen` tells what was found instead. */
export function expectThat(isTrue: boolean, sentence: string, seen: string): void {
  if (!isTrue) throw new DemoFailure(sentence, seen);
}
