/**
 * Requests about clients of other workers: their place among the replies, what they hold while the
 * workers are asked, and what reaches a client in the end.
 */
import { expect, test } from "bun:test";
import type { Peer } from "../../src/protocol/protocol.ts";
import {
  carryOut,
  distantPeers,
  factsOf,
  type OtherWorkers,
  type PeerFacts,
  type PeerOrder,
} from "../../src/proxy/distant-peers.ts";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisServer } from "../support/redis-server.ts";
import { DataPlane, type DataPlaneOptions } from "./data-plane.ts";

const MB = 1024 * 1024;
const BUFFER_BYTES_MAX = 16 * MB;

const STRANGER: PeerFacts = {
  identity: {
    ...{ id: 1_000_000, address: "10.0.0.1:5", localAddress: "10.0.0.2:6", ageSeconds: 7 },
    ...{ name: "stranger", libraryName: "", libraryVersion: "" },
  },
  protocolVersion: 3,
  database: 4,
  isBlocked: false,
};

/** Another worker that has this client, and answers when it is told to. */
class Elsewhere implements OtherWorkers {
  readonly orders: PeerOrder[] = [];
  readonly asked: (() => void)[] = [];

  constructor(private readonly clients: readonly PeerFacts[] = [STRANGER]) {}

  peers(): Promise<readonly PeerFacts[]> {
    return new Promise((resolve) => this.asked.push(() => resolve(this.clients)));
  }

  tell(order: PeerOrder): void {
    this.orders.push(order);
  }

  answer(): void {
    for (const answer of this.asked.splice(0)) answer();
  }

  async answerOne(): Promise<void> {
    await eventually(() => this.asked.length === 1);
    this.answer();
  }
}

interface Stage {
  readonly plane: DataPlane;
  readonly elsewhere: Elsewhere;
  readonly client: RawClient;
}

/** A test with a client of a pool that another worker serves, too; nothing is left behind it. */
async function onStage(
  test: (stage: Stage) => Promise<void>,
  options?: DataPlaneOptions,
): Promise<void> {
  await using redis = await RedisServer.start();
  const elsewhere = new Elsewhere();
  using plane = await DataPlane.start({ servers: [`${redis.item}:1 s0`] }, options);
  plane.pool.askElsewhere = () => distantPeers(elsewhere, 0);
  const client = await plane.connect();
  await test({ plane, elsewhere, client });
  client.close();
  await plane.expectIdle();
}

test("the reply keeps its place, and those behind it wait for it", () =>
  onStage(async ({ plane, elsewhere, client }) => {
    await client.send("GET key\r\nCLIENT LIST\r\nGET key\r\nCLIENT KILL ID 1000000\r\nPING\r\n");
    expect(await client.readReply()).toBe("$-1\r\n");
    await eventually(() => elsewhere.asked.length === 1);
    // The reply may be large, so nothing is taken from the client before.
    expect(plane.counters().requests).toBe(1);
    elsewhere.answer();
    expect(await client.readReply()).toEndWith(
      "id=1000000 addr=10.0.0.1:5 laddr=10.0.0.2:6 name=stranger age=7 flags=N db=4 sub=0 psub=0 " +
        "ssub=0 multi=-1 watch=0 user=default redir=-1 resp=3 lib-name= lib-ver=\n\r\n",
    );
    expect(await client.readReply()).toBe("$-1\r\n");
    await elsewhere.answerOne();
    const { id, address } = STRANGER.identity;
    // Now the order is on its way; the next answer comes behind it.
    await elsewhere.answerOne();
    expect(await client.readReplies(2)).toEqual([":1\r\n", "+PONG\r\n"]);
    expect(elsewhere.orders).toEqual([{ pool: 0, id, address, action: "terminate", error: null }]);
  }));

