/**
 * Replies come in the order of the requests, for any mix of what is answered where.
 *
 * Server 2 of the pool is down, so its keys and every request that needs one of them fail.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import type { RawClient } from "../support/raw-client.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import type { Argument } from "../support/resp.ts";
import { withSeed } from "../support/seeded-random.ts";
import type { SeededRandom } from "../support/seeded-random.ts";

/** A request and its reply: a text, or what the reply must start with if it ends with "…". */
interface Exchange {
  readonly request: readonly Argument[];
  readonly reply: string;
}

let pool: RedisPool;
let healthyKeys: string[];
let deadKeys: string[];

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 3 });
  healthyKeys = [...(await pool.keysOf(0, 20)), ...(await pool.keysOf(1, 20))];
  deadKeys = await pool.keysOf(2, 10);
  await pool.fill(healthyKeys);
  await pool.server(2).kill();
  await pool.proxy.untilNotConnected("s2");
});

afterAll(() => pool?.[Symbol.asyncDispose]());

const REFUSED = "-ERR Connection refused\r\n";

const MAKERS: readonly ((random: SeededRandom) => Exchange)[] = [
  () => ({ request: ["PING"], reply: "+PONG\r\n" }),
  (random) => {
    const key = random.pick(healthyKeys);
    return { request: ["GET", key], reply: bulk(valueOf(key)) };
  },
  (random) => ({ request: ["GET", random.pick(deadKeys)], reply: REFUSED }),
  (random) => {
    const keys = random.shuffle(healthyKeys).slice(0, random.between(1, 12));
    const reply = keys.map((key) => bulk(valueOf(key))).join("");
    return { request: ["MGET", ...keys], reply: `*${keys.length}\r\n${reply}` };
  },
  (random) => {
    const keys = random.shuffle([...healthyKeys.slice(0, 5), random.pick(deadKeys)]);
    return { request: ["MGET", ...keys], reply: REFUSED };
  },
  (random) => {
    const key = random.pick(healthyKeys);
    return { request: ["SET", key, valueOf(key)], reply: "+OK\r\n" };
  },
  (random) => {
    const keys = random.shuffle(healthyKeys).slice(0, 4);
    const pairs = keys.flatMap((key) => [key, valueOf(key)]);
    return { request: ["MSET", ...pairs], reply: "+OK\r\n" };
  },
  (random) => ({ request: ["DEL", random.pick(deadKeys), "nothing"], reply: REFUSED }),
  () => ({ request: ["DEL", "nothing", "nowhere"], reply: "…" }),
  () => ({ request: ["FROBNICATE", "x"], reply: "-ERR …" }),
  () => ({ request: ["GET"], reply: "-ERR …" }),
  (random) => ({ request: ["LPUSH", random.pick(healthyKeys), "x"], reply: "-WRONGTYPE …" }),
];

async function expectReplies(client: RawClient, exchanges: readonly Exchange[]): Promise<void> {
  for (const [index, { request, reply }] of exchanges.entries()) {
    const found = await client.readReply();
    const isMatch = reply.endsWith("…") ? found.startsWith(reply.slice(0, -1)) : found === reply;
    if (isMatch) continue;
    expect({ index, request, reply: found }).toEqual({ index, request, reply });
  }
}

test("any mix of local, forwarded, divided and failing requests", async () => {
  await withSeed(async (random) => {
    const client = await pool.connect();
    for (let round = 0; round < 20; round++) {
      const count = random.between(1, 200);
      // "nothing" and "nowhere" may be keys of the dead server: any reply counts, in its place.
      const exchanges = Array.from({ length: count }, () => random.pick(MAKERS)(random));
      const bytes = Buffer.concat(exchanges.map(({ request }) => encodeRequest(request)));
      const pieces = random.cut(bytes, 5);
      for (const piece of pieces) await client.send(piece);
      await expectReplies(client, exchanges);
    }
    await client.expectOpen();
    expect(client.unreadSize).toBe(0);
    client.close();
  });
});

test("ten clients at once get their own replies", async () => {
  await withSeed(async (random) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => pool.connect()));
    const work = clients.map(async (client) => {
      for (let round = 0; round < 10; round++) {
        const exchanges = Array.from({ length: 50 }, () => random.pick(MAKERS)(random));
        void client.send(Buffer.concat(exchanges.map(({ request }) => encodeRequest(request))));
        await expectReplies(client, exchanges);
      }
      client.close();
    });
    await Promise.all(work);
  });
});

test("10,000 requests in one write", async () => {
  const client = await pool.connect();
  const keys = Array.from({ length: 10_000 }, (_, index) => healthyKeys[index % 40] as string);
  void client.send(Buffer.concat(keys.map((key) => encodeRequest(["GET", key]))));
  const replies = await client.readReplies(keys.length);
  expect(replies).toEqual(keys.map((key) => bulk(valueOf(key))));
  client.close();
});
