/**
 * A real redis-server for a test, on a free loopback port or a unix socket.
 *
 *   await using redis = await RedisServer.start();
 *   redis.port; await redis.command("SET", "a", "1"); await redis.kill(); await redis.restart();
 *
 * Keeps its port over kill and restart; its data is lost on the way.
 */
import type { RawClient } from "./raw-client.ts";
import { ErrorReply } from "./resp.ts";
import type { Argument, ReplyValue } from "./resp.ts";
import { ServerProcess } from "./server-process.ts";

export interface RedisOptions {
  /** Listen on a unix socket instead of a port. */
  readonly unix?: boolean;
  readonly requirepass?: string;
  /** More words of the command line: `["--maxmemory", "1mb"]`. */
  readonly args?: readonly string[];
}

export class RedisServer extends ServerProcess {
  readonly #options: RedisOptions;
  #control: RawClient | undefined;

  private constructor(options: RedisOptions) {
    super("redis-server", options.unix ?? false);
    this.#options = options;
  }

  static start(options: RedisOptions = {}): Promise<RedisServer> {
    return new RedisServer(options).startFirst();
  }

  /** Starts several servers at once. */
  static startMany(count: number, options: RedisOptions = {}): Promise<RedisServer[]> {
    return Promise.all(Array.from({ length: count }, () => RedisServer.start(options)));
  }

  /** A new direct connection, authenticated if the server wants it. */
  override async connect(): Promise<RawClient> {
    const client = await super.connect();
    const password = this.#options.requirepass;
    if (password !== undefined) {
      const reply = await client.call("AUTH", password);
      if (reply !== "+OK\r\n") throw new Error(`redis-server: AUTH failed: ${reply}`);
    }
    return client;
  }

  /** Runs a command directly on the server. @throws Error if the server answers an error */
  async command(...args: readonly Argument[]): Promise<ReplyValue> {
    if (this.#control === undefined || this.#control.isClosed) this.#control = await this.connect();
    const value = await this.#control.value(...args);
    if (value instanceof ErrorReply) throw new Error(`redis-server: ${args[0]}: ${value.text}`);
    return value;
  }

  /** A line of INFO as a number, such as `connected_clients`. */
  async info(name: string): Promise<number> {
    const text = String(await this.command("INFO", "everything"));
    const found = new RegExp(`^${name}:(.*)\r$`, "m").exec(text);
    if (found === null) throw new Error(`redis-server: no "${name}" in INFO`);
    return Number(found[1]);
  }

  /** Keys of a database, sorted. */
  async keys(database = 0): Promise<string[]> {
    const client = await this.connect();
    try {
      await client.call("SELECT", database);
      const found = (await client.value("KEYS", "*")) as Buffer[];
      return found.map((key) => key.toString("latin1")).sort();
    } finally {
      client.close();
    }
  }

  override async stop(): Promise<void> {
    this.#control?.close();
    await super.stop();
  }

  override async kill(): Promise<void> {
    this.#control?.close();
    await super.kill();
  }

  protected override commandLine(): string[] {
    const listen = this.#options.unix
      ? ["--port", "0", "--unixsocket", this.socketPath]
      : ["--port", String(this.port), "--bind", "127.0.0.1"];
    const password = this.#options.requirepass;
    return [
      "redis-server",
      ...listen,
      ...["--dir", this.folder, "--save", "", "--appendonly", "no"],
      ...["--enable-debug-command", "yes", "--proto-max-bulk-len", "1gb"],
      ...(password === undefined ? [] : ["--requirepass", password]),
      ...(this.#options.args ?? []),
    ];
  }

  protected override async isReady(client: RawClient): Promise<boolean> {
    return (await client.call("PING")) === "+PONG\r\n";
  }
}
