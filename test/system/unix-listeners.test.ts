/**
 * Pools that listen on unix sockets, with a mode; and what happens when something lies at the path.
 */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function pools(listen: string, redis: RedisServer): Parameters<typeof Proxy.start>[0] {
  return { pools: { alpha: { listen, servers: [`${redis.item}:1`] } } };
}

test("clients come through a unix socket, to servers on unix sockets", async () => {
  await using redis = await RedisServer.start({ unix: true });
  const path = join(temporaryFolder("listener"), "proxy.sock");
  await using proxy = await Proxy.start(pools(path, redis));
  const client = await proxy.connect();
  const value = "v".repeat(3_000_000);
  expect(await client.call("SET", "a", value)).toBe("+OK\r\n");
  expect((await client.call("GET", "a")) === bulk(value)).toBe(true);
  expect(await client.call("MSET", "b", "1", "c", "2")).toBe("+OK\r\n");
  void client.request("GET", "b");
  client.halfClose();
  expect(await client.readToEnd()).toBe(bulk("1"));
});

test.each([
  ["0666", 0o666],
  ["0600", 0o600],
  ["777", 0o777],
] as const)("mode %s", async (mode, bits) => {
  await using redis = await RedisServer.start();
  const path = join(temporaryFolder("listener"), "proxy.sock");
  await using _ = await Proxy.start(pools(`${path} ${mode}`, redis));
  expect(statSync(path).mode & 0o777).toBe(bits);
});

test("a regular file at the path is left alone, and the start fails", async () => {
  await using redis = await RedisServer.start();
  const path = join(temporaryFolder("listener"), "precious.txt");
  writeFileSync(path, "precious data");
  await expect(Proxy.start(pools(path, redis))).rejects.toThrow(/ended with 1/);
  expect(readFileSync(path, "utf8")).toBe("precious data");
});

test("the socket of a proxy that was killed is taken over", async () => {
  await using redis = await RedisServer.start();
  const path = join(temporaryFolder("listener"), "proxy.sock");
  const first = await Proxy.start(pools(path, redis));
  await first.stop("SIGKILL");
  expect(existsSync(path)).toBe(true);
  await using second = await Proxy.start(pools(path, redis));
  const client = await second.connect();
  await client.expectOpen();
  client.close();
});

test("the socket of a proxy that runs is not taken from it", async () => {
  await using redis = await RedisServer.start();
  const path = join(temporaryFolder("listener"), "proxy.sock");
  await using first = await Proxy.start(pools(path, redis));
  const other = { config: first.config, args: ["-s", String(freePort())] };
  await expect(Proxy.start(other)).rejects.toThrow(/Address already in use/);
  const client = await RawClient.connect({ unix: path });
  await client.expectOpen();
  client.close();
});
