/**
 * Errors that a server answers reach the client as the server wrote them, and touch nobody else.
 *
 * nutcracker takes OOM, BUSY and LOADING for a broken server: it drops the reply and everything
 * else on that connection.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";
import { ScriptedServer } from "../support/scripted-server.ts";

let pool: RedisPool;
let client: RawClient;
let neighbour: RawClient;

beforeAll(async () => {
  // With ejection after one failure, a server that is only taken for broken would be missing.
  pool = await RedisPool.start({
    servers: 2,
    server: {
      args: ["--key-load-delay", "4000", "--loading-process-events-interval-bytes", "1024"],
    },
    pool: { auto_eject_hosts: true, server_failure_limit: 1, server_retry_timeout: 20 },
  });
  [client, neighbour] = await Promise.all([pool.connect(), pool.connect()]);
});

afterAll(async () => {
  client?.close();
  neighbour?.close();
  await pool?.[Symbol.asyncDispose]();
});

async function expectNoTrouble(): Promise<void> {
  expect(await pool.proxy.poolStats()).toMatchObject({ server_ejects: 0, forward_error: 0 });
  const none = { server_err: 0, server_eof: 0, server_timedout: 0, server_connections: 1 };
  expect(await pool.proxy.serverStats("s0")).toMatchObject(none);
}

test("OOM", async () => {
  const [key, other] = (await pool.keysOf(0, 2)) as [string, string];
  await pool.fill([key]);
  await pool.server(0).command("CONFIG", "SET", "maxmemory", "1");
  const requests = [["SET", other, "x"], ["GET", key], ["LPUSH", other, "y"], ["PING"]];
  const [replies, theirs] = await Promise.all([
    client.pipeline(requests),
    neighbour.pipeline([
      ["GET", key],
      ["GET", key],
    ]),
  ]);
  await pool.server(0).command("CONFIG", "SET", "maxmemory", "0");
  expect(replies[0]).toBe("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  expect(replies.slice(1)).toEqual([bulk(valueOf(key)), replies[0] as string, "+PONG\r\n"]);
  expect(theirs).toEqual([bulk(valueOf(key)), bulk(valueOf(key))]);
  await expectNoTrouble();
});

test("BUSY", async () => {
  const [key] = (await pool.keysOf(0, 1)) as [string];
  const server = pool.server(0);
  await pool.fill([key]);
  await server.command("CONFIG", "SET", "busy-reply-threshold", "1");
  const scripter = await server.connect();
  void scripter.request("EVAL", "while true do end", "0");
  const busy = await eventually(async () => {
    const reply = await client.call("GET", key);
    return reply.startsWith("-BUSY") ? reply : null;
  });
  const replies = await neighbour.pipeline([["GET", key], ["PING"], ["MGET", key, "elsewhere"]]);
  expect(busy).toStartWith("-BUSY Redis is busy running a script.");
  expect(replies[0]).toBe(busy);
  expect(replies[1]).toBe("+PONG\r\n");
  const killer = await server.connect();
  expect(await killer.call("SCRIPT", "KILL")).toBe("+OK\r\n");
  expect(await scripter.readReply()).toStartWith("-ERR");
  expect(await client.call("GET", key)).toBe(bulk(valueOf(key)));
  await expectNoTrouble();
  killer.close();
  scripter.close();
});

test("LOADING", async () => {
  const [key] = (await pool.keysOf(1, 1)) as [string];
  const server = pool.server(1);
  await pool.fill([key]);
  await server.command("DEBUG", "POPULATE", "1000");
  await server.command("SAVE");
  // A pool that ejects keeps a server out while it loads.
  const items = pool.servers.map(({ item }, index) => `${item}:1 s${index}`);
  await using proxy = await Proxy.start({ pools: { alpha: { servers: items } } });
  const [asking, beside] = [await proxy.connect(), await proxy.connect()];
  const restarted = server.restart();
  const loading = await eventually(async () => {
    const reply = await asking.call("GET", key);
    return reply.startsWith("-LOADING") ? reply : null;
  });
  const isLoading = await beside.pipeline([["GET", key], ["PING"], ["SET", key, "x"]]);
  // It would take four seconds.
  await server.command("CONFIG", "SET", "key-load-delay", "0");
  await restarted;
  expect(loading).toBe("-LOADING Redis is loading the dataset in memory\r\n");
  expect(isLoading[1]).toBe("+PONG\r\n");
  await eventually(async () => (await asking.call("GET", key)).startsWith("$"));
  await eventually(async () => (await client.call("GET", key)).startsWith("$"));
  asking.close();
  beside.close();
});

test("errors of every other kind, inside arrays too, pass byte for byte", async () => {
  const errors = [
    "-ERR something\r\n",
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    "-MOVED 3999 127.0.0.1:6381\r\n",
    "-READONLY You can't write against a read only replica.\r\n",
    "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
    "-OOM\r\n",
    "-BUSYGROUP x\r\n",
    "-LOADING \r\n",
    "-\r\n",
    `-ERR ${"long ".repeat(8000)}\r\n`,
    "*3\r\n-OOM inside\r\n$-1\r\n*1\r\n-BUSY deeper\r\n",
  ];
  using server = ScriptedServer.start((peer, args) =>
    peer.write(errors[Number(args[1])] as string),
  );
  await using proxy = await Proxy.start({ pools: { alpha: { servers: [`${server.item}:1 s0`] } } });
  const alone = await proxy.connect();
  const replies = await alone.pipeline(errors.map((_, index) => ["GET", String(index)]));
  expect(replies).toEqual(errors);
  expect(server.peers.length).toBe(1);
  expect(await proxy.serverStats("s0")).toMatchObject({ responses: errors.length, server_err: 0 });
});
