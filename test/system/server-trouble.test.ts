/**
 * A server that refuses, closes, resets, hangs or talks garbage: what the client reads.
 *
 * Requests on the connection that failed get the error, each in its place; the next request
 * connects again, and clients of other servers notice nothing.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { Proxy } from "../support/run-proxy.ts";
import type { PoolSettings } from "../support/run-proxy.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import type { Script } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function startProxy(item: string, settings: Omit<PoolSettings, "servers"> = {}): Promise<Proxy> {
  return Proxy.start({ pools: { alpha: { ...settings, servers: [`${item}:1 s0`] } } });
}

test("refused", async () => {
  await using proxy = await startProxy(`127.0.0.1:${freePort()}`);
  const client = await proxy.connect();
  const replies = await client.pipeline([["GET", "a"], ["PING"], ["SET", "b", "1"]]);
  const refused = "-ERR Connection refused\r\n";
  expect(replies).toEqual([refused, "+PONG\r\n", refused]);
  expect(await client.call("GET", "a")).toBe(refused);
  expect(await proxy.serverStats("s0")).toMatchObject({ server_eof: 0, server_connections: 0 });
  expect(await proxy.poolStats()).toMatchObject({ forward_error: 3 });
});

test("a unix socket that is not there", async () => {
  await using proxy = await startProxy(`${temporaryFolder("nothing")}/redis.sock`);
  const client = await proxy.connect();
  expect(await client.call("GET", "a")).toBe("-ERR No such file or directory\r\n");
  await client.expectOpen();
});

test("a name that does not resolve", async () => {
  await using proxy = await startProxy("no-such-host.invalid:6379");
  const client = await proxy.connect();
  client.deadlineMs = 20_000;
  expect(await client.call("GET", "a")).toBe("-ERR Host is down\r\n");
  await client.expectOpen();
}, 30_000);

/** What happens to the second request, by script, and what its client reads. */
const FAULTS: readonly (readonly [string, Script, string])[] = [
  ["FIN", (peer) => peer.finish(), "unknown"],
  ["RST", (peer) => peer.reset(), "Connection reset by peer"],
  ["garbage", (peer) => peer.write("HTTP/1.1 400 Bad Request\r\n\r\n"), "Invalid argument"],
  ["a length that is none", (peer) => peer.write("$abc\r\n"), "Invalid argument"],
  ["a bulk without its end", (peer) => peer.write("$1\r\nabc\r\n"), "Invalid argument"],
  [
    "FIN inside a reply",
    (peer) => {
      peer.write("$10\r\nhalf");
      peer.finish();
    },
    "unknown",
  ],
  [
    "FIN inside an array",
    (peer) => {
      peer.write("*3\r\n$1\r\na\r\n*2\r\n:1\r\n");
      peer.finish();
    },
    "unknown",
  ],
];

test.each(FAULTS)(
  "%s fails what waits on the connection, and nothing else",
  async (_, fault, text) => {
    using server = ScriptedServer.start((peer, args, index) => {
      if (args[1] === "bad") fault(peer, args, index);
      else if (peer.requests.every((request) => request[1] !== "bad"))
        peer.write(bulk(args[1] ?? ""));
    });
    await using healthy = await RedisServer.start();
    await using proxy = await Proxy.start({
      pools: {
        alpha: { servers: [`${server.item}:1 s0`] },
        beta: { servers: [`${healthy.item}:1 s0`] },
      },
    });
    const [client, second, neighbour] = await Promise.all([
      proxy.connect("alpha"),
      proxy.connect("alpha"),
      proxy.connect("beta"),
    ]);
    expect(await second.call("GET", "warm")).toBe(bulk("warm"));
    const failed = `-ERR ${text}\r\n`;
    const replies = await client.pipeline([
      ["GET", "good"],
      ["GET", "bad"],
      ["GET", "later"],
      ["PING"],
      ["GET", "last"],
    ]);
    expect(replies).toEqual([bulk("good"), failed, failed, "+PONG\r\n", failed]);
    // The next request has a new connection.
    expect(await client.call("GET", "fresh")).toBe(bulk("fresh"));
    expect(await second.call("GET", "other")).toBe(bulk("other"));
    expect(await neighbour.call("SET", "a", "1")).toBe("+OK\r\n");
    expect(server.peers.length).toBe(2);
  },
);

test("FIN inside a large reply that has begun ends its client; others get an error", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[1] === "large") peer.write(`$1000000\r\n${"x".repeat(600_000)}`);
    else if (!peer.requests.some((request) => request[1] === "large")) {
      peer.write(bulk(args[1] ?? ""));
    }
  });
  await using proxy = await startProxy(server.item);
  const [client, other] = await Promise.all([proxy.connect(), proxy.connect()]);
  void client.send(Buffer.concat([encodeRequest(["GET", "a"]), encodeRequest(["GET", "large"])]));
  expect(await client.readReply()).toBe(bulk("a"));
  await eventually(() => server.requests.length === 2);
  void other.request("GET", "b");
  await eventually(() => server.requests.length === 3);
  server.peers[0]?.finish();
  expect(await other.readReply()).toBe("-ERR unknown\r\n");
  const rest = await client.readToEnd();
  expect(`$1000000\r\n${"x".repeat(600_000)}`.startsWith(rest)).toBe(true);
  expect(await other.call("GET", "c")).toBe(bulk("c"));
  expect(server.peers.length).toBe(2);
});

