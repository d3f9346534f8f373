/**
 * Servers whose replies come in pieces of any size, late, together, and now and then not to the
 * end, or with garbage in between: every reply a client reads is right or an error.
 */
import { expect, test } from "bun:test";
import { nowMs } from "../../src/lib/clock.ts";
import type { ChaosCounts } from "../support/chaos-client.ts";
import { chaosSession } from "../support/chaos-client.ts";
import { bulk } from "../support/resp.ts";
import type { Peer } from "../support/scripted-server.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import { SeededRandom, withSeed } from "../support/seeded-random.ts";
import { DataPlane } from "./data-plane.ts";

const RUN_MS = 1500;
const FAULTS = ["fin", "reset", "garbage", "half", "silence", "error"] as const;
const TROUBLE =
  /^ERR (Connection (reset by peer|refused|timed out)|unknown|Invalid argument|Broken pipe|oops)$/;

/** A small Redis that writes its replies as the random numbers say. */
class FaultyServer {
  readonly #values = new Map<string, string>();
  readonly #random: SeededRandom;
  readonly #faultChance: number;
  readonly server = ScriptedServer.start((peer, args) => this.#answer(peer, args));

  constructor(random: SeededRandom, faultChance: number) {
    this.#random = random;
    this.#faultChance = faultChance;
  }

  #answer(peer: Peer, args: readonly string[]): void {
    if (peer.isClosed || silent.has(peer)) return;
    const reply = this.#reply(args);
    if (this.#random.chance(this.#faultChance)) this.#fail(peer, reply);
    else this.#write(peer, reply);
  }

  #reply([name = "", ...args]: readonly string[]): string {
    const key = args[0] ?? "";
    const value = (one: string) => {
      const found = this.#values.get(one);
      return found === undefined ? "$-1\r\n" : bulk(found);
    };
    const known = args.filter((one) => this.#values.has(one));
    switch (name.toLowerCase()) {
      case "get":
        return value(key);
      case "mget":
        return `*${args.length}\r\n${args.map(value).join("")}`;
      case "set":
      case "mset":
        for (let i = 0; i < args.length; i += 2) this.#values.set(args[i]!, args[i + 1]!);
        return "+OK\r\n";
      case "del":
      case "unlink":
        for (const one of known) this.#values.delete(one);
        return `:${known.length}\r\n`;
      case "exists":
      case "touch":
        return `:${known.length}\r\n`;
      case "eval":
        return bulk(args[2] ?? "");
      case "hello":
        return "%1\r\n$5\r\nproto\r\n:3\r\n";
      default:
        return "+OK\r\n";
    }
  }

  #fail(peer: Peer, reply: string): void {
    const fault = this.#random.pick(FAULTS);
    if (fault === "error") return this.#write(peer, "-ERR oops\r\n");
    if (fault === "garbage") this.#write(peer, "?what\r\n");
    if (fault === "half") this.#write(peer, reply.slice(0, this.#random.integer(reply.length)));
    silent.add(peer);
    if (fault === "fin") peer.finish();
    if (fault === "reset") peer.reset();
    if (fault === "half" && this.#random.chance(0.5)) setTimeout(() => peer.reset(), 20);
  }

  /** All at once, or piece by piece, turn by turn. */
  #write(peer: Peer, reply: string): void {
    const queue = queues.get(peer) ?? [];
    const isFirst = queue.length === 0;
    const bytes = Buffer.from(reply, "latin1");
    const pieces = this.#random.chance(0.6) ? [bytes] : this.#random.cut(bytes, 20);
    if (isFirst && pieces.length === 1) return peer.write(bytes);
    queue.push(...pieces);
    queues.set(peer, queue);
    if (isFirst) this.#writeOn(peer, queue);
  }

  #writeOn(peer: Peer, queue: Uint8Array[]): void {
    if (peer.isClosed) return;
    const piece = queue[0];
    if (piece === undefined) return;
    peer.write(piece);
    setImmediate(() => {
      queue.shift();
      this.#writeOn(peer, queue);
    });
  }
}

const queues = new Map<Peer, Uint8Array[]>();
const silent = new Set<Peer>();

test.each([
  [0, 512],
  [0.003, 512],
  [0.02, 16_384],
])(
  "faults with a chance of %p, chunks of %p bytes",
  (faultChance, chunkSizeBytes) =>
    withSeed(async (random) => {
      const servers = Array.from({ length: 3 }, () => {
        return new FaultyServer(new SeededRandom(random.next()), faultChance);
      });
      const items = servers.map(({ server }, index) => `${server.item}:1 s${index}`);
      const timeout = faultChance === 0 ? 0 : 200;
      using plane = await DataPlane.start({ servers: items, timeout }, { chunkSizeBytes });
      const counts: ChaosCounts = { sessions: 0, replies: 0, errors: 0, values: 0, cuts: 0 };
      const endMs = nowMs() + RUN_MS;
      const work = async (own: SeededRandom) => {
        while (nowMs() < endMs) await chaosSession(own, plane.address, counts, TROUBLE);
      };
      await Promise.all(Array.from({ length: 8 }, () => work(new SeededRandom(random.next()))));
      await plane.expectIdle();
      expect(plane.log.filter((line) => line.startsWith("error"))).toEqual([]);
      if (faultChance === 0) expect(counts.errors).toBe(0);
      else expect(counts.errors).toBeGreaterThan(0);
      expect(counts.values).toBeGreaterThan(100);
      for (const { server } of servers) server.stop();
    }),
  60_000,
);
