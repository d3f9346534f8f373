/**
 * Clients that send requests without end, and judge each reply.
 *
 *   await using load = await VerifiedLoad.start(proxy, { dialect, keys, faulty });
 *   ... faults ...
 *   await load.answered("healthy", 100);   // goes on while a server is in trouble
 *   await load.stop(); expect(load.wrong).toEqual([]);
 *
 * Half of the clients use keys of healthy servers only, as a pipeline keeps its order: behind a
 * request that waits all wait. Errors are right for requests with a key of a server in trouble; a
 * client may be closed in the middle of a large reply of such a server. All else is wrong, also a
 * reply that does not come.
 */
import { eventually } from "./eventually.ts";
import { DIALECTS, isLarge } from "./load-dialects.ts";
import type { Dialect, DialectName } from "./load-dialects.ts";
import type { RawClient } from "./raw-client.ts";
import type { Proxy } from "./run-proxy.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface LoadOptions {
  readonly dialect: DialectName;
  /** Keys of servers that are never in trouble, and keys of those that are. */
  readonly healthy: readonly string[];
  readonly faulty: readonly string[];
  /** 8 is the default. */
  readonly clients?: number;
  /** Requests sent before a reply is read, at most; 8 is the default. */
  readonly pipelineMax?: number;
  /** Replies of a faulty server may belong to other requests: they are counted, and not wrong. */
  readonly mayShift?: boolean;
  readonly seed?: number;
}

/** Requests with right values, by whether a key of a faulty server was in them. */
export interface LoadCounts {
  healthy: number;
  faulty: number;
  /** Error replies, all of them for keys of faulty servers. */
  errors: number;
  /** Connections that ended in the middle of a large reply. */
  cuts: number;
  /** Replies of a faulty server that belong to another request. */
  shifts: number;
}

interface LoadRequest {
  readonly bytes: string;
  readonly keys: readonly string[];
  readonly isSet: boolean;
  readonly isFaulty: boolean;
}

/** Far beyond any timeout of a test's pool: a reply that takes longer will not come. */
const HANG_MS = 8000;
const WRONG_MAX = 10;
const AFTER_ERROR_MS = 3;

export class VerifiedLoad {
  readonly counts: LoadCounts = { healthy: 0, faulty: 0, errors: 0, cuts: 0, shifts: 0 };
  /** What must not be, in words; the first few. */
  readonly wrong: string[] = [];
  readonly #proxy: Proxy;
  readonly #options: LoadOptions;
  readonly #dialect: Dialect;
  readonly #faulty: ReadonlySet<string>;
  #isOver = false;
  #clients: Promise<void>[] = [];

  private constructor(proxy: Proxy, options: LoadOptions) {
    this.#proxy = proxy;
    this.#options = options;
    this.#dialect = DIALECTS[options.dialect];
    this.#faulty = new Set(options.faulty);
  }

  static start(proxy: Proxy, options: LoadOptions): VerifiedLoad {
    const load = new VerifiedLoad(proxy, options);
    const random = new SeededRandom(options.seed ?? 1);
    const count = options.clients ?? 8;
    load.#clients = Array.from({ length: count }, (_, index) => {
      const all = [...options.healthy, ...options.faulty];
      const keys = index % 2 === 0 ? options.healthy : all;
      return load.#client(new SeededRandom(random.next()), keys);
    });
    return load;
  }

  /** Waits until so many more have happened. */
  async counted(what: keyof LoadCounts, count: number, deadlineMs = 6000): Promise<void> {
    const least = this.counts[what] + count;
    await eventually(() => this.counts[what] >= least || this.wrong.length > 0, {
      what: `${count} more "${what}" under load`,
      deadlineMs,
    });
  }

  /** Ends all clients, when each has read what it asked for. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #client(random: SeededRandom, keys: readonly string[]): Promise<void> {
    while (!this.#isOver && this.wrong.length < WRONG_MAX) {
      const client = await this.#proxy.connect();
      client.deadlineMs = HANG_MS;
      try {
        while (!this.#isOver && (await this.#pipeline(random, keys, client)));
      } catch (error) {
        this.wrong.push(String(error));
      } finally {
        client.close();
      }
    }
  }

  /** @returns false if the connection is over */
  async #pipeline(
    random: SeededRandom,
    keys: readonly string[],
    client: RawClient,
  ): Promise<boolean> {
    const count = random.between(1, this.#options.pipelineMax ?? 8);
    const requests = Array.from({ length: count }, () => this.#request(random, keys));
    void client.send(requests.map((request) => request.bytes).join(""));
    let errors = 0;
    for (const request of requests) {
      let reply: string;
      try {
        reply = await this.#dialect.readReply(client);
      } catch (error) {
        if (!isCut(client, request)) {
          throw new Error(`${shown(request.bytes)} had no reply: ${error}`, { cause: error });
        }
        this.counts.cuts++;
        return false;
      }
      if (this.#isRight(request, reply)) this.counts[request.isFaulty ? "faulty" : "healthy"]++;
      else if (request.isFaulty && this.#dialect.isError(reply)) errors++;
      else if (request.isFaulty && this.#options.mayShift) this.counts.shifts++;
      else throw new Error(`${shown(request.bytes)} was answered ${shown(reply)}`);
    }
    this.counts.errors += errors;
    // A server that refuses answers faster than others work.
    if (errors > 0) await Bun.sleep(AFTER_ERROR_MS);
    return true;
  }

  #request(random: SeededRandom, keys: readonly string[]): LoadRequest {
    const key = random.pick(keys);
    const kind = random.integer(10);
    if (kind < 3) return this.#requestOf(this.#dialect.set(key), [key], true);
    const count = kind < 8 || isLarge(key) ? 1 : random.between(2, 6);
    const small = keys.filter((one) => !isLarge(one));
    const more = Array.from({ length: count - 1 }, () => random.pick(small));
    const asked = [...new Set([key, ...more])];
    return this.#requestOf(this.#dialect.get(asked), asked, false);
  }

  #requestOf(bytes: string, keys: readonly string[], isSet: boolean): LoadRequest {
    return { bytes, keys, isSet, isFaulty: keys.some((key) => this.#faulty.has(key)) };
  }

  #isRight(request: LoadRequest, reply: string): boolean {
    if (request.isSet) return reply === this.#dialect.stored;
    return this.#dialect.isValues(reply, request.keys);
  }
}

function isCut(client: RawClient, request: LoadRequest): boolean {
  return client.isClosed && request.isFaulty && request.keys.some(isLarge);
}

function shown(bytes: string): string {
  const end = bytes.length > 120 ? ` … (${bytes.length} bytes)` : "";
  return `${JSON.stringify(bytes.slice(0, 120))}${end}`;
}