test("a reply that nobody asked for closes the connection before it can shift others", async () => {
  using server = ScriptedServer.start((peer, args) => peer.write(bulk(args[1] ?? "")));
  await using proxy = await startProxy(server.item);
  const client = await proxy.connect();
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  server.peers[0]?.write("+STRAY\r\n");
  await eventually(() => server.openPeers.length === 0, { what: "the connection is closed" });
  expect(await client.call("GET", "b")).toBe(bulk("b"));
  expect(server.peers.length).toBe(2);
  expect(await proxy.serverStats("s0")).toMatchObject({ server_err: 1, responses: 2 });
});

test("fragment replies of a wrong kind are an error and shift nothing", async () => {
  const answers = [
    "*-1\r\n",
    "*0\r\n",
    "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
    "+OK\r\n",
    ":2\r\n",
  ];
  for (const answer of [...answers, "$1\r\nx\r\n", "*2\r\n:1\r\n:2\r\n", "*2\r\n*0\r\n*0\r\n"]) {
    using server = ScriptedServer.start((peer, args) => {
      peer.write(args[0]?.toLowerCase() === "get" ? bulk(args[1] ?? "") : answer);
    });
    await using proxy = await startProxy(server.item);
    const client = await proxy.connect();
    const replies = await client.pipeline([
      ["MGET", "a", "b"],
      ["GET", "c"],
    ]);
    expect(replies).toEqual(["-ERR Invalid argument\r\n", bulk("c")]);
    if (!answer.startsWith(":")) {
      expect(await client.call("DEL", "a", "b")).toBe("-ERR Invalid argument\r\n");
    }
    if (!answer.startsWith("+")) {
      expect(await client.call("MSET", "a", "1", "b", "2")).toBe("-ERR Invalid argument\r\n");
    }
    expect(await client.call("GET", "d")).toBe(bulk("d"));
  }
});

test("a server that hangs is given up after `timeout`", async () => {
  await using redis = await RedisServer.start();
  await using proxy = await startProxy(redis.item, { timeout: 1000 });
  const client = await proxy.connect();
  expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  redis.freeze();
  const replies = await client.pipeline([["GET", "a"], ["PING"], ["MGET", "a", "b"]]);
  const late = "-ERR Connection timed out\r\n";
  expect(replies).toEqual([late, "+PONG\r\n", late]);
  expect(await proxy.serverStats("s0")).toMatchObject({ server_timedout: 1 });
  redis.thaw();
  expect(await client.call("GET", "a")).toBe(bulk("1"));
});

test("a server that never accepts is given up after `timeout`", async () => {
  await using redis = await RedisServer.start({ args: ["--tcp-backlog", "1"] });
  await using proxy = await startProxy(redis.item, { timeout: 200 });
  redis.freeze();
  // Fills the accept queue: then the kernel answers no more connection requests.
  const fillers = Array.from({ length: 4 }, () => RawClient.connect(redis.port));
  await fillers[0];
  await fillers[1];
  const client = await proxy.connect();
  expect(await client.call("GET", "a")).toBe("-ERR Connection timed out\r\n");
  await client.expectOpen();
  redis.thaw();
  for (const filler of await Promise.all(fillers)) filler.close();
});

test("without `timeout` a slow server is waited for", async () => {
  await using redis = await RedisServer.start();
  await using proxy = await startProxy(redis.item);
  const client = await proxy.connect();
  expect(await client.call("SET", "a", "1")).toBe("+OK\r\n");
  const sleeper = await redis.connect();
  void sleeper.request("DEBUG", "SLEEP", "0.4");
  expect(await client.call("GET", "a")).toBe(bulk("1"));
  sleeper.close();
});

test("a server that is killed and comes back under load", async () => {
  await using redis = await RedisServer.start();
  await using proxy = await startProxy(redis.item);
  const clients = await Promise.all(Array.from({ length: 5 }, () => proxy.connect()));
  let isDown = false;
  const errors = new Set<string>();
  const work = clients.map(async (client, index) => {
    let good = 0;
    while (!isDown || good < 50) {
      const key = `k${index}:${good % 7}`;
      const replies = await client.pipeline([["SET", key, key], ["GET", key], ["PING"]]);
      expect(replies[2]).toBe("+PONG\r\n");
      const failed = replies.filter((reply) => reply.startsWith("-"));
      for (const reply of failed) errors.add(reply.trim());
      if (failed.length > 0) good = 0;
      else good++;
      if (failed.length === 0) expect(replies[1]).toBe(bulk(key));
      else await Bun.sleep(2);
    }
    client.close();
  });
  await Bun.sleep(30);
  await redis.kill();
  await eventually(() => errors.size > 0);
  await redis.restart();
  isDown = true;
  await Promise.all(work);
  for (const error of errors) {
    expect(error).toMatch(
      /^-(ERR (Connection refused|unknown|Connection reset by peer|Broken pipe)|LOADING .*)$/,
    );
  }
});
