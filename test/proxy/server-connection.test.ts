/**
 * Requests out and responses in, by position: what belongs to nobody must never reach anybody.
 */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { bulk } from "../support/resp.ts";
import type { Peer } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { DataPlane } from "./data-plane.ts";

test.each(["+STRAY\r\n", "!6\r\nvvvvvv\r\n", "|1\r\n+a\r\n+b\r\n-ERR c\r\n"])(
  "a reply that comes before the request is written belongs to nobody: %j",
  async (stray) => {
    using server = ScriptedServer.start((peer, args) => peer.write(bulk(args[1] ?? "")));
    using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
    const client = await plane.connect();
    expect(await client.call("GET", "warm")).toBe(bulk("warm"));
    // Both are there when the proxy's next turn starts, the request first.
    void client.request("GET", "a");
    server.peers[0]!.write(stray);
    expect(await client.readReply()).toBe("-ERR Invalid argument\r\n");
    expect(
      await client.pipeline([
        ["GET", "b"],
        ["GET", "c"],
      ]),
    ).toEqual([bulk("b"), bulk("c")]);
    expect(server.peers.length).toBe(2);
    expect(plane.counters()).toMatchObject({ serverErr: 1 });
    client.close();
    await plane.expectIdle();
  },
);

test("an error that comes before the request is written is the server's refusal", async () => {
  const refusal = "-ERR max number of clients reached\r\n";
  using server = ScriptedServer.start((peer, args) => peer.write(bulk(args[1] ?? "")));
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  expect(await client.call("GET", "warm")).toBe(bulk("warm"));
  void client.send("GET a\r\nGET b\r\n");
  server.peers[0]!.write(refusal);
  expect(await client.readReplies(2)).toEqual([refusal, refusal]);
  expect(await client.call("GET", "c")).toBe(bulk("c"));
  expect(server.peers.length).toBe(2);
  const words = "refused the connection: ERR max number of clients reached";
  expect(plane.log.filter((line) => line.includes(words))).toHaveLength(1);
  client.close();
  await plane.expectIdle();
});

