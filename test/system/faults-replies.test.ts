/**
 * Replies that are none, or that nobody asked for: the connection they came on is closed, and no
 * client is answered with them.
 *
 * What can be known: replies have no names, only an order. A well-formed reply too many is told
 * from a right one when nothing waits for a reply, and only then. Between two requests in flight it
 * shifts the replies behind it, in any proxy that shares or pipelines a connection, until the
 * connection runs dry: the last reply is then the one too many. Hence the last test here holds
 * that this ends, and stays with that server.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { FAULT_PROTOCOLS } from "../support/fault-protocols.ts";
import { FaultyPool } from "../support/faulty-pool.ts";
import { DIALECTS } from "../support/load-dialects.ts";
import type { DialectName } from "../support/load-dialects.ts";
import type { RawClient } from "../support/raw-client.ts";
import { SeededRandom, withSeed } from "../support/seeded-random.ts";

/** Sent while nothing is in flight. */
const UNASKED: Readonly<Record<DialectName, readonly string[]>> = {
  redis: [
    "+EXTRA\r\n",
    "+OK\r\n+OK\r\n",
    "$-1\r\n",
    "-ERR out of nowhere\r\n",
    "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    "HTTP/1.1 200 OK\r\n",
    "\0",
  ],
  memcached: [
    "END\r\n",
    "STORED\r\nSTORED\r\n",
    "ERROR\r\n",
    "SERVER_ERROR out of nowhere\r\n",
    "VALUE a 0 1\r\nb\r\nEND\r\n",
    "HTTP/1.1 200 OK\r\n",
    "\r\n",
  ],
};

/** The same, but the rest of the reply never comes: the next reply must not be taken for it. */
const UNASKED_PARTS: Readonly<Record<DialectName, readonly string[]>> = {
  redis: ["+EXT", "$5\r\nhel", "*2\r\n$1\r\na\r\n", "$"],
  memcached: ["EN", "VALUE a 0 1\r\n", "VALUE a 0 1\r\nb\r\n", "VA", "x"],
};

describe.each(["redis", "memcached"] as const)("%s", (dialectName) => {
  const dialect = DIALECTS[dialectName];
  let pool: FaultyPool;
  let client: RawClient;

  beforeAll(async () => {
    pool = await FaultyPool.start(dialectName, { pool: { timeout: 2000 } });
    client = await pool.connect();
  });

  afterAll(async () => {
    client?.close();
    await pool?.expectNothingLeft();
    await pool?.[Symbol.asyncDispose]();
  });

  async function expectValues(keys: readonly string[]): Promise<void> {
    void client.send(keys.map((key) => dialect.get([key])).join(""));
    for (const key of keys) {
      const reply = await dialect.readReply(client);
      expect(reply).toContain(`${key}=`);
      expect(dialect.isValues(reply, [key])).toBe(true);
    }
  }

  async function expectUnaskedIsNoticed(bytes: string): Promise<void> {
    const [key = "", other = ""] = pool.keys[0] ?? [];
    await expectValues([key]);
    const { connections } = pool.faults.counts;
    const errors = (await pool.proxy.serverStats("s0"))["server_err"] ?? 0;
    pool.faults.inject(bytes);
    await eventually(() => pool.faults.openConnections === 0, {
      what: "the connection is closed",
      deadlineMs: 2000,
    });
    await expectValues([other, key, pool.keyOf(1), other, pool.keyOf(2)]);
    expect(pool.faults.counts.connections).toBe(connections + 1);
    expect(await pool.proxy.serverStats("s0")).toMatchObject({ server_err: errors + 1 });
  }

  test.each(UNASKED[dialectName])("unasked: %j", expectUnaskedIsNoticed);

  test.each(UNASKED_PARTS[dialectName])("a part, unasked: %j", expectUnaskedIsNoticed);

  test.each(["extraReply", "duplicate"] as const)(
    "%s behind the only reply that is waited for",
    async (kind) => {
      for (const key of (pool.keys[0] ?? []).slice(0, 5)) {
        await expectValues([key]);
        pool.faults.set({ kind });
        // In the same read as the reply, which is right.
        await expectValues([key]);
        await eventually(() => pool.faults.openConnections === 0);
        pool.faults.set({ kind: "none" });
        await expectValues([pool.keyOf(0), pool.keyOf(1)]);
      }
    },
  );

  test("garbage of any kind instead of a reply, with others behind it", () =>
    withSeed(async (random) => {
      const keys = (pool.keys[0] ?? []).slice(0, 6);
      for (let run = 0; run < 40; run++) {
        await expectValues([pool.keyOf(0)]);
        const { garbage } = FAULT_PROTOCOLS[dialectName];
        const bytes = garbage(new SeededRandom(random.next()));
        pool.faults.set({ kind: "garbage", bytes });
        void client.send(keys.map((key) => dialect.get([key])).join(""));
        for (const _ of keys) {
          const reply = await dialect.readReply(client);
          expect(dialect.isError(reply), `${reply} after ${JSON.stringify(bytes)}`).toBe(true);
        }
        await eventually(() => pool.faults.openConnections === 0);
        pool.faults.set({ kind: "none" });
      }
      await pool.expectAllWell();
    }));

  test("replies too many under load shift those of their server only, and not for ever", async () => {
    await using load = pool.load({ mayShift: true });
    await load.counted("faulty", 20);
    pool.faults.set({ kind: "extraReply", chance: 0.02 });
    await load.counted("shifts", 3);
    await load.counted("healthy", 200);
    pool.faults.set({ kind: "none" });
    await eventually(
      async () => {
        const { shifts } = load.counts;
        await load.counted("faulty", 150);
        return load.counts.shifts === shifts;
      },
      { what: "the connection runs dry and is replaced", deadlineMs: 10_000 },
    );
    await load.stop();
    expect(load.wrong).toEqual([]);
    await pool.expectAllWell();
  }, 30_000);
});
