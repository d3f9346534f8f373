/**
 * A client that goes away in the middle: its replies are swallowed, and nobody gets them instead.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import type { RawClient } from "../support/raw-client.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { withSeed } from "../support/seeded-random.ts";

let pool: RedisPool;
let keys: string[];

beforeEach(async () => {
  pool = await RedisPool.start({ servers: 2 });
  keys = (await Promise.all([pool.keysOf(0, 10), pool.keysOf(1, 10)])).flat();
  await pool.fill(keys);
});

afterEach(() => pool[Symbol.asyncDispose]());

function close(client: RawClient): void {
  client.close();
}

function reset(client: RawClient): void {
  client.reset();
}

async function freezeAll(): Promise<void> {
  // Connections exist before the servers stop, so that requests are sent and not only queued.
  const client = await pool.connect();
  await client.call("MGET", ...keys);
  client.close();
  for (const server of pool.servers) server.freeze();
}

async function waitForClients(count: number): Promise<void> {
  await eventually(async () => (await pool.proxy.poolStats())["client_connections"] === count, {
    what: `${count} clients are left`,
  });
}

async function waitForRequests(count: number): Promise<void> {
  await eventually(async () => {
    const servers = await Promise.all(["s0", "s1"].map((name) => pool.proxy.serverStats(name)));
    return servers.reduce((sum, server) => sum + (server["out_queue"] ?? 0), 0) >= count;
  });
}

test.each([
  ["FIN", close],
  ["RST", reset],
] as const)("replies to a client that left with %s go to nobody", async (_, leave) => {
  await freezeAll();
  const [leaver, stayer] = await Promise.all([pool.connect(), pool.connect()]);
  await leaver.send(
    Buffer.concat([
      encodeRequest(["GET", keys[0] as string]),
      encodeRequest(["MGET", ...keys.slice(5, 15)]),
      encodeRequest(["SET", keys[1] as string, "written by the leaver"]),
      encodeRequest(["DEL", ...keys.slice(18)]),
    ]),
  );
  await waitForRequests(5);
  leave(leaver);
  // A FIN may be a half close: that client stays until its replies are there.
  if (leave === reset) await waitForClients(1);
  const asked = [keys[2], keys[3], keys[12], keys[4]] as string[];
  await stayer.send(Buffer.concat(asked.map((key) => encodeRequest(["GET", key]))));
  for (const server of pool.servers) server.thaw();
  expect(await stayer.readReplies(4)).toEqual(asked.map((key) => bulk(valueOf(key))));
  // What the leaver had asked for is done all the same.
  expect(await stayer.call("GET", keys[1] as string)).toBe(bulk("written by the leaver"));
  expect(await stayer.call("EXISTS", ...keys.slice(18))).toBe(":0\r\n");
  for (const name of ["s0", "s1"]) {
    const server = await pool.proxy.serverStats(name);
    expect(server).toMatchObject({ server_err: 0, server_eof: 0, out_queue: 0, in_queue: 0 });
  }
  stayer.close();
});

test("a client that left in the middle of a request leaves nothing behind", async () => {
  const client = await pool.connect();
  await client.send("*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1000\r\nabc");
  client.reset();
  await waitForClients(0);
  const other = await pool.connect();
  expect(await other.call("GET", "half")).toBe("$-1\r\n");
  other.close();
});

test("a client that left in the middle of a large reply", async () => {
  const large = "x".repeat(8_000_000);
  const other = await pool.connect();
  expect(await other.call("SET", keys[0] as string, large)).toBe("+OK\r\n");
  for (const leave of ["close", "reset"] as const) {
    const client = await pool.connect();
    void client.request("GET", keys[0] as string);
    await client.readExactly(1000);
    client[leave]();
    await waitForClients(1);
    expect(await other.call("GET", keys[1] as string)).toBe(bulk(valueOf(keys[1] as string)));
  }
  other.close();
});

test("clients that come and go at random, and those that stay read their own values", async () => {
  await withSeed(async (random) => {
    const stayers = await Promise.all([pool.connect(), pool.connect()]);
    let isOver = false;
    const work = stayers.map(async (client) => {
      while (!isOver) {
        const asked = Array.from({ length: 20 }, () => random.pick(keys));
        const replies = await client.pipeline(asked.map((key) => ["GET", key]));
        expect(replies).toEqual(asked.map((key) => bulk(valueOf(key))));
      }
    });
    for (let round = 0; round < 200; round++) {
      const client = await pool.connect();
      const bytes = Buffer.concat(
        Array.from({ length: random.between(1, 10) }, () =>
          encodeRequest(random.chance(0.5) ? ["GET", random.pick(keys)] : ["MGET", ...keys]),
        ),
      );
      await client.send(bytes.subarray(0, random.between(1, bytes.length)));
      if (random.chance(0.3)) await Promise.resolve();
      if (random.chance(0.5)) client.reset();
      else client.close();
    }
    isOver = true;
    await Promise.all(work);
    for (const client of stayers) client.close();
    await waitForClients(0);
  });
}, 20_000);
