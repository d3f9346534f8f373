/**
 * The parts of fuzzers for whole connections: a proxy before servers, a client that behaves well
 * all the time, and one that sends whatever it is told.
 *
 *   good client ----> proxy ----> server, server        each value is derived from its key:
 *   fuzzed client --> (a process of its own)            a reply of somebody else shows
 */
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import type { Proxy } from "../support/run-proxy.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import { ParseStatus } from "../../src/protocol/protocol.ts";
import { ensure, escaped } from "./fuzzer.ts";
import type { ReadOne } from "./reference.ts";

/** On a busy machine, too. */
export const DEADLINE_MS = 10_000;
const SENDS_MAX = 6;

/** A request of the good client, and what its reply must be. */
export interface Expectation {
  readonly request: string;
  readonly reply: string;
}

export function goodKey(index: number): string {
  return `good:${index}`;
}

export function goodValue(key: string): string {
  return `value of ${key}${".".repeat(key.length % 7)}`;
}

/** A client with requests of known replies, asked while something else goes on. */
export class GoodClient {
  readonly #client: RawClient;
  readonly #expect: () => Expectation;
  rounds = 0;

  constructor(client: RawClient, expect: () => Expectation) {
    this.#client = client;
    this.#client.deadlineMs = DEADLINE_MS;
    this.#expect = expect;
  }

  /** Does `work`; meanwhile, and at least once, all replies must be right. */
  async during(work: () => Promise<void>): Promise<void> {
    let isOver = false;
    const asking = (async () => {
      do await this.#round();
      while (!isOver);
    })();
    try {
      await work();
    } finally {
      isOver = true;
      await asking;
    }
  }

  close(): void {
    this.#client.close();
  }

  async #round(): Promise<void> {
    const all = Array.from({ length: 6 }, this.#expect);
    void this.#client.send(all.map(({ request }) => request).join(""));
    for (const { request, reply } of all) {
      const read = (await this.#client.readExactly(reply.length)).toString("latin1");
      ensure(read === reply, () => {
        return `the good client asked ${JSON.stringify(request)} and read ${JSON.stringify(read)}`;
      });
    }
    this.rounds++;
  }
}

/** Sends bytes in a few pieces, then FIN; returns all that came until the proxy closed. */
export async function converse(
  client: RawClient,
  bytes: Buffer,
  random: SeededRandom,
): Promise<string> {
  client.deadlineMs = DEADLINE_MS;
  const pieces = bytes.length === 0 ? [] : random.cut(bytes, random.pick([1, SENDS_MAX]));
  for (const piece of pieces) {
    await client.send(piece);
    // The next piece is to be another packet.
    if (pieces.length > 1) await Bun.sleep(0);
  }
  client.halfClose();
  const text = await client.readToEnd();
  client.close();
  return text;
}

/** Divides what a client read into replies. @throws Error if it is anything else */
export function splitReplies(text: string, readOne: ReadOne): string[] {
  const replies: string[] = [];
  for (let at = 0; at < text.length;) {
    const { status, end } = readOne(text, at);
    const isReply = status === ParseStatus.Complete;
    ensure(isReply, () => `at ${at} is no reply: ${escaped(Buffer.from(text, "latin1"))}`);
    replies.push(text.slice(at, end));
    at = end;
  }
  return replies;
}

/** With all clients gone nothing is left of them, and nothing went wrong inside of the proxy. */
export async function expectIdle(proxy: Proxy): Promise<void> {
  ensure(proxy.isRunning, () => `the proxy has ended:\n${proxy.stderr}${proxy.log.slice(-2000)}`);
  await eventually(
    async () => {
      const stats = await proxy.poolStats();
      const servers = Object.values(stats).filter((value) => typeof value === "object");
      const waiting = (servers as unknown as Record<string, number>[]).reduce(
        (sum, server) => sum + server["in_queue"]! + server["out_queue"]!,
        0,
      );
      return stats["client_connections"] === 0 && waiting === 0;
    },
    { what: "no client and no request is left", deadlineMs: DEADLINE_MS },
  );
  ensure(proxy.stderr === "", () => `stderr: ${proxy.stderr}`);
  ensure(!proxy.log.includes("handler failed"), () => `the log:\n${proxy.log.slice(-2000)}`);
}
