/**
 * The client libraries of JavaScript, with their default options: connect, ready check, a pipeline
 * of 1,000, the usual types, SELECT, the protocol they chose, and a proxy that is started anew.
 */
import { expect, test } from "bun:test";
import { eventually, within } from "../support/eventually.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { Proxy } from "../support/run-proxy.ts";
import { ADAPTERS } from "./adapters.ts";
import { PIPELINE_HALF, READY, SELECTED, TYPES } from "./expected.ts";

const STEP_MS = 5000;

test.each(ADAPTERS.map((adapter) => [adapter.label, adapter] as const))(
  "%s",
  async (label, adapter) => {
    await using pool = await RedisPool.start({ servers: 3, pool: { hash_tag: "{}" } });
    const connecting = adapter.connect(pool.proxy.port());
    const client = await within(connecting, STEP_MS, `${label} connects`);
    try {
      const info = await client.info();
      expect({
        pong: await client.ping(),
        pipeline: await within(client.pipeline(), STEP_MS, `${label} has its pipeline`),
        types: await client.types(),
        selected: await client.select(),
        ready: READY.filter((name) => info.includes(`\r\n${name}:`)),
        protocolVersion: await client.protocolVersion(),
      }).toEqual({
        pong: "PONG",
        pipeline: PIPELINE_HALF,
        types: TYPES,
        selected: SELECTED,
        ready: READY,
        protocolVersion: adapter.protocolVersion,
      });
      await pool.fill(["key"]);
      await pool.proxy.stop();
      await using _ = await Proxy.start({ config: pool.proxy.config });
      const value = () => within(client.get("key"), STEP_MS, `${label} gets a value`);
      await eventually(async () => (await value()) === valueOf("key"), {
        what: `${label} reconnects`,
        deadlineMs: 15_000,
      });
    } finally {
      client.close();
    }
  },
  40_000,
);
