/**
 * A client that sends its requests and FIN, as `printf … | nc` does: it still gets its replies.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk, encodeRequest } from "../support/resp.ts";

let pool: RedisPool;
let keys: string[];

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
  keys = (await Promise.all([pool.keysOf(0, 5), pool.keysOf(1, 5)])).flat();
  await pool.fill(keys);
});

afterAll(() => pool?.[Symbol.asyncDispose]());

test("all replies come, then the connection is closed", async () => {
  const client = await pool.connect();
  const requests = keys.map((key) => encodeRequest(["GET", key]));
  await client.send(Buffer.concat([...requests, encodeRequest(["MGET", ...keys.slice(4, 6)])]));
  client.halfClose();
  const mget = keys.slice(4, 6).map((key) => bulk(valueOf(key)));
  const expected = keys.map((key) => bulk(valueOf(key))).join("") + `*2\r\n${mget.join("")}`;
  expect(await client.readToEnd()).toBe(expected);
  expect(client.closeError).toBeUndefined();
});

test("also when the servers answer only after the FIN", async () => {
  for (const server of pool.servers) server.freeze();
  const client = await pool.connect();
  await client.send(Buffer.concat(keys.map((key) => encodeRequest(["GET", key]))));
  client.halfClose();
  const neighbour = await pool.connect();
  await neighbour.expectOpen();
  for (const server of pool.servers) server.thaw();
  expect(await client.readToEnd()).toBe(keys.map((key) => bulk(valueOf(key))).join(""));
  neighbour.close();
});

test("a large reply comes whole", async () => {
  const large = "y".repeat(20_000_000);
  const writer = await pool.connect();
  await writer.call("SET", "large", large);
  writer.close();
  const client = await pool.connect();
  await client.request("GET", "large");
  client.halfClose();
  expect((await client.readToEnd()) === bulk(large)).toBe(true);
});

test("half a request at the end is dropped", async () => {
  const client = await pool.connect();
  await client.send("*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$5\r\nab");
  client.halfClose();
  expect(await client.readToEnd()).toBe("+PONG\r\n");
  const silent = await pool.connect();
  silent.halfClose();
  expect(await silent.readToEnd()).toBe("");
});
