/**
 * redis-cli and redis-benchmark, as they come with Redis, through the proxy.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisPool } from "../support/redis-pool.ts";

/** Tests of redis-benchmark, each with the commands of one type. */
const BENCHMARKS =
  "ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin," +
  "lrange_100,lrange_300,lrange_500,lrange_600,mset";

let pool: RedisPool;
let port: string;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
  port = String(pool.proxy.port());
});

afterAll(() => pool?.[Symbol.asyncDispose]());

interface Outcome {
  readonly status: number;
  readonly output: string;
}

async function run(command: readonly string[], input = ""): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { status: await child.exited, output: output + errors };
}

test("redis-cli with a command on its command line", async () => {
  const cli = ["redis-cli", "-p", port];
  expect(await run([...cli, "SET", "a", "b c"])).toEqual({ status: 0, output: "OK\n" });
  expect(await run([...cli, "GET", "a"])).toEqual({ status: 0, output: "b c\n" });
  expect(await run([...cli, "PING"])).toEqual({ status: 0, output: "PONG\n" });
  expect(await run([...cli, "MGET", "a", "nothing"])).toEqual({ status: 0, output: "b c\n\n" });
  expect((await run([...cli, "KEYS", "*"])).output).toStartWith("ERR ");
});

test("redis-cli reads commands from its input and stays connected after errors", async () => {
  const input = "SET x 1\nINCR x\nNONSENSE\nGET\nDEL x a nothing\nPING\nQUIT\n";
  const { status, output } = await run(["redis-cli", "-p", port], input);
  expect(status).toBe(0);
  const lines = output
    .trim()
    .split("\n")
    .filter((line) => line !== "");
  expect(lines.slice(0, 2)).toEqual(["OK", "2"]);
  expect(lines[2]).toStartWith("ERR ");
  expect(lines[3]).toStartWith("ERR wrong number");
  expect(lines[4]).toMatch(/^[12]$/);
  expect(lines.slice(5)).toEqual(["PONG"]);
});

test("redis-cli --pipe loads data in bulk", async () => {
  const count = 20_000;
  const input = Array.from({ length: count }, (_, index) => `SET bulk:${index} ${index}\r\n`);
  const { status, output } = await run(["redis-cli", "-p", port, "--pipe"], input.join(""));
  expect({ status, output }).toMatchObject({ status: 0 });
  expect(output).toContain(`errors: 0, replies: ${count}`);
});

test("redis-cli speaks to the proxy with a password", async () => {
  await using closed = await RedisPool.start({ pool: { redis_auth: "secret" } });
  const cli = ["redis-cli", "--no-auth-warning", "-p", String(closed.proxy.port())];
  expect((await run([...cli, "GET", "a"])).output).toStartWith("NOAUTH");
  expect((await run([...cli, "-a", "secret", "SET", "a", "1"])).output).toBe("OK\n");
});

test.each([1, 16])(
  "redis-benchmark with a pipeline of %d",
  async (depth) => {
    const command = ["redis-benchmark", "-p", port, "-q", "-n", "2000", "-P", String(depth)];
    const { status, output } = await run([...command, "-r", "1000", "-t", BENCHMARKS]);
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).not.toMatch(/error/i);
    const results = output.split(/[\r\n]+/).filter((line) => line.includes("requests per second"));
    expect(results.length).toBeGreaterThanOrEqual(BENCHMARKS.split(",").length);
  },
  60_000,
);
