/**
 * Fuzzers of connections from clients: damaged streams of requests to a proxy with real servers.
 */
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { ServerProcess } from "../support/server-process.ts";
import {
  converse,
  expectIdle,
  type Expectation,
  GoodClient,
  goodKey,
  goodValue,
  splitReplies,
} from "./connections.ts";
import type { Fuzzer, FuzzTarget } from "./fuzzer.ts";
import { ensure, escaped, Tally } from "./fuzzer.ts";
import { requestStream as memcachedStream } from "./memcached-streams.ts";
import { requestStream as redisStream } from "./redis-streams.ts";
import type { ReadOne } from "./reference.ts";
import { readMemcachedReply, readMemcachedRequest } from "./reference-memcached.ts";
import { readRedisRequest } from "./reference-redis-request.ts";
import { readRedisReply } from "./reference-redis-response.ts";

const CHECKS =
  "a good client beside is never disturbed; each request has one whole reply; nothing is left";

export const CLIENT_CONNECTION_FUZZERS: readonly Fuzzer[] = [
  {
    name: "redis-connection",
    feeds: "damaged streams of requests to a proxy with two redis-servers",
    checks: CHECKS,
    smokeRuns: 40,
    keptBytesMax: null,
    start: () => ClientTarget.start(REDIS_SIDE),
  },
  {
    name: "memcached-connection",
    feeds: "damaged streams of requests to a proxy with two memcacheds",
    checks: CHECKS,
    smokeRuns: 40,
    keptBytesMax: null,
    start: () => ClientTarget.start(MEMCACHED_SIDE),
  },
];

const GOOD_KEYS = 20;

/** What the two protocols differ in. */
interface Side {
  readonly isRedis: boolean;
  readonly startServers: () => Promise<ServerProcess[]>;
  readonly make: (random: SeededRandom) => Buffer;
  readonly store: (key: string) => Expectation;
  readonly ask: (keys: readonly string[]) => Expectation;
  readonly readRequest: ReadOne;
  readonly readReply: ReadOne;
  /** Requests after which the number of replies is another. */
  readonly uncounted: RegExp;
}

const REDIS_SIDE: Side = {
  isRedis: true,
  // No command may take hundreds of megabytes because of a damaged number.
  startServers: () => RedisServer.startMany(2, { args: ["--proto-max-bulk-len", "1mb"] }),
  make: redisStream,
  store: (key) => ({
    request: `*3\r\n$3\r\nSET\r\n${bulk(key)}${bulk(goodValue(key))}`,
    reply: "+OK\r\n",
  }),
  ask: (keys) => ({
    request: `*${keys.length + 1}\r\n$4\r\nMGET\r\n${keys.map(bulk).join("")}`,
    reply: `*${keys.length}\r\n${keys.map((key) => bulk(goodValue(key))).join("")}`,
  }),
  readRequest: readRedisRequest,
  readReply: readRedisReply,
  // A client that leaves while its request may block (BLPOP, BZMPOP, XREAD BLOCK) gets no reply.
  uncounted: /quit|reset|client|\bb[lrz]|block/i,
};

const MEMCACHED_SIDE: Side = {
  isRedis: false,
  startServers: () => MemcachedServer.startMany(2),
  make: memcachedStream,
  store: (key) => ({
    request: `set ${key} 0 0 ${goodValue(key).length}\r\n${goodValue(key)}\r\n`,
    reply: "STORED\r\n",
  }),
  ask: (keys) => ({
    request: `get ${keys.join(" ")}\r\n`,
    reply: `${keys.map(memcachedValue).join("")}END\r\n`,
  }),
  readRequest: readMemcachedRequest,
  readReply: readMemcachedReply,
  uncounted: /quit|stats/,
};

function memcachedValue(key: string): string {
  return `VALUE ${key} 0 ${goodValue(key).length}\r\n${goodValue(key)}\r\n`;
}

class ClientTarget implements FuzzTarget {
  readonly make: (random: SeededRandom) => Buffer;
  readonly #side: Side;
  readonly #servers: readonly ServerProcess[];
  readonly #proxy: Proxy;
  readonly #good: GoodClient;
  readonly #tally = new Tally();

  private constructor(
    side: Side,
    servers: readonly ServerProcess[],
    proxy: Proxy,
    good: GoodClient,
  ) {
    this.make = side.make;
    this.#side = side;
    this.#servers = servers;
    this.#proxy = proxy;
    this.#good = good;
  }

  static async start(side: Side): Promise<ClientTarget> {
    const servers = await side.startServers();
    const items = servers.map((server, index) => `${server.item}:1 s${index}`);
    const proxy = await Proxy.start({
      args: ["-m", "512"],
      pools: { alpha: { servers: items, redis: side.isRedis } },
    });
    const client = await proxy.connect();
    let turn = 0;
    const stores = Array.from({ length: GOOD_KEYS }, (_, i) => side.store(goodKey(i)));
    const good = new GoodClient(client, () => {
      turn++;
      if (turn <= GOOD_KEYS) return stores[turn - 1]!;
      const keys = Array.from({ length: 1 + (turn % 4) }, (_, i) =>
        goodKey((turn + i) % GOOD_KEYS),
      );
      return side.ask(keys);
    });
    while (turn < GOOD_KEYS) await good.during(async () => {});
    return new ClientTarget(side, servers, proxy, good);
  }

  async check(input: Buffer, random: SeededRandom): Promise<void> {
    await this.#good.during(async () => {
      const client = await this.#proxy.connect();
      const text = await converse(client, input, random);
      this.#checkReplies(input, text);
    });
  }

  tally(): string {
    return `${this.#tally}, rounds of the good client ${this.#good.rounds}`;
  }

  async finish(): Promise<void> {
    this.#good.close();
    try {
      await expectIdle(this.#proxy);
    } finally {
      await this.#proxy[Symbol.asyncDispose]();
      await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
    }
  }

  /** As many replies as there are requests, and nothing else. */
  #checkReplies(input: Buffer, text: string): void {
    const { readReply, uncounted } = this.#side;
    const stream = input.toString("latin1");
    if (uncounted.test(stream)) return this.#tally.add("uncounted");
    const replies = splitReplies(text, readReply);
    const [least, most] = this.#countExpected(stream);
    this.#tally.add("replies", replies.length);
    const isRight = replies.length >= least && replies.length <= most;
    ensure(isRight, () => {
      const shown = escaped(Buffer.from(text, "latin1"));
      return `${replies.length} replies to ${least} to ${most} requests: ${shown}`;
    });
  }

  /** How many replies there must be at least, and may be at most. */
  #countExpected(stream: string): [number, number] {
    let least = 0;
    let most = 0;
    for (let at = 0; at < stream.length;) {
      const { status, end, marks } = this.#side.readRequest(stream, at);
      if (status === ParseStatus.Invalid) return [least + 1, most + 1];
      if (end < 0) return [least, most + 1];
      at = end;
      if (status === ParseStatus.Nothing) continue;
      const [route, isSilent = 0, filter = 0] = marks as [number, number, number];
      if (!this.#side.isRedis && route !== Route.Refuse && isSilent === 1) continue;
      most++;
      // A quiet request may have no reply.
      if (this.#side.isRedis || route === Route.Refuse || filter === 0) least++;
    }
    return [least, most];
  }
}
