/**
 * A real redis-server for a test, on a free loopback port or a unix socket.
 *
 *   await using redis = await RedisServer.start();
 *   redis.port; await redis.command("SET", "a", "1"); await redis.kill(); await redis.restart();
 *
 * Keeps its port over kill and restart; its data is lost on the way.
 */
import { join } from "node:path";
import { ChildProcess } from "./child-process.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { RawClient } from "./raw-client.ts";
import type { Address } from "./raw-client.ts";
import { ErrorReply } from "./resp.ts";
import type { Argument, ReplyValue } from "./resp.ts";
import { removeFolder, temporaryFolder } from "./temporary-folder.ts";

export interface RedisOptions {
  /** Listen on a unix socket instead of a port. */
  readonly unix?: boolean;
  readonly requirepass?: string;
  /** More words of the command line: `["--maxmemory", "1mb"]`. */
  readonly args?: readonly string[];
}

const STARTS_MAX = 5;

export class RedisServer {
  #options: RedisOptions;
  #child: ChildProcess | undefined;
  #control: RawClient | undefined;
  readonly folder: string = temporaryFolder("redis");
  /** 0 for a server on a unix socket. */
  port = 0;

  private constructor(options: RedisOptions) {
    this.#options = options;
  }

  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options);
    for (let attempt = 1; ; attempt++) {
      server.port = options.unix ? 0 : freePort();
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.kill();
        if (attempt === STARTS_MAX || options.unix) throw error;
      }
    }
  }

  /** Starts several servers at once. */
  static startMany(count: number, options: RedisOptions = {}): Promise<RedisServer[]> {
    return Promise.all(Array.from({ length: count }, () => RedisServer.start(options)));
  }

  get socketPath(): string {
    return join(this.folder, "redis.sock");
  }

  get address(): Address {
    return this.#options.unix ? { unix: this.socketPath } : { port: this.port };
  }

  /** The server as an item of a pool's `servers:` list, without weight and name. */
  get item(): string {
    return this.#options.unix ? this.socketPath : `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.#child === undefined) throw new Error("redis-server is not running");
    return this.#child.pid;
  }

  /** A new direct connection, authenticated if the server wants it. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.address);
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

  /** Ends the server in good order: its connections see FIN. */
  async stop(): Promise<void> {
    this.#control?.close();
    await this.#child?.stop("SIGTERM");
  }

  /** Ends the server at once, as a crash does. */
  async kill(): Promise<void> {
    this.#control?.close();
    this.#child?.signal("SIGKILL");
    await this.#child?.process.exited;
  }

  /** Starts the server again on its old address. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#launch();
  }

  /** Holds the server as a hanging machine would; `thaw` lets it go on. */
  freeze(): void {
    this.#child?.signal("SIGSTOP");
  }

  thaw(): void {
    this.#child?.signal("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#control?.close();
    this.thaw();
    await this.kill();
    removeFolder(this.folder);
  }

  async #launch(): Promise<void> {
    const listen = this.#options.unix
      ? ["--port", "0", "--unixsocket", this.socketPath]
      : ["--port", String(this.port), "--bind", "127.0.0.1"];
    const password = this.#options.requirepass;
    const child = new ChildProcess({
      command: [
        "redis-server",
        ...listen,
        ...["--dir", this.folder, "--save", "", "--appendonly", "no"],
        ...["--enable-debug-command", "yes", "--proto-max-bulk-len", "1gb"],
        ...(password === undefined ? [] : ["--requirepass", password]),
        ...(this.#options.args ?? []),
      ],
      folder: this.folder,
    });
    this.#child = child;
    await eventually(
      async () => {
        if (!child.isRunning) return true;
        const client = await this.connect();
        const isReady = (await client.call("PING")) === "+PONG\r\n";
        client.close();
        return isReady;
      },
      { what: `redis-server answers on ${this.item}`, deadlineMs: 10_000 },
    );
    if (!child.isRunning) throw new Error(`redis-server ended at once:\n${child.stdout}`);
  }
}
