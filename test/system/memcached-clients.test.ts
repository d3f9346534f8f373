/**
 * What real clients do, through the proxy: memccapable of libmemcached, pymemcache, pylibmc and the
 * package "memcache" for JavaScript.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Memcache } from "memcache";
import { MemcachedPool } from "../support/memcached-pool.ts";

let pool: MemcachedPool;

beforeAll(async () => {
  pool = await MemcachedPool.start({ servers: 2, pool: { memcached_flush_all: true } });
});

afterAll(async () => {
  await pool?.[Symbol.asyncDispose]();
});

interface Outcome {
  readonly status: number;
  readonly output: string;
}

async function run(command: readonly string[]): Promise<Outcome> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe", cwd: pool.proxy.folder });
  const output = await new Response(child.stdout).text();
  const errors = await new Response(child.stderr).text();
  return { status: await child.exited, output: output + errors };
}

const memccapable = Bun.which("memccapable");

/** The system's python first: a newer one beside it does not see Debian's packages. */
const PYTHONS = ["/usr/bin/python3", "python3"];

function pythonWith(module: string): string | undefined {
  return PYTHONS.find((python) => {
    if (python.startsWith("/") && !existsSync(python)) return false;
    if (Bun.which(python) === null) return false;
    return Bun.spawnSync([python, "-c", `import ${module}`]).success;
  });
}

/** A test that needs a client; its name says what to install where that is missing. */
function testWith(found: unknown, debianPackage: string) {
  const reason = found ? "" : ` (skipped: apt-get install ${debianPackage})`;
  return (name: string, body: () => Promise<void>, timeoutMs?: number) =>
    test.skipIf(!found)(`${name}${reason}`, body, timeoutMs);
}

testWith(memccapable, "libmemcached-tools")("memccapable -a: all of its tests pass", async () => {
  const port = String(pool.proxy.port());
  const { output } = await run([memccapable!, "-h", "127.0.0.1", "-p", port, "-a", "-t", "5"]);
  const results = [...output.matchAll(/^(ascii .*?)\s+\[(\w+)\]/gm)].map((row) => [row[1], row[2]]);
  expect(results.filter(([, result]) => result !== "pass")).toEqual([]);
  expect(results.length).toBe(27);
});

for (const module of ["pymemcache", "pylibmc"]) {
  const python = pythonWith(module);
  testWith(python, `python3-${module}`)(`${module}: every operation`, async () => {
    const script = join(import.meta.dir, `../support/${module}-client.py`);
    expect(await run([python!, script, String(pool.proxy.port())])).toEqual({
      status: 0,
      output: "",
    });
  });
}

test("the package memcache: every operation", async () => {
  const client = new Memcache({ nodes: [`127.0.0.1:${pool.proxy.port()}`], timeout: 5000 });
  await client.connect();
  expect(await client.set("a", "hello")).toBe(true);
  expect(await client.get("a")).toBe("hello");
  expect([...(await client.gets(["a", "missing"]))]).toEqual([["a", "hello"]]);
  expect(await client.add("a", "other")).toBe(false);
  expect(await client.replace("a", "5")).toBe(true);
  expect(await client.incr("a", 3)).toBe(8);
  expect(await client.decr("a")).toBe(7);
  expect(await client.append("a", "0")).toBe(true);
  expect(await client.prepend("a", "1")).toBe(true);
  expect(await client.get("a")).toBe("170");
  expect(await client.touch("a", 100)).toBe(true);
  expect(await client.delete("a")).toBe(true);
  expect(await client.get("a")).toBeUndefined();
  const large = "x".repeat(900_000);
  expect(await client.set("large", large)).toBe(true);
  expect((await client.get("large")) === large).toBe(true);
  expect(await client.flush()).toBe(true);
  expect(await client.get("large")).toBeUndefined();
  await client.quit();
});
