/**
 * A server that is stopped and goes on: its own keys get errors, the others notice nothing, and no
 * late reply reaches anybody. Every value tells its key, so that a mixed-up reply shows.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";
import { chooseSeed, SeededRandom } from "../support/seeded-random.ts";

const LATE = "-ERR Connection timed out\r\n";
const EJECTED = /^-ERR Server '[^']+' is ejected\r\n$/;
const CLIENTS = 12;
const PIPELINE_MAX = 8;

interface Load {
  healthy: number;
  late: number;
  readonly wrong: string[];
  isOver: boolean;
}

/** One client: pipelines of GET and MGET until the load is over; each reply is judged. */
async function run(
  pool: RedisPool,
  keys: readonly string[],
  frozen: Set<string>,
  load: Load,
  seed: number,
) {
  const random = new SeededRandom(seed);
  const client = await pool.connect();
  while (!load.isOver) {
    const requests = Array.from({ length: random.between(1, PIPELINE_MAX) }, () =>
      Array.from({ length: random.chance(0.2) ? 3 : 1 }, () => random.pick(keys)),
    );
    const replies = await client.pipeline(
      requests.map((wanted) => [wanted.length === 1 ? "GET" : "MGET", ...wanted]),
    );
    for (const [i, reply] of replies.entries()) {
      const wanted = requests[i]!;
      const values = wanted.map((key) => bulk(valueOf(key))).join("");
      if (reply === (wanted.length === 1 ? values : `*${wanted.length}\r\n${values}`)) {
        if (!wanted.some((key) => frozen.has(key))) load.healthy++;
      } else if ((reply === LATE || EJECTED.test(reply)) && wanted.some((key) => frozen.has(key))) {
        load.late++;
      } else {
        load.wrong.push(`${wanted.join(" ")}: ${reply}`);
      }
    }
  }
  client.close();
}

test.each([
  ["no ejection", { server_connections: 1 }],
  ["two connections", { server_connections: 2 }],
  ["fail_fast", { eject_policy: "fail_fast", server_probe_interval: 50 }],
])(
  "SIGSTOP and SIGCONT under load: %s",
  async (_, settings) => {
    await using pool = await RedisPool.start({
      servers: 3,
      pool: { hash: "murmur", timeout: 1000, ...settings },
    });
    let seed = chooseSeed();
    process.stderr.write(`NUTCRACKER_SEED=${seed}\n`);
    const byServer = await Promise.all([0, 1, 2].map((server) => pool.keysOf(server, 20)));
    const keys = byServer.flat();
    await pool.fill(keys);
    const load: Load = { healthy: 0, late: 0, wrong: [], isOver: false };
    const frozen = new Set(byServer[0]);
    const clients = Array.from({ length: CLIENTS }, () => run(pool, keys, frozen, load, ++seed));
    const others = byServer.slice(1).flat();
    const unharmed = run(pool, others, new Set(), load, ++seed);
    for (const late of [20, 60, 100]) {
      pool.server(0).freeze();
      await eventually(() => load.late >= late, { deadlineMs: 10_000 });
      const { healthy } = load;
      await eventually(() => load.healthy > healthy + 50);
      pool.server(0).thaw();
      const client = await pool.connect();
      const [key] = byServer[0] as [string];
      await eventually(async () => (await client.call("GET", key)) === bulk(valueOf(key)));
      client.close();
    }
    load.isOver = true;
    await Promise.all([...clients, unharmed]);
    expect(load.wrong.slice(0, 5)).toEqual([]);
  },
  30_000,
);
