/**
 * One client connection whose replies are all checked, each against the request that it answers.
 *
 *   send(requests) --> pool --> readAll(requests): right | an error of a faulty server | wrong
 */
import { nowMs } from "../../src/lib/clock.ts";
import { within } from "../support/eventually.ts";
import { RawClient } from "../support/raw-client.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { SoakRequest } from "./dialect.ts";
import { type FaultDiary, MACHINE } from "./fault-diary.ts";
import type { SoakPool } from "./ground.ts";
import type { Tally } from "./tally.ts";

export interface SoakContext {
  readonly pool: SoakPool;
  readonly random: SeededRandom;
  readonly diary: FaultDiary;
  readonly tally: Tally;
  /** No reply takes longer, or something hangs. */
  readonly deadlineMs: number;
}

const SHOWN_LENGTH = 160;
/** What a pool that fails fast says of a server that it does not use. */
const EJECTED = /is ejected(, too)?$/;
const TIMED_OUT = "Connection timed out";

export class Conversation {
  readonly client: RawClient;
  readonly #context: SoakContext;
  readonly #kind: string;
  #sentMs = 0;
  /** The proxy may close a client that does not read. */
  mayBeClosed = false;

  private constructor(client: RawClient, context: SoakContext, kind: string) {
    this.client = client;
    client.deadlineMs = context.deadlineMs;
    this.#context = context;
    this.#kind = kind;
  }

  /** @returns null, and counts it, if there is no connection */
  static async open(context: SoakContext, kind: string): Promise<Conversation | null> {
    try {
      const connecting = RawClient.connect(context.pool.address);
      return new Conversation(await within(connecting, 5000, "connected"), context, kind);
    } catch (error) {
      context.tally.wrong("lost", `${context.pool.name}: ${kind}: ${(error as Error).message}`);
      return null;
    }
  }

  /** Sends all requests in at most so many pieces, with a pause of up to `pauseMs` after each. */
  async send(requests: readonly SoakRequest[], piecesMax = 1, pauseMs = 0): Promise<void> {
    const bytes = Buffer.concat(requests.map((request) => request.bytes));
    const pieces = piecesMax > 1 ? this.#context.random.cut(bytes, piecesMax) : [bytes];
    this.#sentMs = nowMs();
    this.#context.tally.requests += requests.length;
    for (const piece of pieces) {
      await this.client.send(piece);
      if (pauseMs > 0) await Bun.sleep(this.#context.random.integer(pauseMs + 1));
    }
  }

  /** Reads and judges all replies. @returns false if the connection is of no further use */
  async readAll(
    requests: readonly SoakRequest[],
    before: () => Promise<void> | void = () => {},
  ): Promise<boolean> {
    for (const request of requests) {
      await before();
      let reply: string;
      try {
        reply = await this.#context.pool.dialect.read(this.client);
      } catch (error) {
        this.#judgeAbsent(request, error as Error);
        return false;
      }
      this.#judge(request, reply);
    }
    return true;
  }

  /** Sends and reads at the same time: neither side can wait for the other. */
  async exchange(requests: readonly SoakRequest[], piecesMax = 1, pauseMs = 0): Promise<boolean> {
    const sending = this.send(requests, piecesMax, pauseMs);
    const isFine = await this.readAll(requests);
    if (!isFine) this.client.close();
    await sending;
    return isFine;
  }

  /** The other side closes after the last reply, and sends nothing more. */
  async expectEnd(): Promise<void> {
    try {
      await this.client.expectClosed();
    } catch (error) {
      this.#wrong("lost", `the end: ${(error as Error).message}`);
    }
  }

  #judge(request: SoakRequest, reply: string): void {
    const { pool, tally } = this.#context;
    if (request.isRight(reply)) {
      tally.values++;
      return;
    }
    const trouble = pool.dialect.troubleOf(reply);
    if (trouble === null) {
      const sizes = `${reply.length} bytes`;
      this.#wrong("mismatch", `${request.shown} -> ${sizes} ${shownText(reply)}`);
      return;
    }
    if (this.#isExcused(request, trouble)) tally.error(trouble);
    else this.#wrong("stray", `${request.shown} -> ${trouble}; ${this.#histories(request)}`);
  }

  #judgeAbsent(request: SoakRequest, error: Error): void {
    const { tally } = this.#context;
    const text = `${request.shown} -> ${error.message}; ${this.#histories(request)}`;
    if (!this.client.isClosed && !error.message.startsWith("waited")) this.#wrong("mismatch", text);
    else if (!this.client.isClosed) this.#wrong("lost", text);
    else if (request.isStreamed && this.#isExcused(request, TIMED_OUT)) tally.cuts++;
    else if (this.mayBeClosed) tally.closedNonReaders++;
    else this.#wrong("lost", text);
  }

  /** True if a server that may have had the request was in trouble since it was sent. */
  #isExcused({ keys }: SoakRequest, reason: string): boolean {
    const { diary, pool } = this.#context;
    const homes = this.#serversOf(keys);
    const wasFaulty = (servers: Set<string>, graceMs: number) =>
      diary.wasFaulty(servers, this.#sentMs, nowMs(), graceMs);
    const isEjected = EJECTED.test(reason);
    if (!isEjected && wasFaulty(homes, pool.graceMs)) return true;
    if (reason === TIMED_OUT && wasFaulty(new Set([MACHINE]), pool.graceMs)) return true;
    if (pool.ejectedMs === 0 || !wasFaulty(homes, pool.ejectedMs)) return false;
    return isEjected || wasFaulty(new Set(pool.homes.values()), pool.graceMs);
  }

  #serversOf(keys: readonly string[]): Set<string> {
    return new Set(keys.map((key) => this.#context.pool.homes.get(key) ?? "nowhere"));
  }

  #histories({ keys }: SoakRequest): string {
    const histories = [...this.#serversOf(keys)].map((name) => this.#context.diary.history(name));
    return `${histories.join("; ")}; sent -${Math.round(nowMs() - this.#sentMs)} ms`;
  }

  #wrong(kind: Parameters<Tally["wrong"]>[0], text: string): void {
    this.#context.tally.wrong(kind, `${this.#context.pool.name}: ${this.#kind}: ${text}`);
  }
}

function shownText(reply: string): string {
  const head = JSON.stringify(reply.slice(0, SHOWN_LENGTH));
  return reply.length <= SHOWN_LENGTH ? head : `${head} ... ${JSON.stringify(reply.slice(-40))}`;
}
