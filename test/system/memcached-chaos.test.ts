/**
 * Many clients at once, and others that leave in the middle of anything or talk nonsense: each one
 * reads what it wrote, and never a reply of another.
 */
import { expect, test } from "bun:test";
import { MemcachedPool, setOf, valueOf } from "../support/memcached-pool.ts";
import { askAll, readReply } from "../support/memcached-replies.ts";
import type { RawClient } from "../support/raw-client.ts";
import { SeededRandom, withSeed } from "../support/seeded-random.ts";

const CLIENTS = 16;
const ROUNDS = 60;
const KEYS = 12;

/** A client with keys of its own, and what it must find there. */
class Resident {
  readonly #client: RawClient;
  readonly #random: SeededRandom;
  readonly #name: string;
  readonly #values = new Map<string, string>();
  #requests = "";
  #expected: string[] = [];

  constructor(client: RawClient, random: SeededRandom, name: string) {
    this.#client = client;
    this.#random = random;
    this.#name = name;
  }

  /** Sends a pipeline of anything, in pieces, and compares all replies. */
  async round(): Promise<void> {
    for (let left = this.#random.between(1, 25); left > 0; left--) this.#act();
    const bytes = Buffer.from(this.#requests, "latin1");
    const pieces = this.#random.cut(bytes, 4);
    for (const piece of pieces) await this.#client.send(piece);
    for (const expected of this.#expected) {
      const reply = await readReply(this.#client);
      if (reply !== expected)
        expect({ name: this.#name, reply }).toEqual({ name: "", reply: expected });
    }
    this.#requests = "";
    this.#expected = [];
  }

  #act(): void {
    const random = this.#random;
    const key = this.#key();
    const value = `${this.#name} ${random.integer(1e9)} `.repeat(random.pick([1, 1, 1, 3, 900]));
    const old = this.#values.get(key);
    const size = value.length;
    switch (random.integer(10)) {
      case 0:
        this.#values.set(key, value);
        return this.#ask(setOf(key, value), "STORED\r\n");
      case 1:
        this.#values.set(key, value);
        return this.#ask(`set ${key} 0 0 ${size} noreply\r\n${value}\r\n`);
      case 2:
        this.#values.set(key, value);
        return this.#ask(`ms ${key} ${size} q\r\n${value}\r\n`);
      case 3:
        this.#values.delete(key);
        return this.#ask(`delete ${key}\r\n`, old === undefined ? "NOT_FOUND\r\n" : "DELETED\r\n");
      case 4:
        if (old === undefined) return this.#ask(`mg ${key} v q\r\n`);
        return this.#ask(`mg ${key} v q O1\r\n`, `VA ${old.length} O1\r\n${old}\r\n`);
      case 5:
        return this.#ask("mn\r\n", "MN\r\n");
      case 6:
        return this.#ask(`set ${key} x 0 5\r\n`, "CLIENT_ERROR bad command line format\r\n");
      default:
        return this.#getMany();
    }
  }

  #getMany(): void {
    const count = this.#random.pick([1, 1, 2, 5]);
    const keys = Array.from({ length: count }, () => this.#key());
    const found = keys.filter((key) => this.#values.has(key));
    // Values of several servers may change places where keys are missing.
    if (found.length < keys.length && keys.length > 1) return;
    const values = found.map((key) => valueOf(key, this.#values.get(key) ?? ""));
    this.#ask(`get ${keys.join(" ")}\r\n`, `${values.join("")}END\r\n`);
  }

  #key(): string {
    return `${this.#name}:${this.#random.integer(KEYS)}`;
  }

  #ask(request: string, reply?: string): void {
    this.#requests += request;
    if (reply !== undefined) this.#expected.push(reply);
  }
}

const NONSENSE = [
  "set half 0 0 100\r\nonly this",
  "get a b c d e f\r\nget ",
  `ms half 5 q\r\nhello\r\n${"mg none v q\r\n".repeat(30)}`,
  `${"set n 0 0 1 noreply\r\n1\r\n".repeat(50)}quit\r\n`,
  "\x80\x01\0\0\0\0",
  "a".repeat(20_000),
  `ma n N0 q\r\nma n q v\r\n${"get n n n\r\n".repeat(40)}`,
  "set k 0 0 3\r\nabcdefgh\r\n\0\xff\n\n\n",
];

test("sixteen clients, and as many that behave badly", async () => {
  await using pool = await MemcachedPool.start({ servers: 3, pool: { server_connections: 1 } });
  await withSeed(async (random) => {
    const residents = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, i) => {
        const client = await pool.connect();
        client.deadlineMs = 15_000;
        return new Resident(client, new SeededRandom(random.next()), `client${i}`);
      }),
    );
    let isOver = false;
    const visits = Array.from({ length: CLIENTS }, async () => {
      while (!isOver) {
        const visitor = await pool.connect();
        await visitor.send(Buffer.from(random.pick(NONSENSE), "latin1"));
        if (random.chance(0.5)) await Bun.sleep(random.integer(4));
        if (random.chance(0.5)) visitor.reset();
        else visitor.close();
      }
    });
    try {
      await Promise.all(
        residents.map(async (resident) => {
          for (let round = 0; round < ROUNDS; round++) await resident.round();
        }),
      );
    } finally {
      isOver = true;
      await Promise.all(visits);
    }
  });
  const client = await pool.connect();
  expect(await askAll(client, "mn\r\n")).toEqual(["MN\r\n"]);
  for (const server of ["s0", "s1", "s2"]) {
    expect(await pool.proxy.serverStats(server)).toMatchObject({ server_eof: 0, server_err: 0 });
  }
}, 60_000);
