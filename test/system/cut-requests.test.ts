/**
 * Requests in pieces, end to end: byte by byte, and cut at every position.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { splitsOf } from "../support/every-split.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { bulk, encodeRequest } from "../support/resp.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { Proxy } from "../support/run-proxy.ts";

const STREAM = Buffer.concat([
  encodeRequest(["SET", "a", "one\r\ntwo"]),
  encodeRequest(["get", "a"]),
  encodeRequest(["PING"]),
  encodeRequest(["MSET", "b", "", "c", "3", "d", "4"]),
  encodeRequest(["MGET", "d", "nothing", "b", "a"]),
  encodeRequest(["NONSENSE", "a"]),
  encodeRequest(["EVAL", "return ARGV[1]", "1", "a", "x"]),
  Buffer.from('SET e "in line"\r\n'),
  encodeRequest(["DEL", "a", "b", "c", "d", "e"]),
]);

const REPLIES = [
  "+OK\r\n",
  bulk("one\r\ntwo"),
  "+PONG\r\n",
  "+OK\r\n",
  `*4\r\n${bulk("4")}$-1\r\n${bulk("")}${bulk("one\r\ntwo")}`,
  expect.stringMatching(/^-ERR /),
  bulk("x"),
  "+OK\r\n",
  ":5\r\n",
];

let pool: RedisPool;
let client: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 3 });
});

beforeEach(async () => {
  client = await pool.connect();
});

afterAll(() => pool?.[Symbol.asyncDispose]());

test("whole, byte by byte, and cut at every position", async () => {
  for (const { label, pieces } of splitsOf(STREAM)) {
    for (const piece of pieces) {
      await client.send(piece);
      // Gives the kernel no reason to join the pieces: each is read before the next is sent.
      if (pieces.length === 2) await roundTrip();
    }
    const replies = await client.readReplies(REPLIES.length);
    expect({ label, replies }).toEqual({ label, replies: REPLIES });
  }
  await client.expectOpen();
  client.close();
}, 30_000);

/** Another client's PING: when it is answered, the proxy has read what was sent before it. */
async function roundTrip(): Promise<void> {
  other ??= await pool.connect();
  await other.call("PING");
}

let other: RawClient | undefined;

test("replies of a server in pieces, cut at every position", async () => {
  const reply = `*3\r\n${bulk("x\r\ny")}*2\r\n:-7\r\n$-1\r\n-ERR inside\r\n`;
  const splits = [...splitsOf(Buffer.from(reply, "latin1"))];
  using server = ScriptedServer.start((peer, args) => {
    const pieces = [...(splits[Number(args[1])]?.pieces ?? [])];
    const sendNext = (): void => {
      const piece = pieces.shift();
      if (piece === undefined) return;
      peer.write(piece);
      setImmediate(sendNext);
    };
    sendNext();
  });
  await using proxy = await Proxy.start({ pools: { alpha: { servers: [`${server.item}:1`] } } });
  const reader = await proxy.connect();
  for (const [index, { label }] of splits.entries()) {
    const found = await reader.call("LRANGE", String(index), "0", "-1");
    expect({ label, found }).toEqual({ label, found: reply });
  }
  reader.close();
});
