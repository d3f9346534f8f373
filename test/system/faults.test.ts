/**
 * A server behind every fault that networks and broken servers have, under load whose every reply
 * is judged: keys of other servers are answered all along, keys of that server are right or an
 * error, and all is well again afterwards.
 *
 * Replies too many, and what can be known of them, are in faults-replies.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Fault } from "../support/fault-proxy.ts";
import { FaultyPool } from "../support/faulty-pool.ts";
import { isLarge } from "../support/load-dialects.ts";
import { chooseSeed } from "../support/seeded-random.ts";

/** What keys of the server in trouble are answered: errors only, or some of each. */
type Answers = "errors" | "both";

const HARMS: readonly (readonly [string, Fault, Answers])[] = [
  ["refuse", { kind: "refuse" }, "errors"],
  ["accept and close", { kind: "acceptAndClose" }, "errors"],
  ["stall", { kind: "stall" }, "errors"],
  ["delay beyond the timeout", { kind: "delay", ms: 1600 }, "errors"],
  ["reset at once", { kind: "reset", place: "at once" }, "errors"],
  ["reset instead of some replies", { kind: "reset", place: "instead", chance: 0.2 }, "both"],
  ["reset inside of some replies", { kind: "reset", chance: 0.2 }, "both"],
  ["reset inside of every reply", { kind: "reset" }, "errors"],
  ["half-close at once", { kind: "halfClose", place: "at once" }, "errors"],
  ["half-close instead of some", { kind: "halfClose", place: "instead", chance: 0.2 }, "both"],
  ["half-close inside of some", { kind: "halfClose", chance: 0.2 }, "both"],
  ["truncate some replies", { kind: "truncate", chance: 0.2 }, "both"],
  ["truncate every reply", { kind: "truncate" }, "errors"],
  ["blackhole at once", { kind: "blackhole", place: "at once" }, "errors"],
  ["blackhole instead of some", { kind: "blackhole", place: "instead", chance: 0.02 }, "both"],
  ["blackhole inside of some", { kind: "blackhole", chance: 0.02 }, "both"],
  ["garbage instead of some", { kind: "garbage", chance: 0.2 }, "both"],
  ["garbage instead of every reply", { kind: "garbage" }, "errors"],
];

const PACES: readonly (readonly [string, Fault])[] = [
  ["delay", { kind: "delay", ms: 15, jitterMs: 10 }],
  ["slow", { kind: "slow", bytesPerSecond: 200_000 }],
  ["byte by byte", { kind: "byteByByte" }],
  ["three bytes at a time", { kind: "byteByByte", sizeMax: 3 }],
];

const seed = chooseSeed();

describe.each(["redis", "memcached"] as const)("%s", (dialect) => {
  let pool: FaultyPool;

  beforeAll(async () => {
    pool = await FaultyPool.start(dialect, { seed });
  });

  afterAll(async () => {
    await pool?.[Symbol.asyncDispose]();
  });

  test.each(HARMS)(
    "%s",
    async (_, fault, answers) => {
      await using load = pool.load();
      await load.counted("faulty", 10);
      pool.faults.set(fault);
      await load.counted("errors", 6);
      if (answers === "both") await load.counted("faulty", 20);
      await load.counted("healthy", 200);
      pool.faults.set({ kind: "none" });
      await load.counted("faulty", 100);
      await load.stop();
      expect(load.wrong, `NUTCRACKER_SEED=${seed}`).toEqual([]);
      await pool.expectAllWell();
      await pool.expectNothingLeft();
    },
    30_000,
  );
});

describe.each(["redis", "memcached"] as const)("%s, only slow: every reply is right", (dialect) => {
  let pool: FaultyPool;

  beforeAll(async () => {
    pool = await FaultyPool.start(dialect, { seed, pool: { timeout: 0 } });
  });

  afterAll(async () => {
    await pool?.[Symbol.asyncDispose]();
  });

  test.each(PACES)(
    "%s",
    async (_, fault) => {
      const [faulty = [], ...healthy] = pool.keys.map((keys) =>
        keys.filter((key) => !isLarge(key)),
      );
      await using load = pool.load({ faulty, healthy: healthy.flat() });
      pool.faults.set(fault);
      await load.counted("faulty", 60);
      await load.counted("healthy", 200);
      pool.faults.set({ kind: "none" });
      await load.counted("faulty", 100);
      await load.stop();
      expect(load.wrong, `NUTCRACKER_SEED=${seed}`).toEqual([]);
      expect(load.counts.errors).toBe(0);
      await pool.expectNothingLeft();
    },
    30_000,
  );
});
