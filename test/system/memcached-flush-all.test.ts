/**
 * flush_all empties every server of a pool, if the pool allows it.
 */
import { expect, test } from "bun:test";
import { MemcachedPool, setOf, valueOf } from "../support/memcached-pool.ts";
import { ask, askAll } from "../support/memcached-replies.ts";

test("a pool does not allow it unless it says so", async () => {
  await using pool = await MemcachedPool.start({ servers: 2 });
  const client = await pool.connect();
  await ask(client, setOf("k", "x"));
  expect(await ask(client, "flush_all\r\n")).toBe(
    "CLIENT_ERROR flush_all not allowed: memcached_flush_all of this pool is false\r\n",
  );
  expect(await askAll(client, "flush_all noreply\r\n")).toEqual([]);
  expect(await ask(client, "get k\r\n")).toBe(`${valueOf("k", "x")}END\r\n`);
});

test("memcached_flush_all: every server is emptied, and one reply comes", async () => {
  await using pool = await MemcachedPool.start({
    servers: 3,
    pool: { memcached_flush_all: true, timeout: 2000 },
  });
  const client = await pool.connect();
  const keys = (await Promise.all([0, 1, 2].map((server) => pool.keysOf(server, 3)))).flat();
  const everything = Object.fromEntries(keys.map((key) => [key, "x"]));
  const get = `get ${keys.join(" ")}\r\n`;
  for (const request of ["flush_all\r\n", "flush_all 0\r\n", "flush_all noreply\r\n"]) {
    await pool.fill(everything);
    expect((await ask(client, get)).length).toBeGreaterThan(100);
    const isSilent = request.includes("noreply");
    expect(await askAll(client, request)).toEqual(isSilent ? [] : ["OK\r\n"]);
    expect(await ask(client, get)).toBe("END\r\n");
  }
  expect(await askAll(client, `flush_all\r\nget a\r\nflush_all 0\r\n`)).toEqual([
    "OK\r\n",
    "END\r\n",
    "OK\r\n",
  ]);
  expect(await ask(client, "flush_all soon\r\n")).toBe("CLIENT_ERROR invalid exptime argument\r\n");
  expect(await ask(client, "flush_all 1 2 3\r\n")).toBe("ERROR\r\n");

  // With a server down the others are emptied, and the client hears of it.
  await pool.fill(everything);
  await pool.server(1).kill();
  expect(await ask(client, "flush_all\r\n")).toMatch(
    /^SERVER_ERROR (Connection refused|unknown|Connection reset by peer)\r\n$/,
  );
  const [first] = await pool.keysOf(0, 1);
  expect(await ask(client, `get ${first}\r\n`)).toBe("END\r\n");
  await pool.server(1).restart();
});

test("a server that does not allow it says so", async () => {
  await using pool = await MemcachedPool.start({
    servers: 2,
    server: { args: ["-F"] },
    pool: { memcached_flush_all: true },
  });
  const client = await pool.connect();
  expect(await ask(client, "flush_all\r\n")).toBe("CLIENT_ERROR flush_all not allowed\r\n");
});
