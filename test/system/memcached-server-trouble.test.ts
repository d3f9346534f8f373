/**
 * Servers that fail, hang or talk nonsense: clients get an error and stay connected, and nobody
 * gets the reply of another.
 */
import { expect, test } from "bun:test";
import { eventuallyHolds } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { MemcachedPool, setOf, valueOf } from "../support/memcached-pool.ts";
import { ask, askAll, readReply } from "../support/memcached-replies.ts";
import { Proxy } from "../support/run-proxy.ts";

const REFUSED = "SERVER_ERROR Connection refused\r\n";

test("no server: an error for each request, silence for the silent ones", async () => {
  await using proxy = await Proxy.start({
    pools: { alpha: { redis: false, servers: [`127.0.0.1:${freePort()}:1`] } },
  });
  const client = await proxy.connect();
  for (const request of [
    "get k\r\n",
    "get a b c\r\n",
    setOf("k", "x"),
    "mg k q\r\n",
    "incr k 1\r\n",
  ]) {
    expect(await ask(client, request)).toBe(REFUSED);
  }
  void client.send("set k 0 0 1 noreply\r\nx\r\nmn\r\n");
  expect(await readReply(client)).toBe("MN\r\n");
  expect((await proxy.poolStats())["forward_error"]).toBe(5);
});

test("a server that goes and comes back", async () => {
  await using pool = await MemcachedPool.start();
  const client = await pool.connect();
  expect(await ask(client, setOf("k", "x"))).toBe("STORED\r\n");
  await pool.server(0).kill();
  expect(await ask(client, "get k\r\n")).toMatch(/^SERVER_ERROR /);
  expect(await ask(client, "get k\r\n")).toBe(REFUSED);
  await pool.server(0).restart();
  expect(await ask(client, "get k\r\n")).toBe("END\r\n");
});

test("a server that hangs: the timeout, for all that wait", async () => {
  await using pool = await MemcachedPool.start({ pool: { timeout: 1000 } });
  const client = await pool.connect();
  await ask(client, setOf("k", "x"));
  pool.server(0).freeze();
  void client.send("get k\r\nmg k v q\r\nms k 1 q\r\nx\r\nmn\r\n");
  for (let i = 0; i < 3; i++) {
    expect(await readReply(client)).toBe("SERVER_ERROR Connection timed out\r\n");
  }
  expect(await readReply(client)).toBe("MN\r\n");
  pool.server(0).thaw();
  expect(await ask(client, "get k\r\n")).toBe(`${valueOf("k", "x")}END\r\n`);
});

test("auto_eject_hosts: the keys of a lost server go to the others", async () => {
  await using pool = await MemcachedPool.start({
    servers: 2,
    pool: { auto_eject_hosts: true, server_failure_limit: 1, server_retry_timeout: 60_000 },
  });
  const [key] = await pool.keysOf(1, 1);
  const client = await pool.connect();
  await pool.server(1).kill();
  await eventuallyHolds(async () => {
    expect(await ask(client, setOf(key!, "moved"))).toBe("STORED\r\n");
  });
  expect(await ask(client, `get ${key}\r\n`)).toBe(`${valueOf(key!, "moved")}END\r\n`);
  expect((await pool.proxy.poolStats())["server_ejects"]).toBe(1);
});

/** A server that answers each line with the same bytes. */
function answering(reply: string): { port: number; stop(): void } {
  const port = freePort();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(socket, chunk) {
        const lines = chunk.toString("latin1").split("\n").length - 1;
        socket.write(Buffer.from(reply.repeat(lines), "latin1"));
      },
    },
  });
  return { port, stop: () => listener.stop(true) };
}

test.each([
  ["another protocol", "+OK\r\n"],
  ["half a value too much", "VALUE k 0 1\r\nxyz\r\nEND\r\n"],
  ["STAT lines", "STAT pid 1\r\nEND\r\n"],
  ["two replies", "END\r\nEND\r\n"],
])("%s from a server ends its connection, not the client's", async (_, reply) => {
  const server = answering(reply);
  await using proxy = await Proxy.start({
    pools: { alpha: { redis: false, servers: [`127.0.0.1:${server.port}:1`] } },
  });
  const client = await proxy.connect();
  for (let i = 0; i < 3; i++) {
    expect(await ask(client, "get k\r\n")).toMatch(/^(SERVER_ERROR Invalid argument|END)\r\n$/);
    expect(await ask(client, "mn\r\n")).toBe("MN\r\n");
  }
  await eventuallyHolds(async () => {
    expect((await proxy.serverStats(`127.0.0.1:${server.port}`))["server_err"]).toBeGreaterThan(0);
  });
  server.stop();
});

test("a strange reply to one part of a divided request is one error", async () => {
  const strange = answering("STORED\r\n");
  const good = answering("END\r\n");
  await using proxy = await Proxy.start({
    pools: {
      alpha: {
        redis: false,
        distribution: "modula",
        servers: [`127.0.0.1:${strange.port}:1 s0`, `127.0.0.1:${good.port}:1 s1`],
      },
    },
  });
  const client = await proxy.connect();
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  expect(await ask(client, `get ${keys.join(" ")}\r\n`)).toBe("SERVER_ERROR Invalid argument\r\n");
  expect(await ask(client, "mn\r\n")).toBe("MN\r\n");
  strange.stop();
  good.stop();
});

test("a server's own errors go on as they are", async () => {
  const server = answering("SERVER_ERROR out of memory storing object\r\n");
  await using proxy = await Proxy.start({
    pools: { alpha: { redis: false, servers: [`127.0.0.1:${server.port}:1`] } },
  });
  const client = await proxy.connect();
  for (const request of ["get k\r\n", "get a b\r\n", "mg k v q\r\n", "incr k 1\r\n"]) {
    expect(await ask(client, request)).toBe("SERVER_ERROR out of memory storing object\r\n");
  }
  server.stop();
});

test("a client that leaves with quiet and silent requests in flight disturbs nobody", async () => {
  await using pool = await MemcachedPool.start();
  const client = await pool.connect();
  await ask(client, setOf("k", "x".repeat(50_000)));
  for (let round = 0; round < 20; round++) {
    const leaving = await pool.connect();
    void leaving.send("get k\r\nset n 0 0 1 noreply\r\n1\r\nma n q\r\nmg k v q\r\n".repeat(20));
    leaving.reset();
    const replies = await askAll(client, "get none\r\nma n v\r\n");
    expect(replies[0]).toBe("END\r\n");
    expect(replies[1]).toMatch(/^(VA 1\r\n\d|NF)\r\n$/);
  }
});

test("unix sockets on both sides", async () => {
  await using pool = await MemcachedPool.start({ server: { unix: true } });
  const client = await pool.connect();
  expect(await ask(client, setOf("k", "x"))).toBe("STORED\r\n");
  expect(await ask(client, "get k k\r\n")).toBe(`${valueOf("k", "x").repeat(2)}END\r\n`);
});
