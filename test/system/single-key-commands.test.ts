/**
 * Every supported command: its reply through the proxy is the reply of the server, byte for byte.
 *
 * One stream of requests goes to a server directly and, through the proxy, to a pool with one other
 * server; what lies there afterwards must be the same, too.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  ACCEPTS,
  COMMAND_FORMS,
  KEYLESS_COMMANDS,
  OTHERWISE_ROUTED_FORMS,
} from "../support/command-grammar.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { RedisServer } from "../support/redis-server.ts";
import { sameReply } from "../support/reply-comparison.ts";
import { RequestGenerator } from "../support/request-generator.ts";
import { encodeRequest } from "../support/resp.ts";
import type { Argument } from "../support/resp.ts";
import { withSeed } from "../support/seeded-random.ts";

const FORMS = [...COMMAND_FORMS, ...OTHERWISE_ROUTED_FORMS];
const ROUNDS = 12;

let pool: RedisPool;
let direct: RedisServer;
let throughProxy: RawClient;
let toServer: RawClient;

beforeAll(async () => {
  [pool, direct] = await Promise.all([RedisPool.start(), RedisServer.start()]);
  [throughProxy, toServer] = await Promise.all([pool.connect(), direct.connect()]);
});

afterAll(async () => {
  await pool?.[Symbol.asyncDispose]();
  await direct?.[Symbol.asyncDispose]();
});

/** Sends the same requests both ways, pipelined, and compares the replies one by one. */
async function compare(requests: readonly (readonly Argument[])[]): Promise<void> {
  const bytes = Buffer.concat(requests.map(encodeRequest));
  void throughProxy.send(bytes);
  void toServer.send(bytes);
  for (const request of requests) {
    const proxied = await throughProxy.readReplyBytes();
    const expected = await toServer.readReplyBytes();
    if (sameReply(request, proxied, expected)) continue;
    expect({ request: request.map(String), reply: proxied.toString("latin1") }).toEqual({
      request: request.map(String),
      reply: expected.toString("latin1"),
    });
  }
}

/** What DUMP says about a string, a list and a sorted set, as food for RESTORE. */
async function makePayloads(): Promise<Buffer[]> {
  await direct.command("SET", "dumped:str", "restored");
  await direct.command("RPUSH", "dumped:list", "a", "b");
  await direct.command("ZADD", "dumped:zset", "1", "m1", "2", "m2");
  const names = ["dumped:str", "dumped:list", "dumped:zset"];
  const payloads = await Promise.all(names.map((name) => direct.command("DUMP", name)));
  await direct.command("FLUSHALL");
  return payloads as Buffer[];
}

test("the forms cover every command that nutcracker accepts", () => {
  const covered = new Set([...FORMS.map((form) => form.name), ...KEYLESS_COMMANDS]);
  expect([...covered].sort()).toEqual([...ACCEPTS.keys()].sort());
  expect(ACCEPTS.size).toBe(137);
});

test("replies through the proxy are the replies of the server", async () => {
  const payloads = await makePayloads();
  await withSeed(async (random) => {
    const generator = new RequestGenerator({ random, namespace: "", payloads });
    for (let round = 0; round < ROUNDS; round++) {
      await compare(random.shuffle(FORMS).map((form) => generator.of(form)));
    }
    const keys = await direct.keys();
    expect(keys.length).toBeGreaterThan(10);
    expect(await pool.server(0).keys()).toEqual(keys);
  });
});

test("whatever number of arguments nutcracker accepts reaches the server", async () => {
  const requests: string[][] = [];
  for (const [name, accepts] of ACCEPTS) {
    if (KEYLESS_COMMANDS.includes(name) || name === "PING") continue;
    for (let count = 2; count <= 9; count++) {
      if (!accepts(count)) continue;
      const words = ["arity", "1", "3", "4", "5", "6", "7", "8"].slice(0, count - 1);
      // The number of keys comes before the keys.
      if (/^(EVAL|EVALSHA)$/.test(name)) words.splice(0, 3, "return 1", "1", "arity");
      if (/^Z(UNION|INTER|DIFF)$/.test(name)) words.splice(0, 2, "1", "arity");
      requests.push([name, ...words.slice(0, count - 1)]);
    }
  }
  await compare(requests.filter((request) => !isShortKeyCount(request)));
});

/** ZUNION, ZINTER and ZDIFF with a number and no key: there is nothing to route by. */
function isShortKeyCount(request: readonly string[]): boolean {
  return /^Z(UNION|INTER|DIFF)$/.test(request[0] ?? "") && request.length < 3;
}

test("commands without a key are answered by one server, always the same", async () => {
  const replies = await throughProxy.pipeline([
    ["COMMAND"],
    ["LOLWUT"],
    ["LOLWUT", "VERSION", "5"],
  ]);
  expect(replies[0]).toStartWith("*");
  expect(replies[1]).toContain("Redis ver.");
  expect(replies[2]).toContain("Redis ver.");
  expect(await throughProxy.call("ping")).toBe("+PONG\r\n");
});
