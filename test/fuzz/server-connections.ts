/**
 * Fuzzers of connections to servers: one server answers whatever it is told, the other is real.
 *
 *   client --> proxy --> real server                 its values must be right at all times
 *                   \--> hostile server              each of its requests has one whole reply
 */
import { hashFunction } from "../../src/hash/hashes.ts";
import { Router } from "../../src/routing/router.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
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
import { LineServer } from "./line-server.ts";
import { replyStream as memcachedReplies } from "./memcached-streams.ts";
import { replyStream as redisReplies } from "./redis-streams.ts";
import type { ReadOne } from "./reference.ts";
import { readMemcachedReply } from "./reference-memcached.ts";
import { readRedisReply } from "./reference-redis-response.ts";

const CHECKS =
  "values of the other server are right; each request has one whole reply; nothing is left";

export const SERVER_CONNECTION_FUZZERS: readonly Fuzzer[] = [
  {
    name: "redis-server-connection",
    feeds: "damaged replies from one server of a pool; the other is a redis-server",
    checks: CHECKS,
    smokeRuns: 40,
    keptBytesMax: null,
    start: () => ServerTarget.start(REDIS_SIDE),
  },
  {
    name: "memcached-server-connection",
    feeds: "damaged replies from one server of a pool; the other is a memcached",
    checks: CHECKS,
    smokeRuns: 40,
    keptBytesMax: null,
    start: () => ServerTarget.start(MEMCACHED_SIDE),
  },
];

/** Far more than the real server ever takes; a request that waits for ever costs so much. */
const TIMEOUT_MS = 3000;
/** Nearly always a close follows, so that a run is short. */
const CLOSE_CHANCE = 0.998;
/** From this size on a reply is handed on as it comes, and can only be cut off. */
const STREAMED_BYTES = 64 * 1024;
const KEYS_EACH = 8;
const HANDSHAKE_OK = Buffer.from("+OK\r\n");

/** What answers for the hostile server. */
interface Answer {
  write(bytes: Uint8Array): void;
  finish(): void;
}

interface Hostile extends Disposable {
  readonly item: string;
}

interface Side {
  readonly startReal: () => Promise<ServerProcess>;
  readonly startHostile: (onRequest: (answer: Answer, isHandshake: boolean) => void) => Hostile;
  /** More keys of the pool. */
  readonly pool: { readonly redis: boolean; readonly redis_db?: number };
  readonly make: (random: SeededRandom) => Buffer;
  readonly store: (key: string) => Expectation;
  readonly ask: (keys: readonly string[]) => Expectation;
  /** The value of a key as it stands in a reply. */
  readonly value: (key: string) => string;
  readonly readReply: ReadOne;
}

const REDIS_SIDE: Side = {
  startReal: () => RedisServer.start(),
  startHostile: (onRequest) =>
    ScriptedServer.start((peer, args) => onRequest(peer, args[0] === "SELECT")),
  // Each connection begins with a handshake, so that its replies are among those damaged.
  pool: { redis: true, redis_db: 2 },
  make: redisReplies,
  store: (key) => ({
    request: `*3\r\n$3\r\nSET\r\n${bulk(key)}${bulk(goodValue(key))}`,
    reply: "+OK\r\n",
  }),
  ask: (keys) =>
    keys.length === 1
      ? { request: `*2\r\n$3\r\nGET\r\n${bulk(keys[0]!)}`, reply: bulk(goodValue(keys[0]!)) }
      : {
          request: `*${keys.length + 1}\r\n$4\r\nMGET\r\n${keys.map(bulk).join("")}`,
          reply: `*${keys.length}\r\n${keys.map((key) => bulk(goodValue(key))).join("")}`,
        },
  value: (key) => bulk(goodValue(key)),
  readReply: readRedisReply,
};

const MEMCACHED_SIDE: Side = {
  startReal: () => MemcachedServer.start(),
  startHostile: (onRequest) => new LineServer((peer) => onRequest(peer, false)),
  pool: { redis: false },
  make: memcachedReplies,
  store: (key) => ({
    request: `set ${key} 0 0 ${goodValue(key).length}\r\n${goodValue(key)}\r\n`,
    reply: "STORED\r\n",
  }),
  ask: (keys) => ({
    request: `get ${keys.join(" ")}\r\n`,
    reply: `${keys.map(memcachedValue).join("")}END\r\n`,
  }),
  value: memcachedValue,
  readReply: readMemcachedReply,
};

function memcachedValue(key: string): string {
  return `VALUE ${key} 0 ${goodValue(key).length}\r\n${goodValue(key)}\r\n`;
}

/** A request of the fuzzed client; `good` are its keys on the real server. */
interface Asked {
  readonly request: string;
  readonly good: readonly string[];
  /** The whole reply, if all keys are on the real server. */
  readonly reply: string | null;
}

