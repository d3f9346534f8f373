/**
 * The tools of libmemcached, through the proxy: each does what it is for, with default options.
 * memccapable, which tests a server, is in test/system/memcached-clients.test.ts.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemcachedPool } from "../support/memcached-pool.ts";

const isMissing = Bun.which("memccat") === null;
const reason = isMissing ? " (skipped: apt-get install libmemcached-tools)" : "";

let pool: MemcachedPool;

beforeAll(async () => {
  pool = await MemcachedPool.start({ servers: 2, pool: { memcached_flush_all: true } });
  writeFileSync(join(pool.proxy.folder, "one"), "first\n");
  writeFileSync(join(pool.proxy.folder, "two"), "second\n");
});

afterAll(() => pool?.[Symbol.asyncDispose]());

interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** Runs "memccat one two" in a folder with the files `one` and `two`. */
async function run(line: string): Promise<Outcome> {
  const [tool = "", ...words] = line.split(" ");
  const child = Bun.spawn([tool, `--servers=127.0.0.1:${pool.proxy.port()}`, ...words], {
    cwd: pool.proxy.folder,
    stdout: "pipe",
    stderr: "pipe",
    timeout: 10_000,
  });
  const output = await new Response(child.stdout).text();
  return { status: await child.exited, output };
}

test.skipIf(isMissing)(`files go in and out, key by key${reason}`, async () => {
  expect((await run("memccp one two")).status).toBe(0);
  const { status, output } = await run("memccat one two");
  expect([status, output.trim().split(/\n+/)]).toEqual([0, ["first", "second"]]);
  expect((await run("memcexist one")).status).toBe(0);
  expect((await run("memcexist none")).status).toBe(1);
  expect((await run("memctouch --expire=100 one")).status).toBe(0);
  expect((await run("memccp --add one")).status).toBe(1);
  expect((await run("memccp --replace one")).status).toBe(0);
  expect((await run("memcrm one")).status).toBe(0);
  expect((await run("memcexist one")).status).toBe(1);
  expect((await run("memccat one")).status).toBe(1);
  expect((await run("memcflush")).status).toBe(0);
  expect((await run("memcexist two")).status).toBe(1);
});

test.skipIf(isMissing)(`the proxy is there, and tells of itself${reason}`, async () => {
  expect((await run("memcping")).status).toBe(0);
  const { status, output } = await run("memcstat");
  expect(status).toBe(0);
  expect(output).toContain("nutcracker_version: 0.5.0");
});

for (const load of ["get", "set", "mget"]) {
  test.skipIf(isMissing)(`memcslap loads it with ${load}${reason}`, async () => {
    const { status, output } = await run(
      `memcslap --concurrency=4 --execute-number=50 --test=${load}`,
    );
    expect(status).toBe(0);
    expect(output).toMatch(new RegExp(`Time to ${load} +200 keys by +4 threads`));
    const { client_err } = await pool.proxy.poolStats();
    expect(client_err).toBe(0);
  });
}
