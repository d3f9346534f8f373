/**
 * ioredis and node-redis through the proxy: with their default options, and speaking RESP2.
 *
 * By default both say HELLO 3 first, and node-redis gives up if that is refused.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { eventually, within } from "../support/eventually.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { Proxy } from "../support/run-proxy.ts";

const CONNECT_MS = 10_000;

let pool: RedisPool;
let keys: string[];

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 3, pool: { hash_tag: "{}" } });
  keys = (await Promise.all([0, 1, 2].map((server) => pool.keysOf(server, 20)))).flat();
});

afterAll(() => pool?.[Symbol.asyncDispose]());

interface Started<Client> {
  readonly client: Client;
  readonly errors: Error[];
  [Symbol.dispose](): void;
}

function startIoredis(port: number, options: object = {}): Started<Redis> {
  const client = new Redis({ port, ...options });
  const errors: Error[] = [];
  client.on("error", (error: Error) => errors.push(error));
  return { client, errors, [Symbol.dispose]: () => client.disconnect() };
}

async function startNodeRedis(port: number, password = "", options: object = {}) {
  const login = password === "" ? "" : `:${password}@`;
  const client = createClient({ url: `redis://${login}127.0.0.1:${port}`, ...options });
  const errors: Error[] = [];
  client.on("error", (error: Error) => errors.push(error));
  const dispose = (): void => {
    if (client.isOpen) client.destroy();
  };
  try {
    await within(client.connect(), CONNECT_MS, "node-redis connects");
  } catch (error) {
    dispose();
    throw new Error(`${String(error)}; ${errors[0]}`, { cause: error });
  }
  return { client, errors, [Symbol.dispose]: dispose };
}

test.each([
  ["default options", {}],
  ["RESP2", { protocol: 2 }],
])("ioredis with %s: commands, pipelines, large values, scripts", async (_, options) => {
  using started = startIoredis(pool.proxy.port(), options);
  const { client, errors } = started;
  await client.mset(Object.fromEntries(keys.map((key) => [key, valueOf(key)])));
  expect(await client.mget(keys)).toEqual(keys.map(valueOf));
  const pipeline = client.pipeline();
  for (const key of keys) pipeline.get(key).strlen(key);
  pipeline.del("nothing", "nowhere");
  const results = await pipeline.exec();
  expect(results?.length).toBe(keys.length * 2 + 1);
  expect(results?.filter((_, index) => index % 2 === 0).map((result) => result[1])).toEqual([
    ...keys.map(valueOf),
    0,
  ]);
  const large = Buffer.alloc(3_000_000, 7);
  await client.set("large", large);
  expect((await client.getBuffer("large"))?.equals(large)).toBe(true);
  expect(await client.eval("return {KEYS[1], ARGV[1]}", "1", "k", "v")).toEqual(["k", "v"]);
  await client.hset("{t}h", { a: "1", b: "2" });
  expect({ ...(await client.hgetall("{t}h")) }).toEqual({ a: "1", b: "2" });
  expect(client.call("GET", "a", "b")).rejects.toThrow("wrong number of arguments");
  expect(client.call("FROBNICATE")).rejects.toThrow("unknown command");
  expect(await client.ping()).toBe("PONG");
  expect(await client.quit()).toBe("OK");
  expect(errors).toEqual([]);
});

test.each([
  ["default options", {}],
  ["RESP2", { RESP: 2 }],
])("node-redis with %s: commands, large values, errors", async (_, options) => {
  using started = await startNodeRedis(pool.proxy.port(), "", options);
  const { client, errors } = started;
  await client.mSet(Object.fromEntries(keys.map((key) => [key, valueOf(key)])));
  expect(await client.mGet(keys)).toEqual(keys.map(valueOf));
  expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys.map(valueOf));
  const large = "x".repeat(3_000_000);
  await client.set("large", large);
  expect((await client.get("large")) === large).toBe(true);
  await client.hSet("{t}h", { a: "1", b: "2" });
  expect({ ...(await client.hGetAll("{t}h")) }).toEqual({ a: "1", b: "2" });
  await client.zAdd("{t}z", { score: 1.5, value: "a" });
  expect(await client.zScore("{t}z", "a")).toBe(1.5);
  expect(await client.get("nothing")).toBe(null);
  expect(await client.del(["large", "{t}h", "{t}z", "nothing"])).toBe(3);
  expect(client.sendCommand(["FROBNICATE"])).rejects.toThrow("unknown command");
  expect(await client.ping()).toBe("PONG");
  await client.close();
  expect(errors).toEqual([]);
});

test.each([
  ["default options", {}, {}],
  ["RESP2", { protocol: 2 }, { RESP: 2 }],
])("both with a password and %s", async (_, forIoredis, forNodeRedis) => {
  await using closed = await RedisPool.start({
    server: { requirepass: "secret" },
    pool: { redis_auth: "secret" },
  });
  const port = closed.proxy.port();
  using first = startIoredis(port, { password: "secret", ...forIoredis });
  expect(await first.client.set("a", "1")).toBe("OK");
  using second = await startNodeRedis(port, "secret", forNodeRedis);
  expect(await second.client.get("a")).toBe("1");
});

test("both reconnect to a proxy that was started anew", async () => {
  await using old = await RedisPool.start();
  const port = old.proxy.port();
  using first = startIoredis(port);
  using second = await startNodeRedis(port, "", { RESP: 2 });
  await first.client.set("a", "1");
  await old.proxy.stop();
  await using _ = await Proxy.start({ config: old.proxy.config });
  await eventually(async () => (await first.client.get("a")) === "1");
  await eventually(async () => (await second.client.get("a")) === "1");
}, 15_000);
