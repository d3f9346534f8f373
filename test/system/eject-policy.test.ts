/**
 * What clients see of a dead server under each eject_policy, with real servers.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { MemcachedServer } from "../support/memcached-server.ts";
import { ask } from "../support/memcached-replies.ts";
import { valueOf } from "../support/redis-pool.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk } from "../support/resp.ts";
import type { PoolSettings } from "../support/run-proxy.ts";
import { Proxy } from "../support/run-proxy.ts";
import type { ServerProcess } from "../support/server-process.ts";

const EJECTED = "-ERR Server 's0' is ejected\r\n";
const EJECTED_TOO = /^-ERR Server 't[01]' of failover pool 'beta' is ejected, too\r\n$/;
const REFUSED = "-ERR Connection refused\r\n";

/** Pool "alpha" before three servers, and "beta" before two with a ring of another kind. */
class TwoPools<S extends ServerProcess> {
  private constructor(
    readonly servers: readonly S[],
    readonly spares: readonly S[],
    readonly proxy: Proxy,
  ) {}

  static async start<S extends ServerProcess>(
    kind: { startMany(count: number): Promise<S[]> },
    alpha: Omit<PoolSettings, "servers">,
    beta: Omit<PoolSettings, "servers"> = {},
  ): Promise<TwoPools<S>> {
    const [servers, spares] = await Promise.all([kind.startMany(3), kind.startMany(2)]);
    const items = (list: readonly S[], letter: string) =>
      list.map(({ item }, index) => `${item}:1 ${letter}${index}`);
    // A hash that spreads keys that are alike, and another one for the spares.
    const common = { hash: "murmur", server_failure_limit: 1, server_probe_interval: 50, ...alpha };
    const others = { hash: "md5", distribution: "modula", redis: alpha["redis"] ?? true };
    const proxy = await Proxy.start({
      pools: {
        alpha: { ...common, server_retry_timeout: 100, servers: items(servers, "s") },
        beta: { ...others, ...beta, servers: items(spares, "t") },
      },
    });
    return new TwoPools(servers, spares, proxy);
  }

  async state(server: string, pool = "alpha"): Promise<string> {
    return String((await this.proxy.serverStats(server, pool))["server_state"]);
  }

