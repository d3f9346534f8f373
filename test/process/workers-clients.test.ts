/**
 * What clients of one worker may know of those of another, and do to them: CLIENT LIST, KILL and
 * UNBLOCK with -w, through real processes.
 */
import { expect, test } from "bun:test";
import { eventually, eventuallyHolds } from "../support/eventually.ts";
import { freezeProcess, thawProcess } from "../support/freeze.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool, valueOf } from "../support/redis-pool.ts";
import { bulk } from "../support/resp.ts";
import { workersOf } from "./worker-family.ts";

const WORKERS = 3;
const CLIENTS = 40;

interface Member {
  readonly client: RawClient;
  readonly id: number;
}

/** Clients of every worker, in the order of their numbers. */
async function start(): Promise<{ pool: RedisPool; members: Member[] }> {
  const pool = await RedisPool.start({ args: ["-w", `${WORKERS}`] });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => pool.connect()));
  const members = await Promise.all(
    clients.map(async (client) => ({ client, id: Number(await client.value("CLIENT", "ID")) })),
  );
  members.sort((a, b) => a.id - b.id);
  return { pool, members };
}

/** Worker 2 of 3 gives its clients the numbers 2, 5, 8 ... */
const workerOf = (member: Member) => (member.id - 1) % WORKERS;

/** One client of each worker. */
function oneOfEach(members: readonly Member[]): Member[] {
  const found = [0, 1, 2].map((worker) => members.find((one) => workerOf(one) === worker));
  return found.filter((one) => one !== undefined);
}

/** The lines of a list as what they say of `field`. */
function column(list: unknown, field: string): string[] {
  const values = String(list).matchAll(new RegExp(`(?:^|^txt:|\\n)(?:.* )?${field}=(\\S*)`, "g"));
  return Array.from(values, (match) => match[1]!);
}

const idsOf = (members: readonly Member[]) => members.map(({ id }) => id);

async function idsSeenBy({ client }: Member): Promise<number[]> {
  return column(await client.value("CLIENT", "LIST"), "id").map(Number);
}

test("CLIENT LIST shows those of all workers to each", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const asking = oneOfEach(members);
  expect(asking).toHaveLength(WORKERS);
  await Promise.all(members.map(({ client, id }) => client.call("CLIENT", "SETNAME", `n${id}`)));
  await asking[1]!.client.call("HELLO", "3", "SETNAME", `n${asking[1]!.id}`);
  for (const { client } of asking) {
    const list = await client.value("CLIENT", "LIST");
    expect(column(list, "id").map(Number)).toEqual(idsOf(members));
    expect(column(list, "name")).toEqual(members.map(({ id }) => `n${id}`));
    expect(new Set(column(list, "addr")).size).toBe(CLIENTS);
    expect(new Set(column(list, "laddr"))).toEqual(new Set([`127.0.0.1:${pool.proxy.port()}`]));
    expect(column(list, "resp").filter((version) => version === "3")).toHaveLength(1);
  }
  const some = members.slice(3, 9).map(({ id }) => `${id}`);
  const list = await asking[0]!.client.value("CLIENT", "LIST", "ID", ...some);
  expect(column(list, "id")).toEqual(some);
});

test("CLIENT KILL finds a client wherever it is, by its number or address", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const [one, two, three] = oneOfEach(members) as [Member, Member, Member];
  expect(await one.client.call("CLIENT", "KILL", "ID", `${two.id}`)).toBe(":1\r\n");
  await two.client.expectClosed();
  const list = await one.client.value("CLIENT", "LIST", "ID", `${three.id}`);
  const [address = ""] = column(list, "addr");
  expect(await one.client.call("CLIENT", "KILL", address)).toBe("+OK\r\n");
  await three.client.expectClosed();
  expect(await one.client.call("CLIENT", "KILL", address)).toBe("-ERR No such client\r\n");
  const left = members.filter((member) => member !== two && member !== three);
  const asking = left.at(-1)!;
  const killed = await asking.client.call("CLIENT", "KILL", "TYPE", "normal");
  expect(killed).toBe(`:${left.length - 1}\r\n`);
  for (const { client } of left) if (client !== asking.client) await client.expectClosed();
  expect(await idsSeenBy(asking)).toEqual([asking.id]);
  const all = await asking.client.call("CLIENT", "KILL", "SKIPME", "no", "USER", "default");
  expect(all).toBe(":1\r\n");
  await asking.client.expectClosed();
});

