/**
 * redis-cli and redis-benchmark (hiredis), in both versions of the protocol: a load of 1,000, the
 * usual types, databases, and a proxy that is started anew.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { Proxy } from "../support/run-proxy.ts";

let pool: RedisPool;
let port: string;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 3, pool: { hash_tag: "{}" } });
  port = String(pool.proxy.port());
});

afterAll(() => pool?.[Symbol.asyncDispose]());

async function run(command: readonly string[], input = ""): Promise<string> {
  const child = Bun.spawn([...command], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
    timeout: 30_000,
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect({ status: await child.exited, errors }).toEqual({ status: 0, errors: "" });
  return output;
}

/** A request, and what redis-cli prints for it in RESP2; in RESP3 if that is another text. */
const REQUESTS: readonly (readonly [request: string, resp2: string, resp3?: string])[] = [
  ["PING", "PONG"],
  ["SET {c}s text", "OK"],
  ["GET {c}s", '"text"'],
  ["GET {c}none", "(nil)"],
  ["HSET {c}h a 1 b 2", "(integer) 2"],
  ["HGETALL {c}h", '1) "a"\n2) "1"\n3) "b"\n4) "2"', '1# "a" => "1"\n2# "b" => "2"'],
  ["RPUSH {c}l x y", "(integer) 2"],
  ["LRANGE {c}l 0 -1", '1) "x"\n2) "y"'],
  ["SADD {c}m one", "(integer) 1"],
  ["SMEMBERS {c}m", '1) "one"', '1~ "one"'],
  ["ZADD {c}z 1.5 one", "(integer) 1"],
  ["ZSCORE {c}z one", '"1.5"', "(double) 1.5"],
  ["MGET {c}s {d}none", '1) "text"\n2) (nil)'],
  ["RENAME {c}s {c}t", "OK"],
  ["CLIENT GETNAME", "(nil)"],
  ["CONFIG GET save", '1) "save"\n2) ""', '1# "save" => ""'],
  ["COMMAND GETKEYS MSET a 1 b 2", '1) "a"\n2) "b"'],
  ["DEL {c}t {c}h {c}l {c}m {c}z {d}none", "(integer) 5"],
];

test.each([
  ["RESP2", 1, ["-2"]],
  ["RESP3", 2, ["-3"]],
] as const)("redis-cli in %s", async (_, column, options) => {
  const cli = ["redis-cli", "-p", port, "--no-raw", ...options];
  const expected = REQUESTS.map((row) => row[column] ?? row[1]);
  for (const [index, [request]] of REQUESTS.entries()) {
    const output = await run([...cli, ...request.split(" ")]);
    expect({ request, output: output.trimEnd() }).toEqual({
      request,
      output: expected[index] ?? "",
    });
  }
});

test("redis-cli loads 1,000 requests, and selects a database", async () => {
  const lines = Array.from({ length: 1000 }, (_, index) => `SET load:${index} ${index}\r\n`);
  const loaded = await run(["redis-cli", "-p", port, "--pipe"], lines.join(""));
  expect(loaded).toContain("errors: 0, replies: 1000");
  await run(["redis-cli", "-p", port, "-n", "3", "SET", "load:0", "three"]);
  expect(await run(["redis-cli", "-p", port, "-n", "3", "GET", "load:0"])).toBe("three\n");
  expect(await run(["redis-cli", "-p", port, "GET", "load:0"])).toBe("0\n");
});

test("redis-cli reconnects to a proxy that was started anew", async () => {
  await using old = await RedisPool.start({ servers: 2 });
  const command = ["redis-cli", "-p", String(old.proxy.port())];
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
  let output = "";
  const reading = (async () => {
    for await (const bytes of child.stdout) output += Buffer.from(bytes).toString();
  })();
  try {
    void child.stdin.write("SET a text\n");
    await child.stdin.flush();
    await eventually(() => output.includes("OK"));
    await old.proxy.stop();
    await using _ = await Proxy.start({ config: old.proxy.config });
    // It notices with the first request, which is lost before any server.
    void child.stdin.write("GET a\nGET a\n");
    await child.stdin.end();
    await reading;
    expect(output).toEndWith("text\n");
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

test.each([
  ["RESP2", []],
  ["RESP3", ["-3"]],
])(
  "redis-benchmark with all its tests in %s",
  async (_, options) => {
    const output = await run(["redis-benchmark", "-p", port, "-q", "-n", "500", ...options]);
    expect(output).not.toMatch(/error|warning/i);
    const results = output.split(/[\r\n]+/).filter((line) => line.includes("requests per second"));
    expect(results.length).toBeGreaterThanOrEqual(19);
  },
  60_000,
);

test("redis-cli looks over a whole server, where the pool allows it", async () => {
  await using one = await RedisPool.start({ pool: { redis_server_commands: true } });
  await one.fill(["user:1", "user:2", "other"]);
  const cli = ["redis-cli", "-p", String(one.proxy.port())];
  const scanned = await run([...cli, "--scan", "--pattern", "user:*"]);
  expect(scanned.trim().split("\n").sort()).toEqual(["user:1", "user:2"]);
  expect(await run([...cli, "--bigkeys"])).toContain("Sampled 3 keys in the keyspace!");
  expect(await run([...cli, "--memkeys"])).toContain("Sampled 3 keys in the keyspace!");
  expect(await run([...cli, "FLUSHALL"])).toBe("OK\n");
  expect(await run([...cli, "DBSIZE"])).toBe("0\n");
});