  async until(server: string, state: "healthy" | "out", pool = "alpha"): Promise<void> {
    await eventually(async () => {
      const now = await this.state(server, pool);
      return state === "out" ? /^(ejected|probing)$/.test(now) : now === state;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    for (const server of [...this.servers, ...this.spares]) await server[Symbol.asyncDispose]();
  }
}

/** Fills keys through alpha; returns those of s0, and those of the others. */
async function fill(pools: TwoPools<RedisServer>): Promise<{ dead: string[]; alive: string[] }> {
  const client = await pools.proxy.connect("alpha");
  const keys = Array.from({ length: 60 }, (_, i) => `k${i}`);
  await client.pipeline(keys.map((key) => ["SET", key, valueOf(key)]));
  client.close();
  const dead = await pools.servers[0]!.keys();
  return { dead, alive: keys.filter((key) => !dead.includes(key)) };
}

test("fail_fast: the ring stays, and keys of a dead server get an error at once", async () => {
  await using pools = await TwoPools.start(RedisServer, { eject_policy: "fail_fast" });
  const { dead, alive } = await fill(pools);
  const [key, other] = [dead[0]!, alive[0]!];
  const client = await pools.proxy.connect("alpha");
  await pools.servers[0]!.kill();
  await pools.proxy.untilNotConnected("s0");
  expect(await client.call("GET", key)).toBe(REFUSED);
  await pools.until("s0", "out");
  for (const lost of dead) expect(await client.call("SET", lost, "x")).toBe(EJECTED);
  for (const kept of alive) expect(await client.call("GET", kept)).toBe(bulk(valueOf(kept)));
  expect(await client.call("MGET", other, key)).toBe(EJECTED);
  expect(await client.call("MGET", ...dead)).toBe(EJECTED);
  expect(await client.call("DEL", key, other)).toBe(EJECTED);
  expect(await client.call("RENAME", key, key)).toBe(EJECTED);
  // Nothing is lost of what is asked behind it.
  expect(
    await client.pipeline([
      ["GET", key],
      ["GET", alive[1]!],
      ["MSET", key, "1", alive[2]!, valueOf(alive[2]!)],
      ["GET", alive[2]!],
    ]),
  ).toEqual([EJECTED, bulk(valueOf(alive[1]!)), EJECTED, bulk(valueOf(alive[2]!))]);
  expect(await client.call("INFO")).toContain("servers_ejected:1\r\n");
  expect(await client.call("INFO")).toContain("eject_policy:fail_fast\r\n");
  expect(await (await pools.proxy.connect("beta")).call("INFO")).toContain("eject_policy:none\r\n");
  await pools.servers[0]!.restart();
  await pools.until("s0", "healthy");
  expect(await client.call("SET", key, "again")).toBe("+OK\r\n");
  expect(await pools.servers[0]!.keys()).toEqual([key]);
  expect(pools.proxy.log).toMatch(/'s0' is ejected after 1 failure \(Connection refused\)/);
  expect(pools.proxy.log).toMatch(/'s0' is back after \d+ msec: it answered a probe/);
  client.close();
});

test("failover: keys of a dead server go by the ring of the other pool until it is back", async () => {
  await using pools = await TwoPools.start(RedisServer, { eject_policy: "failover: beta" });
  const { dead, alive } = await fill(pools);
  const [client, beta] = [await pools.proxy.connect("alpha"), await pools.proxy.connect("beta")];
  await pools.servers[0]!.kill();
  await eventually(async () => (await client.call("GET", dead[0]!)) === "$-1\r\n");
  for (const key of dead) expect(await client.call("SET", key, `new ${key}`)).toBe("+OK\r\n");
  for (const key of dead) expect(await beta.call("GET", key)).toBe(bulk(`new ${key}`));
  for (const key of alive) expect(await client.call("GET", key)).toBe(bulk(valueOf(key)));
  // Both spares, as beta's own ring has it.
  const spread = await Promise.all(pools.spares.map((server) => server.keys()));
  expect(spread.flat().sort()).toEqual(dead.toSorted());
  expect(spread.every((keys) => keys.length > 0)).toBeTrue();
  const mixed = [alive[0]!, dead[0]!, alive[1]!, dead[1]!, dead[2]!];
  const values = mixed.map((key) => (dead.includes(key) ? `new ${key}` : valueOf(key)));
  expect(await client.call("MGET", ...mixed)).toBe(`*5\r\n${values.map(bulk).join("")}`);
  const pairs = mixed.flatMap((key) => [key, `set ${key}`]);
  expect(await client.call("MSET", ...pairs)).toBe("+OK\r\n");
  expect(await client.call("EXISTS", ...mixed)).toBe(":5\r\n");
  expect(await beta.call("GET", dead[2]!)).toBe(bulk(`set ${dead[2]}`));
  await pools.servers[0]!.restart();
  await pools.until("s0", "healthy");
  expect(await client.call("GET", dead[0]!)).toBe("$-1\r\n");
  expect(await beta.call("GET", dead[0]!)).toBe(bulk(`set ${dead[0]}`));
  client.close();
  beta.close();
});

test("failover: database and protocol version go with the client", async () => {
  await using pools = await TwoPools.start(RedisServer, { eject_policy: "failover: beta" });
  const { dead } = await fill(pools);
  const key = dead[0]!;
  await pools.servers[0]!.kill();
  const client = await pools.proxy.connect("alpha");
  await eventually(async () => (await client.call("GET", key)) === "$-1\r\n");
  expect(await client.call("SELECT", "5")).toBe("+OK\r\n");
  expect(await client.call("HSET", key, "a", "1")).toBe(":1\r\n");
  expect(await client.call("HELLO", "3")).toStartWith("%");
  expect(await client.call("HGETALL", key)).toBe(`%1\r\n${bulk("a")}${bulk("1")}`);
  const stored = await Promise.all(pools.spares.map((server) => server.keys(5)));
  expect(stored.flat()).toEqual([key]);
  client.close();
});

test.each([
  ["fail_fast", EJECTED_TOO],
  ["rehash", REFUSED],
  ["failover: alpha", EJECTED_TOO],
])("failover makes one hop: the other pool is dead, too, and has %p", async (policy, expected) => {
  await using pools = await TwoPools.start(
    RedisServer,
    { eject_policy: "failover: beta" },
    { eject_policy: policy, server_failure_limit: 1, auto_eject_hosts: true },
  );
  const { dead } = await fill(pools);
  const [client, beta] = [await pools.proxy.connect("alpha"), await pools.proxy.connect("beta")];
  await Promise.all(pools.spares.map((server) => server.kill()));
  await pools.servers[0]!.kill();
  // beta first: with its own failover its keys go to the servers of alpha that are left.
  for (const spare of ["t0", "t1"]) {
    await eventually(async () => {
      await beta.call("GET", `k${Math.floor(Math.random() * 100)}`);
      return /ejected|probing/.test(await pools.state(spare, "beta"));
    });
  }
  await eventually(async () => {
    await client.call("GET", dead[0]!);
    return /ejected|probing/.test(await pools.state("s0"));
  });
  for (const key of dead) expect(await client.call("GET", key)).toMatch(expected);
  expect(await client.call("MGET", dead[0]!, dead[1]!, dead[2]!)).toMatch(expected);
  await pools.spares[0]!.restart();
  await pools.spares[1]!.restart();
  await eventually(async () => {
    const replies = await client.pipeline(dead.map((key) => ["GET", key]));
    return replies.every((reply) => reply === "$-1\r\n");
  });
  client.close();
  beta.close();
});

test("memcached, fail_fast and failover", async () => {
  for (const policy of ["fail_fast", "failover: beta"]) {
    const settings = { redis: false, eject_policy: policy, memcached_flush_all: true };
    await using pools = await TwoPools.start(MemcachedServer, settings);
    const client = await pools.proxy.connect("alpha");
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);
    for (const key of keys) await ask(client, `set ${key} 0 0 1\r\n1\r\n`);
    const direct = await pools.servers[0]!.connect();
    const dead: string[] = [];
    for (const key of keys) {
      if ((await ask(direct, `get ${key}\r\n`)) !== "END\r\n") dead.push(key);
    }
    const [key, other] = [dead[0]!, keys.find((one) => !dead.includes(one))!];
    direct.close();
    await pools.servers[0]!.kill();
    await eventually(async () => {
      await ask(client, `get ${key}\r\n`);
      return /ejected|probing/.test(await pools.state("s0"));
    });
    const isFast = policy === "fail_fast";
    const error = "SERVER_ERROR Server 's0' is ejected\r\n";
    expect(await ask(client, `set ${key} 0 0 1\r\n2\r\n`)).toBe(isFast ? error : "STORED\r\n");
    const values = `VALUE ${other} 0 1\r\n1\r\nVALUE ${key} 0 1\r\n2\r\nEND\r\n`;
    const reply = await ask(client, `get ${other} ${key}\r\n`);
    expect(reply.split(/(?=VALUE)/).length).toBe(isFast ? 1 : 2);
    if (isFast) expect(reply).toBe(error);
    else expect(reply.length).toBe(values.length);
    // The silent ones stay silent, and flush_all does not say that it has emptied a dead server.
    void client.send(`set ${key} 0 0 1 noreply\r\n3\r\nset ${other} 0 0 1 noreply\r\n3\r\n`);
    expect(await ask(client, `get ${other}\r\n`)).toBe(`VALUE ${other} 0 1\r\n3\r\nEND\r\n`);
    expect(await ask(client, "flush_all\r\n")).toBe(error);
    await pools.servers[0]!.restart();
    await pools.until("s0", "healthy");
    expect(await ask(client, `get ${key}\r\n`)).toBe("END\r\n");
    expect(await ask(client, "flush_all\r\n")).toBe("OK\r\n");
    client.close();
  }
}, 20_000);