test("a server that refuses the connection in words of its own is quoted", async () => {
  const refusal = "-ERR max number of clients reached\r\n";
  using server = ScriptedServer.start(() => {}, {
    onConnect: (peer) => {
      peer.write(refusal);
      peer.finish();
    },
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  for (let i = 0; i < 20; i++) {
    const [first, ...others] = await client.pipeline([
      ["GET", "a"],
      ["GET", "b"],
      ["GET", "c"],
    ]);
    const texts = [refusal, "-ERR unknown\r\n", "-ERR Connection reset by peer\r\n"];
    expect(texts).toContain(first!);
    for (const other of others) expect(texts).toContain(other);
  }
  client.close();
  await plane.expectIdle();
});

test("an early reply to a request that is half written is its reply", async () => {
  using server = ScriptedServer.start((peer, args) => {
    if (args[0] === "GET") peer.write(bulk(args[1]!));
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  const value = Buffer.alloc(20_000_000, "x");
  void client.request("SET", "a", value);
  await eventually(() => {
    const { requests, inQueueBytes } = plane.counters();
    return requests === 1 && inQueueBytes < value.length;
  });
  server.peers[0]!.write("-ERR too large\r\n");
  expect(await client.readReply()).toBe("-ERR too large\r\n");
  client.deadlineMs = 20_000;
  expect(await client.call("GET", "b")).toBe(bulk("b"));
  client.close();
  await plane.expectIdle();
}, 30_000);

/** A server that says something before the request has come whole, and then reads no more. */
function hastyServer(words: string) {
  const peers: Bun.Socket<undefined>[] = [];
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => void peers.push(socket),
      data(socket) {
        socket.pause();
        socket.write(words);
      },
    },
  });
  const say = (text: string) => peers[0]?.write(text);
  return { item: `127.0.0.1:${listener.port}`, say, [Symbol.dispose]: () => listener.stop(true) };
}

test("two replies to a request that is not written whole: the second one is nobody's", async () => {
  using server = hastyServer("+OK\r\n+OK\r\n");
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  void client.request("SET", "k", Buffer.alloc(32_000_000, "x"));
  expect(await client.readReply()).toBe("+OK\r\n");
  await eventually(() => plane.counters().serverConnections === 0);
  expect(plane.log.filter((line) => line.includes("a handler of"))).toEqual([]);
  client.close();
  await plane.expectIdle();
});

test("a reply that nobody asked for is not that of a request behind an unwritten one", async () => {
  using server = hastyServer("+FIRST\r\n");
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const [client, other] = [await plane.connect(), await plane.connect()];
  void client.request("SET", "k", Buffer.alloc(32_000_000, "x"));
  expect(await client.readReply()).toBe("+FIRST\r\n");
  void other.request("GET", "other");
  await eventually(() => plane.counters().inQueue === 1);
  server.say("+UNASKED\r\n");
  expect(await other.readReply()).toBe("-ERR Invalid argument\r\n");
  client.close();
  other.close();
  await plane.expectIdle();
});

test.each(["while a request waits", "while none does"])(
  "a large push is for nobody, %s",
  async (when) => {
    const push = `>2\r\n$300000\r\n${"p".repeat(300_000)}\r\n:1\r\n`;
    using server = ScriptedServer.start((peer, args) => {
      if (when === "while a request waits") peer.write(push);
      peer.write(bulk(args[1]!));
      if (when === "while none does") peer.write(push);
    });
    using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
    const client = await plane.connect();
    for (const key of ["a", "b", "c"]) expect(await client.call("GET", key)).toBe(bulk(key));
    client.close();
    await plane.expectIdle();
    expect(server.openPeers.length).toBe(1);
  },
);

test("many replies and a fault in one piece: what came before the fault counts", async () => {
  let held: string[] = [];
  using server = ScriptedServer.start((peer, args) => {
    if (args[1] === "settled") {
      peer.write(bulk("settled"));
      return;
    }
    held.push(bulk(args[1]!));
    if (args[1] !== "k99") return;
    peer.write(`${held.slice(0, 50).join("")}?\r\n`);
    held = [];
  });
  using plane = await DataPlane.start(
    { servers: [`${server.item}:1 s0`] },
    { chunkSizeBytes: 512 },
  );
  const client = await plane.connectSettled();
  const replies = await client.pipeline(Array.from({ length: 100 }, (_, i) => ["GET", `k${i}`]));
  for (const [i, reply] of replies.entries()) {
    expect(reply).toBe(i < 50 ? bulk(`k${i}`) : "-ERR Invalid argument\r\n");
  }
  await eventually(() => server.openPeers.length === 0);
  client.close();
  await plane.expectIdle();
});

test("a reset that only the write notices fails the requests", async () => {
  let peer: Peer | undefined;
  using server = ScriptedServer.start((own, args) => {
    peer = own;
    own.write(bulk(args[1]!));
  });
  using plane = await DataPlane.start({ servers: [`${server.item}:1 s0`] });
  const client = await plane.connect();
  expect(await client.call("GET", "a")).toBe(bulk("a"));
  // After the last event of the turn, and before its write.
  const { turn } = plane.pool;
  const add = turn.add.bind(turn);
  turn.add = (member) => {
    add(member);
    peer?.reset();
  };
  const replies = await client.pipeline([
    ["GET", "b"],
    ["MGET", "c", "d"],
  ]);
  for (const reply of replies) {
    expect(reply).toMatch(/^-ERR (unknown|Connection reset by peer|Broken pipe)\r\n$/);
  }
  turn.add = add;
  expect(await client.call("GET", "e")).toBe(bulk("e"));
  client.close();
  await plane.expectIdle();
});
