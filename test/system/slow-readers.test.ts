/**
 * A client that does not read its replies is not read from, and costs a bounded amount of memory.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { eventually } from "../support/eventually.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk, encodeRequest } from "../support/resp.ts";

const VALUE_BYTES = 5000;
const REQUESTS = 100_000;

/** Memory of a process that no file backs, in bytes. */
function anonymousBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

test("a client that asks for 500 MB and reads nothing is not read from", async () => {
  await using pool = await RedisPool.start({ servers: 2 });
  const [key, other] = (await pool.keysOf(0, 2)) as [string, string];
  await pool.fill([other]);
  await pool.server(0).command("SET", key, "z".repeat(VALUE_BYTES));
  const before = anonymousBytes(pool.proxy.pid);
  const slow = await pool.connect();
  slow.pause();
  void slow.send(Buffer.concat(Array(REQUESTS).fill(encodeRequest(["GET", key]))));
  const neighbour = await pool.connect();
  let served = 0;
  await eventually(
    async () => {
      for (let count = 0; count < 50; count++) {
        expect(await neighbour.call("GET", other)).toBe(bulk(valueOf(other)));
        served++;
      }
      const { responses } = await pool.proxy.serverStats("s0");
      return served > 500 && responses !== undefined;
    },
    { deadlineMs: 20_000 },
  );
  expect(anonymousBytes(pool.proxy.pid) - before).toBeLessThan(350_000_000);
  slow.resume();
  slow.deadlineMs = 20_000;
  const expected = bulk("z".repeat(VALUE_BYTES));
  for (let count = 0; count < REQUESTS; count++) {
    const reply = await slow.readReply();
    if (reply !== expected) throw new Error(`reply ${count} is wrong: ${reply.slice(0, 100)}`);
  }
  slow.close();
  neighbour.close();
}, 60_000);

test("a server that does not read holds up its own clients only", async () => {
  await using pool = await RedisPool.start({ servers: 2 });
  const [[stuck], [free]] = (await Promise.all([pool.keysOf(0, 1), pool.keysOf(1, 1)])) as [
    [string],
    [string],
  ];
  const before = anonymousBytes(pool.proxy.pid);
  pool.server(0).freeze();
  const writer = await pool.connect();
  const request = encodeRequest(["SET", stuck, "w".repeat(1_000_000)]);
  const count = 200;
  let sent = 0;
  for (let index = 0; index < count; index++) void writer.send(request).then(() => sent++);
  const neighbour = await pool.connect();
  for (let index = 0; index < 300; index++) {
    expect(await neighbour.call("SET", free, String(index))).toBe("+OK\r\n");
  }
  expect(sent).toBeLessThan(count);
  expect(anonymousBytes(pool.proxy.pid) - before).toBeLessThan(100_000_000);
  pool.server(0).thaw();
  writer.deadlineMs = 20_000;
  expect(await writer.readReplies(count)).toEqual(Array(count).fill("+OK\r\n"));
  expect(sent).toBe(count);
  writer.close();
  neighbour.close();
}, 60_000);