test("CLIENT UNBLOCK reaches a client that waits with another worker", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const [one, two, three] = oneOfEach(members) as [Member, Member, Member];
  const waiting = [two, three].map(({ client }) => client.request("BLPOP", "empty", "0"));
  const flags = async () => column(await one.client.value("CLIENT", "LIST"), "flags");
  await eventually(async () => (await flags()).filter((flag) => flag === "b").length === 2);
  expect(await one.client.call("CLIENT", "UNBLOCK", `${two.id}`)).toBe(":1\r\n");
  expect(await one.client.call("CLIENT", "UNBLOCK", `${three.id}`, "ERROR")).toBe(":1\r\n");
  await Promise.all(waiting);
  expect(await two.client.readReply()).toBe("*-1\r\n");
  expect(await three.client.readReply()).toStartWith("-UNBLOCKED ");
  expect(await one.client.call("CLIENT", "UNBLOCK", `${two.id}`)).toBe(":0\r\n");
  expect(await one.client.call("CLIENT", "UNBLOCK", "999999")).toBe(":0\r\n");
});

test("who was told that a client is killed or unblocked may rely on it", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const [one] = oneOfEach(members) as [Member, Member, Member];
  const others = members.filter((member) => workerOf(member) !== workerOf(one)).slice(0, 20);
  for (const [index, { client, id }] of others.entries()) {
    await client.request("BLPOP", "queue", "0");
    const isBlocked = async () => {
      const list = await one.client.value("CLIENT", "LIST", "ID", `${id}`);
      return column(list, "flags")[0] === "b";
    };
    await eventually(isBlocked);
    const order = index % 2 === 0 ? ["KILL", "ID", `${id}`] : ["UNBLOCK", `${id}`];
    const push = ["RPUSH", "queue", "element"];
    expect(await one.client.pipeline([["CLIENT", ...order], push])).toEqual([":1\r\n", ":1\r\n"]);
    if (index % 2 === 0) await client.expectClosed();
    else expect(await client.readReply()).toBe("*-1\r\n");
    expect(await one.client.call("LPOP", "queue")).toBe(bulk("element"));
  }
});

test("replies keep their places in a pipeline", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const [one, two] = oneOfEach(members) as [Member, Member, Member];
  await one.client.call("SET", "key", valueOf("key"));
  const rounds = 50;
  for (let round = 0; round < rounds; round++) {
    void one.client.request("CLIENT", "LIST", "ID", `${two.id}`);
    void one.client.request("GET", "key");
    void one.client.request("PING", `${round}`);
  }
  for (let round = 0; round < rounds; round++) {
    expect(column(await one.client.readReply(), "id")).toEqual([`${two.id}`]);
    expect(await one.client.readReply()).toBe(bulk(valueOf("key")));
    expect(await one.client.readReply()).toBe(bulk(`${round}`));
  }
  void one.client.request("CLIENT", "REPLY", "SKIP");
  void one.client.request("CLIENT", "KILL", "ID", `${two.id}`);
  expect(await one.client.call("PING")).toBe("+PONG\r\n");
  await two.client.expectClosed();
});

test("a worker or a supervisor that hangs is not waited for", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const [one, , three] = oneOfEach(members) as [Member, Member, Member];
  const hanging = workersOf(pool.proxy.pid)[2]!;
  freezeProcess(hanging);
  const others = members.filter((member) => workerOf(member) !== workerOf(three));
  await eventuallyHolds(async () => expect(await idsSeenBy(one)).toEqual(idsOf(others)));
  // It is not asked again until it has answered, or each of these would take a second.
  for (let i = 0; i < 30; i++) expect(await idsSeenBy(one)).toEqual(idsOf(others));
  thawProcess(hanging);
  await three.client.expectOpen();
  await eventuallyHolds(async () => expect(await idsSeenBy(one)).toEqual(idsOf(members)));
  freezeProcess(pool.proxy.pid);
  const mates = members.filter((member) => workerOf(member) === workerOf(one));
  expect(await idsSeenBy(one)).toEqual(idsOf(mates));
  thawProcess(pool.proxy.pid);
  await eventuallyHolds(async () => expect(await idsSeenBy(one)).toEqual(idsOf(members)));
}, 20_000);

test("a client that leaves while its question is on the way harms nobody", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const [one, two] = oneOfEach(members) as [Member, Member, Member];
  freezeProcess(pool.proxy.pid);
  await one.client.request("CLIENT", "LIST");
  one.client.close();
  thawProcess(pool.proxy.pid);
  const left = members.filter((member) => member !== one);
  await eventuallyHolds(async () => expect(await idsSeenBy(two)).toEqual(idsOf(left)));
});

test("questions do not hold up the end of a worker whose supervisor is killed", async () => {
  const { pool, members } = await start();
  await using _ = pool;
  const [one] = oneOfEach(members) as [Member, Member, Member];
  const rounds = 20;
  freezeProcess(pool.proxy.pid);
  await one.client.send(`PING\r\n${"CLIENT LIST\r\n".repeat(rounds)}PING last\r\n`);
  expect(await one.client.readReply()).toBe("+PONG\r\n");
  pool.proxy.signal("SIGKILL");
  for (let round = 0; round < rounds; round++) {
    expect(column(await one.client.readReply(), "id")).toContain(`${one.id}`);
  }
  expect(await one.client.readReply()).toBe(bulk("last"));
  await one.client.expectClosed();
}, 15_000);
