/**
 * Servers that are killed, held and restarted under load whose every reply is judged; and faults of
 * every kind one after the other, as chance has it, with and without ejection.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FAULT_KINDS } from "../support/fault-proxy.ts";
import type { Fault, Place } from "../support/fault-proxy.ts";
import { FaultyPool } from "../support/faulty-pool.ts";
import { DIALECTS } from "../support/load-dialects.ts";
import { withSeed } from "../support/seeded-random.ts";
import type { SeededRandom } from "../support/seeded-random.ts";

const ROUNDS = 2;
const RANDOM_FAULTS = 8;

/** Far beyond `timeout: 1000`: what takes longer hangs. */
const ERROR_DEADLINE_MS = 4000;

describe.each(["redis", "memcached"] as const)("%s", (dialect) => {
  let pool: FaultyPool;

  beforeAll(async () => {
    pool = await FaultyPool.start(dialect);
  });

  afterAll(async () => {
    await pool?.[Symbol.asyncDispose]();
  });

  test.each(["kill", "stop"] as const)(
    "%s, and started again",
    async (end) => {
      await using load = pool.load();
      for (let round = 0; round < ROUNDS; round++) {
        await load.counted("faulty", 50);
        await pool.server[end]();
        await load.counted("errors", 10);
        await load.counted("healthy", 100);
        await pool.server.restart();
      }
      await load.counted("faulty", 50);
      await load.stop();
      expect(load.wrong).toEqual([]);
      await pool.expectAllWell();
      await pool.expectNothingLeft();
    },
    30_000,
  );

  test("held (SIGSTOP) and let go: late replies reach nobody", async () => {
    await using load = pool.load();
    for (let round = 0; round < ROUNDS; round++) {
      await load.counted("faulty", 50);
      pool.server.freeze();
      await expectErrorInTime(pool);
      await load.counted("healthy", 100);
      pool.server.thaw();
    }
    await load.counted("faulty", 100);
    await load.stop();
    expect(load.wrong).toEqual([]);
    await pool.expectAllWell();
    await pool.expectNothingLeft();
  }, 30_000);
});

const EJECTION = { auto_eject_hosts: true, server_failure_limit: 2, server_retry_timeout: 60 };

describe.each(["redis", "memcached"] as const)("%s, faults as chance has it", (dialect) => {
  test.each([
    ["one connection", {}],
    ["several connections, and ejection", { ...EJECTION, server_connections: 4 }],
    ["ejection without rehashing", { ...EJECTION, eject_policy: "fail_fast" }],
  ] as const)(
    "%s",
    (_, settings) =>
      withSeed(async (random) => {
        await using pool = await FaultyPool.start(dialect, { pool: settings, seed: random.next() });
        await using load = pool.load({ seed: random.next() });
        for (let count = 0; count < RANDOM_FAULTS && load.wrong.length === 0; count++) {
          const healthy = load.counted("healthy", 20);
          pool.faults.set(randomFault(random));
          await Promise.all([healthy, Bun.sleep(random.integer(100))]);
          if (random.chance(0.3)) pool.faults.set({ kind: "none" });
        }
        pool.faults.set({ kind: "none" });
        await load.counted("faulty", 100);
        await load.stop();
        expect(load.wrong).toEqual([]);
        expect(load.counts.errors).toBeGreaterThan(0);
        await pool.expectAllWell();
        await pool.expectNothingLeft();
      }),
    30_000,
  );
});

/** A key of the held server is answered, with an error; and not by another server. */
async function expectErrorInTime(pool: FaultyPool): Promise<void> {
  const dialect = DIALECTS[pool.dialect];
  const client = await pool.connect();
  client.deadlineMs = ERROR_DEADLINE_MS;
  void client.send(dialect.get([pool.keyOf(0)]) + dialect.get([pool.keyOf(1)]));
  expect(dialect.isError(await dialect.readReply(client))).toBe(true);
  expect(dialect.isValues(await dialect.readReply(client), [pool.keyOf(1)])).toBe(true);
  client.close();
}

/** Any fault of which the damage can be known: no well-formed reply too many. */
function randomFault(random: SeededRandom): Fault {
  const kinds = FAULT_KINDS.filter((kind) => kind !== "extraReply" && kind !== "duplicate");
  const place: Place = random.pick(["at once", "instead", "middle"]);
  return {
    kind: random.pick(kinds),
    place,
    chance: random.pick([0.01, 0.1, 1]),
    ms: random.integer(150),
    jitterMs: random.integer(50),
    bytesPerSecond: random.between(5000, 500_000),
    sizeMax: random.between(1, 100),
  } as Fault;
}
