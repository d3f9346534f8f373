/**
 * Replies as deep as a server can make them: a script that returns a table which holds itself gives
 * some 8,000 arrays within arrays. The connection to the server is shared, so it must outlive that.
 */
import { expect, test } from "bun:test";
import { RedisPool } from "../support/redis-pool.ts";

const SCRIPT = "local a = {}; local b = {a}; a[1] = b; return a";

test("a reply as deep as Lua allows reaches its client, and disturbs no other", async () => {
  await using pool = await RedisPool.start();
  const direct = await pool.server(0).connect();
  const expected = await direct.call("EVAL", SCRIPT, "1", "k");
  expect(expected.length).toBeGreaterThan(30_000);
  const clients = [await pool.connect(), await pool.connect()] as const;
  for (let round = 0; round < 3; round++) {
    const replies = await Promise.all([
      clients[0].call("EVAL", SCRIPT, "1", "k"),
      clients[1].pipeline([
        ["SET", "k", "1"],
        ["INCR", "k"],
      ]),
    ]);
    expect(replies).toEqual([expected, ["+OK\r\n", ":2\r\n"]]);
  }
  expect((await pool.proxy.serverStats("s0"))["server_err"]).toBe(0);
});
