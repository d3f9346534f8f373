/**
 * The example configurations for memcached at work: conf/memcached.yml, and the two tiers of
 * conf/memcached-root.yml before conf/memcached-leaf.yml.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setOf, valueOf } from "../support/memcached-pool.ts";
import { ask, askAll, readReply } from "../support/memcached-replies.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { freePort } from "../support/free-port.ts";
import { Proxy } from "../support/run-proxy.ts";

const ROOT = join(import.meta.dir, "../..");

/** The example with other addresses: free ones to listen on, and these servers in their order. */
function exampleWith(file: string, servers: readonly string[], more = ""): string {
  const left = [...servers];
  const text = readFileSync(join(ROOT, file), "utf8") + more;
  return text
    .replace(/ +#.*/g, "")
    .replace(/listen: \S+/g, () => `listen: 127.0.0.1:${freePort()}`)
    .replace(/- \S+?:\d+:(\d+)/g, (_, weight) => `- ${left.shift()}:${weight}`);
}

test("conf/memcached.yml: three pools", async () => {
  const servers = await MemcachedServer.startMany(6);
  const config = exampleWith(
    "conf/memcached.yml",
    servers.map((server) => server.item),
  );
  await using proxy = await Proxy.start({ config });
  for (const pool of ["alpha", "beta", "gamma"]) {
    const client = await proxy.connect(pool);
    const keys = Array.from({ length: 50 }, (_, i) => `${pool}:${i}`);
    for (const key of keys) expect(await ask(client, setOf(key, pool))).toBe("STORED\r\n");
    const expected = `${keys.map((key) => valueOf(key, pool)).join("")}END\r\n`;
    expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe(expected);
    const isAllowed = pool === "gamma";
    expect((await ask(client, "flush_all\r\n")) === "OK\r\n").toBe(isAllowed);
    expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe(isAllowed ? "END\r\n" : expected);
  }
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});

test("two tiers: conf/memcached-root.yml before conf/memcached-leaf.yml", async () => {
  const servers = await MemcachedServer.startMany(4);
  const items = servers.map((server) => server.item);
  const leaf = (own: readonly string[]) =>
    Proxy.start({ config: exampleWith("conf/memcached-leaf.yml", own) });
  await using leaf1 = await leaf(items.slice(0, 2));
  await using leaf2 = await leaf(items.slice(2));
  const leaves = [leaf1, leaf2].map((proxy) => `127.0.0.1:${proxy.port()}`);
  const config = exampleWith("conf/memcached-root.yml", leaves, "    - 0.0.0.0:1:1 leaf2\n");
  await using root = await Proxy.start({ config });

  const client = await root.connect();
  const keys = Array.from({ length: 400 }, (_, i) => `key:${i}`);
  void client.send(keys.map((key) => setOf(key, `value of ${key}`)).join(""));
  for (const _ of keys) expect(await readReply(client)).toBe("STORED\r\n");
  const expected = keys.map((key) => valueOf(key, `value of ${key}`)).join("");
  expect((await ask(client, `get ${keys.join(" ")}\r\n`)) === `${expected}END\r\n`).toBe(true);
  expect((await ask(client, `gat 0 ${keys.join(" ")}\r\n`)) === `${expected}END\r\n`).toBe(true);

  // Silent and quiet requests, keys in base64 and MN pass both.
  const encoded = Buffer.from("key:7").toString("base64");
  expect(await askAll(client, `set key:7 0 0 1 noreply\r\n7\r\nmg ${encoded} b v q\r\n`)).toEqual([
    "VA 1\r\n7\r\n",
  ]);
  expect(await askAll(client, `ma ${encoded} b N0 q\r\nmg none q\r\nmn\r\n`)).toEqual(["MN\r\n"]);
  expect(await ask(client, "get key:7\r\n")).toBe(`${valueOf("key:7", "8")}END\r\n`);

  // Each server has its share.
  for (const server of servers) {
    const direct = await server.connect();
    const stats = await ask(direct, "stats\r\n");
    expect(Number(/curr_items (\d+)/.exec(stats)?.[1])).toBeGreaterThan(40);
    direct.close();
  }
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});