class ServerTarget implements FuzzTarget {
  readonly make: (random: SeededRandom) => Buffer;
  readonly #side: Side;
  readonly #tally = new Tally();
  readonly #goodKeys: string[] = [];
  readonly #badKeys: string[] = [];
  #real!: ServerProcess;
  #hostile!: Hostile;
  #proxy!: Proxy;
  #good!: GoodClient;
  /** How the next request of the hostile server is answered. */
  #script: (answer: Answer) => void = () => {};
  #spoilsHandshake = false;

  private constructor(side: Side) {
    this.#side = side;
    this.make = side.make;
  }

  static async start(side: Side): Promise<ServerTarget> {
    const target = new ServerTarget(side);
    await target.#start();
    return target;
  }

  async #start(): Promise<void> {
    const side = this.#side;
    this.#findKeys();
    this.#real = await side.startReal();
    this.#hostile = side.startHostile((answer, isHandshake) => {
      if (isHandshake && !this.#spoilsHandshake) answer.write(HANDSHAKE_OK);
      else this.#script(answer);
    });
    const servers = [`${this.#real.item}:1 s0`, `${this.#hostile.item}:1 s1`];
    this.#proxy = await Proxy.start({
      args: ["-m", "512"],
      pools: { alpha: { servers, timeout: TIMEOUT_MS, ...side.pool } },
    });
    let turn = 0;
    this.#good = new GoodClient(await this.#proxy.connect(), () => {
      turn++;
      if (turn <= KEYS_EACH) return side.store(this.#goodKeys[turn - 1]!);
      return side.ask([this.#goodKeys[turn % KEYS_EACH]!]);
    });
    while (turn < KEYS_EACH) await this.#good.during(async () => {});
  }

  /** Which server a key is on follows from the names of the servers. */
  #findKeys(): void {
    const router = new Router({
      hash: hashFunction("fnv1a_64"),
      distribution: "ketama",
      hashTag: null,
      servers: [
        { name: "s0", weight: 1 },
        { name: "s1", weight: 1 },
      ],
    });
    for (let i = 0; this.#goodKeys.length < KEYS_EACH || this.#badKeys.length < KEYS_EACH; i++) {
      const key = Buffer.from(goodKey(i));
      const isReal = router.serverIndexOf(key, 0, key.length) === 0;
      const keys = isReal ? this.#goodKeys : this.#badKeys;
      if (keys.length < KEYS_EACH) keys.push(goodKey(i));
    }
  }

  async check(input: Buffer, random: SeededRandom): Promise<void> {
    const pieces = input.length === 0 ? [] : random.cut(input, random.pick([1, 4]));
    const closes = random.chance(CLOSE_CHANCE);
    this.#spoilsHandshake = random.chance(0.2);
    this.#script = (answer) => {
      this.#script = (next) => {
        if (closes) next.finish();
      };
      for (const piece of pieces) answer.write(piece);
      if (closes) setTimeout(() => answer.finish(), 2);
    };
    const asked = Array.from({ length: random.between(1, 8) }, () => this.#ask(random));
    await this.#good.during(async () => {
      const client = await this.#proxy.connect();
      const bytes = Buffer.from(asked.map(({ request }) => request).join(""), "latin1");
      this.#checkReplies(await converse(client, bytes, random), asked, input);
    });
  }

  /** A request for keys of one server, or of both. */
  #ask(random: SeededRandom): Asked {
    const kind = random.integer(3);
    const good = kind === 0 ? [] : [random.pick(this.#goodKeys)];
    const bad = kind === 1 ? [] : [random.pick(this.#badKeys)];
    const { request, reply } = this.#side.ask([...bad, ...good]);
    return { request, good, reply: bad.length === 0 ? reply : null };
  }

  #checkReplies(text: string, asked: readonly Asked[], input: Buffer): void {
    const isCutOff = input.length >= STREAMED_BYTES;
    if (isCutOff) return this.#tally.add("streamed");
    const replies = splitReplies(text, this.#side.readReply);
    const shown = () => escaped(Buffer.from(text, "latin1"));
    ensure(
      replies.length === asked.length,
      () => `${replies.length} replies to ${asked.length} requests: ${shown()}`,
    );
    for (const [i, { good, reply }] of asked.entries()) {
      const read = replies[i]!;
      const isError = /^(?:-|ERROR|CLIENT_ERROR|SERVER_ERROR)/.test(read);
      this.#tally.add(isError ? "errors" : "replies");
      if (reply !== null) ensure(read === reply, () => `reply ${i} is wrong: ${shown()}`);
      else if (good.length > 0 && !isError) {
        const isThere = read.includes(this.#side.value(good[0]!));
        ensure(isThere, () => `reply ${i} is without ${good[0]}: ${shown()}`);
      }
    }
  }

  tally(): string {
    return `${this.#tally}, rounds of the good client ${this.#good.rounds}`;
  }

  async finish(): Promise<void> {
    this.#good.close();
    try {
      await expectIdle(this.#proxy);
    } finally {
      this.#hostile[Symbol.dispose]();
      await this.#proxy[Symbol.asyncDispose]();
      await this.#real[Symbol.asyncDispose]();
    }
  }
}
