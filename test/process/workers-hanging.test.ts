/**
 * A worker that hangs: what the others, their supervisor and who looks at them notice of it.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { freezeProcess, thawProcess } from "../support/freeze.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { Proxy } from "../support/run-proxy.ts";
import { isAlive, workersOf } from "./worker-family.ts";

function startTwo(): Promise<Proxy> {
  return Proxy.start({ pools: { alpha: { servers: ["127.0.0.1:1:1"] } }, args: ["-w", "2"] });
}

test("the stats port answers while a worker hangs", async () => {
  await using pool = await RedisPool.start({ args: ["-w", "2"] });
  const client = await pool.connect();
  await client.call("SET", "a", "b");
  await eventually(async () => (await pool.proxy.serverStats("s0"))["requests"] === 1);
  const [worker = 0] = workersOf(pool.proxy.pid);
  freezeProcess(worker);
  for (let round = 0; round < 3; round++) {
    expect((await pool.proxy.serverStats("s0"))["requests"]).toBe(1);
  }
  thawProcess(worker);
  await eventually(async () => (await pool.proxy.stats())["curr_connections"] === 4);
});

test("a worker that hangs is told of in the log, once, and left alone", async () => {
  await using proxy = await startTwo();
  const [worker = 0] = workersOf(proxy.pid);
  const count = (text: string) => proxy.log.split(`worker 1 with pid ${worker} ${text}`).length - 1;
  freezeProcess(worker);
  await eventually(() => count("does not answer") === 1, { deadlineMs: 20_000 });
  thawProcess(worker);
  await eventually(() => count("answers again") === 1);
  expect(count("does not answer")).toBe(1);
  expect(workersOf(proxy.pid)).toContain(worker);
}, 30_000);

test("a worker that hangs does not hold up the end for ever", async () => {
  await using proxy = await startTwo();
  const [worker = 0] = workersOf(proxy.pid);
  freezeProcess(worker);
  proxy.signal("SIGTERM");
  expect(await proxy.ended(10_000)).toBe(0);
  await eventually(() => !isAlive(worker));
}, 15_000);