test("a client that kills itself hears of it, and nothing behind that is done", () =>
  onStage(async ({ elsewhere, client }) => {
    await client.send("GET key\r\nCLIENT KILL TYPE normal SKIPME no\r\nPING\r\n");
    expect(await client.readReply()).toBe("$-1\r\n");
    await elsewhere.answerOne();
    await elsewhere.answerOne();
    expect(await client.readReply()).toBe(":2\r\n");
    await client.expectClosed();
  }));

test("a client that leaves meanwhile, and requests without end, leave nothing behind", () =>
  onStage(async ({ plane, elsewhere, client }) => {
    void client.send("CLIENT LIST\r\n".repeat(5_000)).catch(() => {});
    await eventually(() => elsewhere.asked.length === 1);
    expect(plane.chunkPool.bytesInUse).toBeGreaterThan(0);
    client.reset();
    await eventually(() => plane.listener.clients.size === 0);
    elsewhere.answer();
    await plane.expectIdle();
    expect(elsewhere.asked).toEqual([]);
  }));

test("a client that leaves between its order and the reply leaves nothing behind", () =>
  onStage(async ({ plane, elsewhere, client }) => {
    await client.send("CLIENT KILL ID 1000000\r\nPING\r\n");
    await elsewhere.answerOne();
    await eventually(() => elsewhere.orders.length === 1 && elsewhere.asked.length === 1);
    expect(client.unreadSize).toBe(0);
    plane.listener.clients.values().next().value!.terminate();
    elsewhere.answer();
    await client.expectClosed();
  }));

test("what it keeps of requests counts, and has the limit of everything that waits", () =>
  onStage(
    async ({ plane, elsewhere }) => {
      const count = 20;
      const clients = await Promise.all(Array.from({ length: count }, () => plane.connect()));
      const first: Promise<string>[] = [];
      let refused = 0;
      for (const client of clients) {
        const reply = client.call("CLIENT", "KILL", Buffer.alloc(MB, "x"));
        void reply.then((text) => (refused += +/No buffer space/.test(text)));
        first.push(reply);
        await eventually(() => refused + elsewhere.asked.length === first.length);
      }
      expect(refused).toBeGreaterThan(0);
      expect(plane.chunkPool.bytesInUse).toBeLessThan(BUFFER_BYTES_MAX);
      elsewhere.answer();
      const replies = await Promise.all(first);
      const answered = replies.filter((reply) => reply === "-ERR No such client\r\n");
      expect(answered.length + refused).toBe(count);
      expect(answered.length).toBeGreaterThan(4);
      // Nothing of it is left, so that the next one has all the room again.
      for (const client of clients) {
        const reply = client.call("CLIENT", "KILL", Buffer.alloc(3 * MB, "x"));
        await elsewhere.answerOne();
        expect(await reply).toBe("-ERR No such client\r\n");
        client.close();
      }
    },
    { bufferBytesMax: BUFFER_BYTES_MAX },
  ));

test("an order is for the client that was meant, or for nobody", () => {
  const done: string[] = [];
  const peer = (id: number): Peer => ({
    ...{ ...STRANGER, identity: { ...STRANGER.identity, id, address: `10.0.0.${id}:1` } },
    unblock: (error) => done.push(`unblock ${id} ${error}`) > 0,
    terminate: () => void done.push(`terminate ${id}`),
  });
  const peers = [peer(1), peer(2), peer(3)];
  const order = {
    pool: 0,
    id: 2,
    address: "10.0.0.2:1",
    action: "terminate",
    error: null,
  } as const;
  carryOut(order, peers);
  carryOut({ ...order, action: "unblock" }, peers);
  carryOut({ ...order, action: "unblock", error: new Uint8Array(Buffer.from("-X")) }, peers);
  carryOut({ ...order, id: 4 }, peers);
  carryOut({ ...order, address: "10.0.0.2:2" }, peers);
  expect(done).toEqual(["terminate 2", "unblock 2 null", "unblock 2 -X"]);
  expect(factsOf(peer(1)).identity).toEqual(peer(1).identity);
});
