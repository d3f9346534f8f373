/**
 * server_connections and preconnect: how many connections a server gets, and when.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";
import { withSeed } from "../support/seeded-random.ts";

/** Connections to a server, without the one that asks. */
async function connectionsOf(server: RedisServer): Promise<number> {
  return (await server.info("connected_clients")) - 1;
}

test("no connection before the first request, one for all clients after it", async () => {
  await using pool = await RedisPool.start();
  expect(await connectionsOf(pool.server(0))).toBe(0);
  const clients = await Promise.all(Array.from({ length: 20 }, () => pool.connect()));
  await Promise.all(clients.map((client, index) => client.call("SET", index, "x")));
  expect(await connectionsOf(pool.server(0))).toBe(1);
  expect(await pool.proxy.serverStats("s0")).toMatchObject({ server_connections: 1 });
  for (const client of clients) client.close();
});

test("server_connections are opened one per request, then used in turn", async () => {
  await using pool = await RedisPool.start({ pool: { server_connections: 3 } });
  const client = await pool.connect();
  for (const expected of [1, 2, 3, 3, 3]) {
    await client.call("SET", "a", "1");
    expect(await connectionsOf(pool.server(0))).toBe(expected);
  }
  expect(await pool.proxy.serverStats("s0")).toMatchObject({ server_connections: 3 });
  client.close();
});

test("with several connections replies keep the order of the requests", async () => {
  await using pool = await RedisPool.start({ servers: 2, pool: { server_connections: 4 } });
  const keys = (await Promise.all([pool.keysOf(0, 20), pool.keysOf(1, 20)])).flat();
  await pool.fill(keys);
  await withSeed(async (random) => {
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => pool.connect()));
    const work = clients.map(async (client) => {
      for (let round = 0; round < 10; round++) {
        const asked = Array.from({ length: 100 }, () => random.pick(keys));
        const replies = await client.pipeline(asked.map((key) => ["GET", key]));
        expect(replies).toEqual(asked.map((key) => bulk(valueOf(key))));
      }
      client.close();
    });
    await Promise.all(work);
  });
});

test("a hanging connection does not hold up requests on the others", async () => {
  await using pool = await RedisPool.start({ pool: { server_connections: 2 } });
  const client = await pool.connect();
  const other = await pool.connect();
  await client.call("SET", "a", "1");
  await other.call("SET", "a", "1");
  // One of the two connections is lost; requests on the other one are fine.
  await pool.server(0).command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await pool.proxy.untilNotConnected("s0");
  for (let round = 0; round < 4; round++) expect(await client.call("GET", "a")).toBe(bulk("1"));
  expect(await connectionsOf(pool.server(0))).toBe(2);
  client.close();
  other.close();
});

test("preconnect opens one connection to each server at start", async () => {
  const servers = await RedisServer.startMany(3);
  const items = servers.map((server, index) => `${server.item}:1 s${index}`);
  const settings = { preconnect: true, server_connections: 3 };
  await using proxy = await Proxy.start({ pools: { alpha: { ...settings, servers: items } } });
  for (const server of servers) await eventually(async () => (await connectionsOf(server)) === 1);
  await eventually(async () => (await proxy.serverStats("s2"))["server_connections"] === 1);
  expect(await proxy.serverStats("s2")).toMatchObject({ requests: 0 });
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});

test("preconnect: a server that is down is logged and tried at the first request", async () => {
  await using redis = await RedisServer.start();
  const port = freePort();
  const items = [`${redis.item}:1 up`, `127.0.0.1:${port}:1 down`];
  await using proxy = await Proxy.start({ pools: { alpha: { preconnect: true, servers: items } } });
  await eventually(async () => (await connectionsOf(redis)) === 1);
  await eventually(() =>
    proxy.log.includes(
      `connect to server '127.0.0.1:${port}:1' failed, ignored: Connection refused`,
    ),
  );
  const client = await proxy.connect();
  const keys = Array.from({ length: 50 }, (_, index) => `${index}:${Math.imul(index, 7919)}`);
  const replies = await client.pipeline(keys.map((key) => ["GET", key]));
  expect(new Set(replies)).toEqual(new Set(["$-1\r\n", "-ERR Connection refused\r\n"]));
  client.close();
});

test("preconnect with a database and a password", async () => {
  const server = { requirepass: "secret" };
  const settings = { preconnect: true, redis_auth: "secret", redis_db: 2 };
  await using pool = await RedisPool.start({ server, pool: settings });
  await eventually(async () => (await connectionsOf(pool.server(0))) === 1);
  const client = await pool.connect();
  await client.call("AUTH", "secret");
  expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  expect(await pool.server(0).keys(2)).toEqual(["a"]);
  client.close();
});

test("tcpkeepalive acts on the connections to servers", async () => {
  await using pool = await RedisPool.start({ pool: { tcpkeepalive: true } });
  const client = await pool.connect();
  await client.call("SET", "a", "1");
  // Another timer is shown while the last reply is not acknowledged.
  for (const end of [
    `dst 127.0.0.1:${pool.server(0).port}`,
    `src 127.0.0.1:${pool.proxy.port()}`,
  ]) {
    await eventually(() => {
      const { stdout } = Bun.spawnSync(["ss", "-tnoH", ...end.split(" ")]);
      return stdout.toString().includes("timer:(keepalive");
    });
  }
  client.close();
});
