/**
 * The client libraries of JavaScript behind one small interface, each through its own methods.
 *
 * Options are the libraries' defaults, but for what the row of the matrix is about.
 */
import { RedisClient } from "bun";
import { Redis as Ioredis } from "ioredis";
import { Redis as Iovalkey } from "iovalkey";
import { createClient } from "redis";
import { PIPELINE_HALF } from "./expected.ts";

export interface Connected {
  ping(): Promise<unknown>;
  /** @returns how many of the GETs gave what the SETs wrote */
  pipeline(): Promise<number>;
  /** @returns a value as TYPES in expected.ts */
  types(): Promise<unknown>;
  /** @returns the value of one key in database 0, and in database 3 */
  select(): Promise<unknown>;
  info(): Promise<string>;
  get(key: string): Promise<string | null>;
  /** The version of the protocol that its replies come in. */
  protocolVersion(): Promise<number>;
  close(): void;
}

export interface Adapter {
  readonly label: string;
  readonly protocolVersion: 2 | 3;
  connect(port: number): Promise<Connected>;
}

const indexes = Array.from({ length: PIPELINE_HALF }, (_, i) => i);

function rightOnes(values: readonly unknown[]): number {
  return values.filter((value, i) => value === `value ${i}`).length;
}

function versionIn(clientInfo: unknown): number {
  return Number(/ resp=(\d)/.exec(String(clientInfo))?.[1]);
}

/** ioredis, and iovalkey, which was made from it. */
async function connectIoredis(client: Ioredis): Promise<Connected> {
  client.on("error", () => {});
  await new Promise((ready, failed) => {
    client.once("ready", ready);
    client.once("end", failed);
  });
  return {
    ping: () => client.ping(),
    info: () => client.info(),
    get: (key) => client.get(key),
    protocolVersion: async () => versionIn(await client.call("CLIENT", "INFO")),
    close: () => client.disconnect(),
    async pipeline() {
      const pipeline = client.pipeline();
      for (const i of indexes) pipeline.set(`io:${i}`, `value ${i}`);
      for (const i of indexes) pipeline.get(`io:${i}`);
      const replies = (await pipeline.exec()) ?? [];
      return rightOnes(replies.slice(PIPELINE_HALF).map(([, value]) => value));
    },
    async types() {
      await client.set("io:string", "text");
      await client.hset("io:hash", { a: "1", b: "2" });
      await client.rpush("io:list", "x", "y");
      await client.sadd("io:set", "m", "n");
      await client.zadd("io:zset", 1.5, "one", "2", "two");
      await client.incrby("io:counter", 5);
      await client.xadd("io:stream", "1-1", "field", "value");
      return {
        string: await client.get("io:string"),
        missing: await client.get("io:missing"),
        many: await client.mget("io:string", "io:missing", "io:counter"),
        hash: { ...(await client.hgetall("io:hash")) },
        list: await client.lrange("io:list", 0, -1),
        set: [...(await client.smembers("io:set"))].sort(),
        score: Number(await client.zscore("io:zset", "one")),
        range: await client.zrange("io:zset", 0, "-1"),
        stream: await client.xlen("io:stream"),
        deleted: await client.del("io:string", "io:missing", "io:counter"),
      };
    },
    async select() {
      await client.set("io:db", "0");
      await client.select(3);
      await client.set("io:db", "3");
      const third = await client.get("io:db");
      await client.select(0);
      return [await client.get("io:db"), third];
    },
  };
}

