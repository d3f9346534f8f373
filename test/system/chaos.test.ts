/**
 * Many clients of every kind, servers that are killed, frozen and restarted: every reply is right
 * or an error, nothing hangs, and when all is over nothing is left.
 *
 * Runs 15 s; NUTCRACKER_CHAOS_MS sets another time, NUTCRACKER_SEED repeats a run as far as the
 * order of events allows.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { nowMs } from "../../src/lib/clock.ts";
import { chaosSession } from "../support/chaos-client.ts";
import type { ChaosCounts } from "../support/chaos-client.ts";
import { eventually, eventuallyHolds } from "../support/eventually.ts";
import { RedisServer } from "../support/redis-server.ts";
import { Proxy } from "../support/run-proxy.ts";
import { SeededRandom, withSeed } from "../support/seeded-random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const RUN_MS = Number(process.env["NUTCRACKER_CHAOS_MS"] ?? 15_000);
const SESSIONS_AT_A_TIME = 16;
const POOLS = ["alpha", "beta", "gamma"] as const;

test(
  "every reply is right or an error, nothing hangs, nothing is left",
  () =>
    withSeed(async (random) => {
      const servers = [
        ...(await RedisServer.startMany(2)),
        await RedisServer.start({ unix: true }),
      ];
      const items = servers.map((server, index) => `${server.item}:1 s${index}`);
      await using proxy = await Proxy.start({
        args: ["-m", "512", "-v", "4"],
        pools: {
          alpha: { servers: items, timeout: 300 },
          beta: {
            servers: items,
            timeout: 300,
            server_connections: 3,
            auto_eject_hosts: true,
            server_failure_limit: 1,
            server_retry_timeout: 100,
            preconnect: true,
          },
          gamma: {
            listen: join(temporaryFolder("chaos"), "gamma.sock"),
            servers: items,
            timeout: 300,
            redis_db: 3,
            distribution: "modula",
            tcpkeepalive: true,
          },
        },
      });
      await eventually(async () => (await proxy.stats())["curr_connections"] === 6);
      const counts: ChaosCounts = { sessions: 0, replies: 0, errors: 0, values: 0, cuts: 0 };
      try {
        const endMs = nowMs() + RUN_MS;
        const isOver = () => nowMs() > endMs;
        await Promise.all([
          trouble(new SeededRandom(random.next()), servers, isOver),
          ...Array.from({ length: SESSIONS_AT_A_TIME }, () =>
            sessions(new SeededRandom(random.next()), proxy, counts, isOver),
          ),
        ]);
        expect(counts.sessions).toBeGreaterThan(SESSIONS_AT_A_TIME);
        expect(counts.values).toBeGreaterThan(counts.errors);
        expect(counts.errors).toBeGreaterThan(0);
        await expectNothingLeft(proxy, servers);
        await expectAllWell(proxy);
      } finally {
        await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      }
      expect(proxy.stderr).toBe("");
      expect(proxy.log).not.toContain("handler failed");
    }),
  RUN_MS + 60_000,
);

async function sessions(
  random: SeededRandom,
  proxy: Proxy,
  counts: ChaosCounts,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) await chaosSession(random, proxy.address(random.pick(POOLS)), counts);
}

/** One server at a time is in trouble; in the end all are well. */
async function trouble(
  random: SeededRandom,
  servers: readonly RedisServer[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const server = random.pick(servers);
    const kind = random.integer(5);
    if (kind === 0) {
      await server.kill();
      await Bun.sleep(random.integer(400));
      await server.restart();
    } else if (kind === 1) {
      server.freeze();
      await Bun.sleep(random.integer(900));
      server.thaw();
    } else if (kind === 2) {
      await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    } else if (kind === 3) {
      const sleeper = await server.connect();
      void sleeper.request("DEBUG", "SLEEP", "0.2");
      await Bun.sleep(250);
      sleeper.close();
    } else {
      await server.stop();
      await server.restart();
    }
    await Bun.sleep(random.integer(300));
  }
}

/** The gauges of all pools, with all clients gone and then with all servers gone. */
async function expectNothingLeft(proxy: Proxy, servers: readonly RedisServer[]): Promise<void> {
  await eventuallyHolds(
    async () => {
      const stats = await proxy.stats();
      let current = POOLS.length;
      for (const name of POOLS) {
        const { client_connections, ...pool } = stats[name] as Record<string, number>;
        expect(client_connections).toBe(0);
        for (const counters of Object.values(pool)) {
          if (typeof counters !== "object") continue;
          const server = counters as Record<string, number>;
          const { in_queue, in_queue_bytes, out_queue, out_queue_bytes } = server;
          expect([in_queue, in_queue_bytes, out_queue, out_queue_bytes]).toEqual([0, 0, 0, 0]);
          current += server["server_connections"] ?? 0;
        }
      }
      expect(stats["curr_connections"]).toBe(current);
    },
    { deadlineMs: 10_000 },
  );
  await Promise.all(servers.map((server) => server.kill()));
  await eventually(async () => (await proxy.stats())["curr_connections"] === POOLS.length);
  await Promise.all(servers.map((server) => server.restart()));
}

/** Every server of every pool answers again. */
async function expectAllWell(proxy: Proxy): Promise<void> {
  for (const name of POOLS) {
    const client = await proxy.connect(name);
    const keys = Array.from({ length: 50 }, (_, index) => `well${index}`);
    const values = keys.map((key) => `$${key.length}\r\n${key}\r\n`).join("");
    // Again where a server came back in between, and took its keys.
    await eventuallyHolds(async () => {
      const set = await client.call("MSET", ...keys.flatMap((key) => [key, key]));
      expect(set).toBe("+OK\r\n");
      expect(await client.call("MGET", ...keys)).toBe(`*50\r\n${values}`);
    });
    client.close();
  }
}
