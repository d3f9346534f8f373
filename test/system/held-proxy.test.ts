/**
 * The proxy itself is held up, as by a machine that is short of processors or moved while it runs:
 * replies that came meanwhile have come in time, whatever the clock says when it goes on.
 */
import { expect, test } from "bun:test";
import { FaultyPool } from "../support/faulty-pool.ts";

const TIMEOUT_MS = 1000;
const ROUNDS = 2;

test.each(["redis", "memcached"] as const)(
  "%s: replies lie unread beyond `timeout`",
  async (name) => {
    await using pool = await FaultyPool.start(name, { pool: { timeout: TIMEOUT_MS } });
    await using load = pool.load({ healthy: pool.keys.flat(), faulty: [] });
    for (let round = 0; round < ROUNDS; round++) {
      await load.counted("healthy", 100);
      pool.proxy.signal("SIGSTOP");
      await Bun.sleep(2 * TIMEOUT_MS);
      pool.proxy.signal("SIGCONT");
    }
    await load.counted("healthy", 100);
    await load.stop();
    expect(load.wrong).toEqual([]);
    // Requests that are never answered still are given up.
    pool.faults.set({ kind: "stall" });
    await using late = pool.load();
    await late.counted("errors", 1);
    pool.faults.set({ kind: "none" });
    await late.counted("faulty", 20);
    await late.stop();
    expect(late.wrong).toEqual([]);
  },
  20_000,
);
