/**
 * client_connections: how many clients a pool takes.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { RedisServer } from "../support/redis-server.ts";
import { Proxy } from "../support/run-proxy.ts";

test("one client too many is told so and closed; when one leaves there is room again", async () => {
  await using redis = await RedisServer.start();
  await using proxy = await Proxy.start({
    pools: {
      small: { servers: [`${redis.item}:1`], client_connections: 3 },
      large: { servers: [`${redis.item}:1`] },
    },
  });
  const clients = await Promise.all([1, 2, 3].map(() => proxy.connect("small")));
  for (const client of clients) await client.expectOpen();
  for (let count = 0; count < 5; count++) {
    const refused = await proxy.connect("small");
    expect(await refused.readToEnd()).toBe("-ERR max number of clients reached\r\n");
  }
  for (const client of clients) await client.expectOpen();
  // The limit of one pool is no limit of another.
  const others = await Promise.all([1, 2, 3, 4, 5].map(() => proxy.connect("large")));
  for (const client of others) await client.expectOpen();
  expect(await proxy.poolStats("small")).toMatchObject({ client_connections: 3 });
  clients[0]?.close();
  await eventually(async () => (await proxy.poolStats("small"))["client_connections"] === 2);
  const next = await proxy.connect("small");
  await next.expectOpen();
  for (const client of [...clients, ...others, next]) client.close();
});

test("500 clients at once", async () => {
  await using redis = await RedisServer.start();
  await using proxy = await Proxy.start({ pools: { alpha: { servers: [`${redis.item}:1`] } } });
  const clients = await Promise.all(Array.from({ length: 500 }, () => proxy.connect()));
  const replies = await Promise.all(clients.map((client, index) => client.call("SET", index, "x")));
  expect(new Set(replies)).toEqual(new Set(["+OK\r\n"]));
  expect(await proxy.poolStats()).toMatchObject({ client_connections: 500, client_err: 0 });
  // They share one connection to the server.
  expect(await proxy.serverStats(redis.item)).toMatchObject({ server_connections: 1 });
  for (const client of clients) client.close();
  await eventually(async () => (await proxy.poolStats())["client_connections"] === 0);
  expect(await proxy.poolStats()).toMatchObject({ client_eof: 500, client_err: 0 });
});
