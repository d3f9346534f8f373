/**
 * Every kind of address on both sides: IPv4, IPv6, names, unix sockets; with keepalive, which a
 * unix socket does not know.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { bulk } from "../support/resp.ts";
import { RedisServer } from "../support/redis-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { DataPlane } from "./data-plane.ts";

const hasIpv6 = await canListenOnIpv6();

async function canListenOnIpv6(): Promise<boolean> {
  try {
    Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}

test.each([false, true])("unix sockets on both sides, keepalive %p", async (tcpkeepalive) => {
  await using redis = await RedisServer.start({ unix: true });
  const listen = join(temporaryFolder("listen"), "proxy.sock");
  using plane = await DataPlane.start({
    listen,
    servers: [`${redis.item}:1 s0`],
    tcpkeepalive,
    redis_db: 5,
  });
  const client = await plane.connect();
  expect(
    await client.pipeline([
      ["SET", "a", "1"],
      ["MGET", "a", "b"],
    ]),
  ).toEqual(["+OK\r\n", `*2\r\n${bulk("1")}$-1\r\n`]);
  expect(await redis.keys(5)).toEqual(["a"]);
  expect(plane.counters().serverConnections).toBe(1);
  await redis.kill();
  expect(await client.call("GET", "a")).toMatch(
    /^-ERR (unknown|Conn\w+ refused|Conn\w+ reset.*)\r\n$/,
  );
  await redis.restart();
  expect(await client.call("GET", "a")).toBe("$-1\r\n");
  client.close();
  await plane.expectIdle();
});

test.skipIf(!hasIpv6).each(["::1", "[::1]"])(
  `IPv6 as %s${hasIpv6 ? "" : " (skipped: this machine has no IPv6)"}`,
  async (host) => {
    await using redis = await RedisServer.start({ args: ["--bind", "127.0.0.1", "::1"] });
    using plane = await DataPlane.start({
      listen: `${host}:${freePort()}`,
      servers: [`::1:${redis.port}:1 s0`],
      tcpkeepalive: true,
    });
    const client = await plane.connect();
    expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
    client.close();
    await plane.expectIdle();
  },
);

test("names", async () => {
  await using redis = await RedisServer.start();
  using plane = await DataPlane.start({
    listen: `localhost:${freePort()}`,
    servers: [`localhost:${redis.port}:1 s0`],
    tcpkeepalive: true,
  });
  const client = await plane.connect();
  expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  client.close();
  await plane.expectIdle();
});
