/**
 * A large reply goes on to its client as it comes; and a server that dies in the middle of one ends
 * that client's connection, since half a reply cannot be taken back. Nobody else notices.
 */
import { expect, test } from "bun:test";
import { hashFunction } from "../../src/hash/hashes.ts";
import { Router } from "../../src/routing/router.ts";
import { eventually } from "../support/eventually.ts";
import { Proxy } from "../support/run-proxy.ts";
import { ScriptedServer } from "../support/scripted-server.ts";

const SIZE = 1_000_000;
const HEAD = `$${SIZE}\r\n`;
const FIRST_HALF = HEAD + "x".repeat(SIZE / 2);
const SECOND_HALF = `${"y".repeat(SIZE / 2)}\r\n`;

function startProxy(server: ScriptedServer, timeout: number): Promise<Proxy> {
  return Proxy.start({ pools: { alpha: { timeout, servers: [`${server.item}:1 s0`] } } });
}

/** A key that belongs to a server of a pool of s0 and s1 with the default settings. */
function keyOf(serverIndex: number): string {
  const servers = ["s0", "s1"].map((name) => ({ name, weight: 1 }));
  const hash = hashFunction("fnv1a_64");
  const router = new Router({ hash, distribution: "ketama", hashTag: null, servers });
  for (let i = 0; ; i++) {
    const key = Buffer.from(`key${i}`);
    if (router.serverIndexOf(key, 0, key.length) === serverIndex) return key.toString();
  }
}

test("the first half is there before the second is sent", async () => {
  await using server = ScriptedServer.start((peer, _args, index) => {
    if (index === 0) peer.write(FIRST_HALF);
  });
  await using proxy = await startProxy(server, 0);
  const client = await proxy.connect();
  const other = await proxy.connect();
  void client.request("GET", "a");
  expect((await client.readExactly(SIZE / 4)).toString("latin1", 0, HEAD.length)).toBe(HEAD);
  const waiting = other.call("GET", "b");
  await eventually(() => server.requests.length === 2);
  server.peers[0]!.write(`${SECOND_HALF}+later\r\n`);
  const rest = await client.readExactly(HEAD.length + SIZE + 2 - SIZE / 4);
  expect(rest.toString("latin1", rest.length - 3)).toBe("y\r\n");
  expect(await waiting).toBe("+later\r\n");
  client.close();
  other.close();
});

test("a server that dies in the middle: that connection ends, others get an error", async () => {
  await using server = ScriptedServer.start((peer, _args, index) => {
    if (index === 0) peer.write(FIRST_HALF);
  });
  await using proxy = await startProxy(server, 1000);
  const client = await proxy.connect();
  const other = await proxy.connect();
  void client.request("GET", "a");
  await client.readExactly(SIZE / 4);
  const waiting = other.call("GET", "b");
  const own = client.expectClosed({ allowRest: true });
  await expect(waiting).resolves.toBe("-ERR Connection timed out\r\n");
  await own;
  expect(await other.call("PING")).toBe("+PONG\r\n");
  other.close();
});

test("not its turn yet: the reply waits, and can still become an error", async () => {
  await using slow = ScriptedServer.start(() => {});
  await using fast = ScriptedServer.start((peer) => peer.write(FIRST_HALF));
  await using proxy = await Proxy.start({
    pools: {
      alpha: { timeout: 400, servers: [`${slow.item}:1 s0`, `${fast.item}:1 s1`] },
    },
  });
  const client = await proxy.connect();
  const replies = await client.pipeline([
    ["GET", keyOf(0)],
    ["GET", keyOf(1)],
  ]);
  expect(replies).toEqual(Array(2).fill("-ERR Connection timed out\r\n"));
  await client.expectOpen();
  client.close();
});
