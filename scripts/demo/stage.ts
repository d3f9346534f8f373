/**
 * What stands on the stage: three redis-servers, nutcracker before them, and connections to all.
 *
 *   proxy ----> nutcracker ----> redis-a, redis-b, redis-c
 *   direct[i] -----------------> (one of them, to see what really lies there)
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configText, type DemoPool, type DemoServer, redisPool } from "./pools.ts";
import { type DemoProcess, freePorts, Processes } from "./processes.ts";
import { type Reply, ReplyError, RespClient } from "./resp-client.ts";

const REDIS_SERVER_COUNT = 3;

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

/** One server of the pool as the demo handles it. */
export interface StageServer extends DemoServer {
  readonly index: number;
  process: DemoProcess;
  /** A connection past nutcracker. */
  direct: RespClient;
}

export interface Stage {
  readonly processes: Processes;
  readonly pool: DemoPool;
  readonly statsPort: number;
  readonly nutcracker: DemoProcess;
  readonly servers: StageServer[];
  /** A connection through nutcracker. */
  readonly proxy: RespClient;
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
  const [statsPort = 0, ...poolPorts] = freePorts(1 + 1 + REDIS_SERVER_COUNT);
  const pool = redisPool(poolPorts);
  const servers = await Promise.all(
    pool.servers.map(async (server, index) => ({
      ...server,
      index,
      ...(await startRedisServer(processes, server)),
    })),
  );
  writeFileSync(join(processes.folder, "nutcracker.yml"), configText([pool]));
  const stats = ["-a", "127.0.0.1", "-s", String(statsPort), "-i", "100"];
  const command = [binary, "-c", "nutcracker.yml", "-o", "nutcracker.log", ...stats];
  const nutcracker = await processes.start("nutcracker", command, pool.port);
  const proxy = await RespClient.connect("nutcracker", pool.port);
  return { processes, pool, statsPort, nutcracker, servers, proxy };
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
