/**
 * Clients that nobody should trust, beside load whose every reply is judged: such a client ends its
 * own connection at most. Nobody else notices, connections to servers included.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { requestStream as memcachedStream } from "../fuzz/memcached-streams.ts";
import { requestStream as redisStream } from "../fuzz/redis-streams.ts";
import { socketCount } from "../process/worker-family.ts";
import { eventually } from "../support/eventually.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import type { Fault } from "../support/fault-proxy.ts";
import { FaultyPool } from "../support/faulty-pool.ts";
import { DIALECTS, loadValue } from "../support/load-dialects.ts";
import { RawClient } from "../support/raw-client.ts";
import { SeededRandom, withSeed } from "../support/seeded-random.ts";
import type { VerifiedLoad } from "../support/verified-load.ts";

const VISITORS = 8;
const VISITS = 25;
const STORM_CONNECTIONS = 2000;
const STORM_AT_A_TIME = 100;
const STREAMS = 1200;
const PATIENCE_MS = 15_000;
const A_WHILE_MS = 30;

/** A stream of requests, damaged or not, and bytes of protocols that are not spoken here. */
const STREAM_OF = { redis: redisStream, memcached: memcachedStream } as const;
const FOREIGN = [
  "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "\x80\x01\0\x03\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0key",
  "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
  "*1\r\n$4294967295\r\n",
  "set k 0 0 4294967295\r\n",
  "\0".repeat(5000),
  "x".repeat(100_000),
  "*1000000\r\n".repeat(100),
  "get ".repeat(5000),
];

describe.each(["redis", "memcached"] as const)("%s", (dialectName) => {
  const dialect = DIALECTS[dialectName];
  let pool: FaultyPool;
  let load: VerifiedLoad;

  beforeAll(async () => {
    pool = await FaultyPool.start(dialectName, { pool: { timeout: 0 } });
  });

  afterAll(async () => {
    await pool?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    load = pool.load({ healthy: pool.keys.flat(), faulty: [], clients: 4 });
    await load.counted("healthy", 50);
  });

  afterEach(async () => {
    await load.counted("healthy", 50);
    await load.stop();
    expect(load.wrong).toEqual([]);
    await pool.expectNothingLeft();
  });

  /** The shared connection of each server is the one it was. */
  async function expectSameConnections(): Promise<void> {
    for (const server of ["s0", "s1", "s2"]) {
      const fine = { server_eof: 0, server_err: 0, server_timedout: 0, server_connections: 1 };
      expect(await pool.proxy.serverStats(server)).toMatchObject(fine);
    }
  }

  async function acceptedConnections(): Promise<number> {
    return Number((await pool.proxy.stats())["total_connections"]);
  }

  /** Requests for all keys, some of which have replies that are handed on as they come. */
  function someRequests(random: SeededRandom): { bytes: string; keys: string[] } {
    const all = pool.keys.flat();
    const keys = Array.from({ length: random.between(1, 12) }, () => random.pick(all));
    return { bytes: keys.map((key) => dialect.get([key])).join(""), keys };
  }

  const PACES: readonly (readonly [string, Fault])[] = [
    ["one byte at a time", { kind: "byteByByte" }],
    ["seven bytes at a time", { kind: "byteByByte", sizeMax: 7 }],
    ["slowly, after a long while", { kind: "slow", bytesPerSecond: 500_000 }],
    ["late", { kind: "delay", ms: 20, jitterMs: 30 }],
  ];
  test.each(PACES)(
    "writes and reads %s",
    async (_, fault) => {
      await using between = FaultProxy.start(pool.proxy.port(), { protocol: dialectName });
      between.set(fault);
      const isOfBytes = fault.kind === "byteByByte";
      await withSeed(async (random) => {
        const visitors = Array.from({ length: 4 }, async () => {
          const client = await RawClient.connect(between.port);
          client.deadlineMs = PATIENCE_MS;
          const { keys } = someRequests(random);
          for (const key of keys.filter((one) => !isOfBytes || loadValue(one).length < 100)) {
            void client.send(dialect.set(key) + dialect.get([key]));
            expect(await dialect.readReply(client)).toBe(dialect.stored);
            const reply = await dialect.readReply(client);
            expect(reply).toContain(`${key}=`);
            expect(dialect.isValues(reply, [key])).toBe(true);
          }
          client.close();
        });
        await Promise.all(visitors);
      });
      await expectSameConnections();
    },
    30_000,
  );

  test(
    "leaves in the middle of requests and of replies",
    () =>
      withSeed(async (random) => {
        const visit = async () => {
          const client = await pool.connect();
          client.deadlineMs = A_WHILE_MS;
          const { bytes } = someRequests(random);
          const [piece = ""] = random.cut(Buffer.from(bytes), 3);
          await client.send(random.chance(0.5) ? bytes : piece);
          const kind = random.integer(4);
          // Some read a part of the replies, which are many times larger than the requests.
          if (kind === 0) client.pause();
          if (kind === 1 && bytes.length > piece.length) await client.readLine().catch(() => "");
          if (random.chance(0.5)) await Bun.sleep(random.integer(5));
          if (random.chance(0.2)) client.halfClose();
          if (random.chance(0.5)) client.reset();
          else client.close();
        };
        const visitors = Array.from({ length: VISITORS }, async () => {
          for (let count = 0; count < VISITS; count++) await visit();
        });
        await Promise.all(visitors);
        await expectSameConnections();
      }),
    30_000,
  );

  test(
    "a storm of connections; its descriptors come back",
    () =>
      withSeed(async (random) => {
        const before = socketCount(pool.proxy.pid);
        const accepted = await acceptedConnections();
        let left = STORM_CONNECTIONS;
        const gusts = Array.from({ length: STORM_AT_A_TIME }, async () => {
          while (left-- > 0) {
            const client = await pool.connect();
            const kind = random.integer(4);
            if (kind === 1) void client.send(someRequests(random).bytes.slice(0, 40));
            if (kind === 2) void client.send(dialect.get([pool.keyOf(0)]));
            if (kind === 3) {
              void client.send(dialect.get([pool.keyOf(1)]));
              const reply = await dialect.readReply(client);
              expect(dialect.isValues(reply, [pool.keyOf(1)])).toBe(true);
            }
            if (random.chance(0.5)) client.reset();
            else client.close();
          }
        });
        await Promise.all(gusts);
        await eventually(() => socketCount(pool.proxy.pid) <= before, {
          what: "the storm leaves no descriptor open",
        });
        expect(await acceptedConnections()).toBeGreaterThanOrEqual(accepted + STORM_CONNECTIONS);
        await expectSameConnections();
      }),
    30_000,
  );

  test(
    "sends any bytes",
    () =>
      withSeed(async (random) => {
        let left = STREAMS;
        const visitors = Array.from({ length: VISITORS }, async () => {
          while (left-- > 0) {
            const client = await pool.connect();
            const bytes = random.chance(0.7)
              ? STREAM_OF[dialectName](random)
              : random.chance(0.5)
                ? Buffer.from(random.pick(FOREIGN), "latin1")
                : random.bytes(random.between(1, 3000));
            for (const piece of random.cut(bytes, 4)) await client.send(piece);
            if (random.chance(0.3)) client.halfClose();
            if (random.chance(0.3)) await Bun.sleep(random.integer(3));
            client.close();
          }
        });
        await Promise.all(visitors);
      }),
    30_000,
  );
});
