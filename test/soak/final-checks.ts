/**
 * What must hold when all clients of a soak are gone and all its servers are well.
 */
import { eventually } from "../support/eventually.ts";
import type { ServerStats } from "../support/run-proxy.ts";
import { ALL_KEYS } from "./dialect.ts";
import type { Ground, SoakPool } from "./ground.ts";
import type { ProxyWatch } from "./proxy-watch.ts";

/** What the proxy was like before the first client came. */
export interface Baseline {
  /** File descriptors that are no server connections. */
  readonly descriptors: number;
  readonly pids: string;
}

export interface CheckResult {
  readonly what: string;
  /** Null: it holds. */
  readonly trouble: string | null;
}

const QUEUES = ["in_queue", "in_queue_bytes", "out_queue", "out_queue_bytes"];
const CALM_DEADLINE_MS = 10_000;
/** A server that has failed again and again may be left alone for a minute. */
const WELL_DEADLINE_MS = 90_000;
const SETTLE_MS = 150;
const HANDLER_FAILURE = /^.*(handler .*failed|failed: \w*Error).*$/m;

export async function takeBaseline(ground: Ground, watch: ProxyWatch): Promise<Baseline> {
  const descriptors = await eventually(async () => {
    const first = await ownDescriptors(ground, watch);
    return first === (await ownDescriptors(ground, watch)) ? first : null;
  });
  return { descriptors, pids: watch.pids };
}

/** Runs all checks, one after the other. */
export async function finalChecks(
  ground: Ground,
  watch: ProxyWatch,
  baseline: Baseline,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const check = async (what: string, body: () => unknown) => {
    try {
      await body();
      results.push({ what, trouble: null });
    } catch (error) {
      results.push({ what, trouble: (error as Error).message });
    }
  };
  await check("gauges are 0", () => expectGauges(ground));
  await check("descriptors are back", () => expectDescriptors(ground, watch, baseline));
  await check("every server answers", async () => {
    for (const pool of ground.pools) await expectWell(ground, pool);
  });
  await check("the same processes run", () => expectSame("pids", watch.pids, baseline.pids));
  await check("SIGTERM ends it with status 0", () => expectExit(ground));
  await check("no handler failed", () => expectLog(ground));
  return results;
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${found}, not ${expected}`);
}

/** Descriptors but for those of server connections, of which there may be more or fewer. */
async function ownDescriptors(ground: Ground, watch: ProxyWatch): Promise<number> {
  const stats = await ground.proxy.stats();
  await Bun.sleep(SETTLE_MS);
  let serverConnections = 0;
  for (const { name } of ground.pools) {
    for (const { counters } of serversIn(stats[name])) {
      serverConnections += counters["server_connections"] ?? 0;
    }
  }
  return watch.now().descriptors - serverConnections;
}

function serversIn(pool: unknown): { name: string; counters: ServerStats }[] {
  return Object.entries(pool as Record<string, number | ServerStats>).flatMap(([name, counters]) =>
    typeof counters === "object" ? [{ name, counters }] : [],
  );
}

async function expectGauges(ground: Ground): Promise<void> {
  await eventually(
    async () => {
      const stats = await ground.proxy.stats();
      for (const { name } of ground.pools) {
        const pool = stats[name] as Record<string, number>;
        expectSame(`${name} client_connections`, pool["client_connections"], 0);
        for (const server of serversIn(pool)) {
          for (const queue of QUEUES) {
            expectSame(`${name} ${server.name} ${queue}`, server.counters[queue], 0);
          }
        }
      }
      return true;
    },
    { deadlineMs: CALM_DEADLINE_MS, what: "gauges are 0" },
  );
}

async function expectDescriptors(
  ground: Ground,
  watch: ProxyWatch,
  baseline: Baseline,
): Promise<void> {
  await eventually(
    async () => {
      const descriptors = await ownDescriptors(ground, watch);
      expectSame("descriptors beside server connections", descriptors, baseline.descriptors);
      return true;
    },
    { deadlineMs: CALM_DEADLINE_MS, what: "descriptors are back" },
  );
}

/** A key of each server can be written and read. */
async function expectWell(ground: Ground, pool: SoakPool): Promise<void> {
  const client = await ground.proxy.connect(pool.name);
  for (const home of new Set(pool.homes.values())) {
    const key = ALL_KEYS.find((one) => pool.homes.get(one) === home) ?? "";
    await eventually(
      async () => {
        for (const request of [pool.dialect.set(key), pool.dialect.get(key)]) {
          await client.send(request.bytes);
          const reply = await pool.dialect.read(client);
          if (!request.isRight(reply)) throw new Error(`${request.shown} -> ${reply.slice(0, 80)}`);
        }
        return true;
      },
      { deadlineMs: WELL_DEADLINE_MS, what: `pool ${pool.name}: ${home} answers` },
    );
  }
  client.close();
}

async function expectExit(ground: Ground): Promise<void> {
  ground.proxy.signal("SIGTERM");
  expectSame("exit", await ground.proxy.ended(), 0);
}

function expectLog(ground: Ground): void {
  const found = HANDLER_FAILURE.exec(ground.proxy.log)?.[0];
  if (found !== undefined) throw new Error(found);
  expectSame("stderr", ground.proxy.stderr, "");
}