async function connectNodeRedis(port: number, version?: 2 | 3): Promise<Connected> {
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    ...(version === undefined ? {} : { RESP: version }),
  });
  client.on("error", () => {});
  await client.connect();
  return {
    ping: () => client.ping(),
    info: () => client.info(),
    get: (key) => client.get(key),
    protocolVersion: async () => versionIn(await client.sendCommand(["CLIENT", "INFO"])),
    close: () => client.destroy(),
    async pipeline() {
      // What is asked for in one turn is sent as one pipeline.
      const sets = indexes.map((i) => client.set(`nr:${i}`, `value ${i}`));
      const gets = indexes.map((i) => client.get(`nr:${i}`));
      await Promise.all(sets);
      return rightOnes(await Promise.all(gets));
    },
    async types() {
      await client.set("nr:string", "text");
      await client.hSet("nr:hash", { a: "1", b: "2" });
      await client.rPush("nr:list", ["x", "y"]);
      await client.sAdd("nr:set", ["m", "n"]);
      await client.zAdd("nr:zset", [
        { score: 1.5, value: "one" },
        { score: 2, value: "two" },
      ]);
      await client.incrBy("nr:counter", 5);
      await client.xAdd("nr:stream", "1-1", { field: "value" });
      return {
        string: await client.get("nr:string"),
        missing: await client.get("nr:missing"),
        many: await client.mGet(["nr:string", "nr:missing", "nr:counter"]),
        hash: { ...(await client.hGetAll("nr:hash")) },
        list: await client.lRange("nr:list", 0, -1),
        set: [...(await client.sMembers("nr:set"))].sort(),
        score: await client.zScore("nr:zset", "one"),
        range: await client.zRange("nr:zset", 0, -1),
        stream: await client.xLen("nr:stream"),
        deleted: await client.del(["nr:string", "nr:missing", "nr:counter"]),
      };
    },
    async select() {
      await client.set("nr:db", "0");
      await client.select(3);
      await client.set("nr:db", "3");
      const third = await client.get("nr:db");
      await client.select(0);
      return [await client.get("nr:db"), third];
    },
  };
}

async function connectBun(port: number): Promise<Connected> {
  const client = new RedisClient(`redis://127.0.0.1:${port}`);
  await client.connect();
  const run = (command: string, ...args: string[]) => client.send(command, args);
  return {
    ping: () => client.ping(),
    info: async () => String(await run("INFO")),
    get: (key) => client.get(key),
    protocolVersion: async () => versionIn(await run("CLIENT", "INFO")),
    close: () => client.close(),
    async pipeline() {
      const sets = indexes.map((i) => client.set(`bun:${i}`, `value ${i}`));
      const gets = indexes.map((i) => client.get(`bun:${i}`));
      await Promise.all(sets);
      return rightOnes(await Promise.all(gets));
    },
    async types() {
      await client.set("bun:string", "text");
      await client.hmset("bun:hash", ["a", "1", "b", "2"]);
      await run("RPUSH", "bun:list", "x", "y");
      await client.sadd("bun:set", "m", "n");
      await run("ZADD", "bun:zset", "1.5", "one", "2", "two");
      await run("INCRBY", "bun:counter", "5");
      await run("XADD", "bun:stream", "1-1", "field", "value");
      return {
        string: await client.get("bun:string"),
        missing: await client.get("bun:missing"),
        many: await run("MGET", "bun:string", "bun:missing", "bun:counter"),
        hash: { ...(await client.hgetall("bun:hash")) },
        list: await run("LRANGE", "bun:list", "0", "-1"),
        set: [...(await client.smembers("bun:set"))].sort(),
        score: Number(await run("ZSCORE", "bun:zset", "one")),
        range: await run("ZRANGE", "bun:zset", "0", "-1"),
        stream: await run("XLEN", "bun:stream"),
        deleted: await run("DEL", "bun:string", "bun:missing", "bun:counter"),
      };
    },
    async select() {
      await client.set("bun:db", "0");
      await run("SELECT", "3");
      await client.set("bun:db", "3");
      const third = await client.get("bun:db");
      await run("SELECT", "0");
      return [await client.get("bun:db"), third];
    },
  };
}

export const ADAPTERS: readonly Adapter[] = [
  {
    label: "ioredis",
    protocolVersion: 3,
    connect: (port) => connectIoredis(new Ioredis(port)),
  },
  {
    label: "ioredis, RESP2",
    protocolVersion: 2,
    connect: (port) => connectIoredis(new Ioredis({ port, protocol: 2 })),
  },
  {
    label: "iovalkey",
    protocolVersion: 2,
    connect: (port) => connectIoredis(new Iovalkey(port) as unknown as Ioredis),
  },
  { label: "node-redis", protocolVersion: 3, connect: (port) => connectNodeRedis(port) },
  { label: "node-redis, RESP2", protocolVersion: 2, connect: (port) => connectNodeRedis(port, 2) },
  { label: "Bun's RedisClient", protocolVersion: 3, connect: connectBun },
];
