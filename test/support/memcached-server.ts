/**
 * A real memcached for a test, on a free loopback port or a unix socket; same shape as RedisServer.
 */
import { join } from "node:path";
import { ChildProcess } from "./child-process.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { RawClient } from "./raw-client.ts";
import type { Address } from "./raw-client.ts";
import { removeFolder, temporaryFolder } from "./temporary-folder.ts";

export interface MemcachedOptions {
  /** Listen on a unix socket instead of a port. */
  readonly unix?: boolean;
  /** More words of the command line: `["-m", "256"]`. */
  readonly args?: readonly string[];
}

const STARTS_MAX = 5;

export class MemcachedServer {
  #options: MemcachedOptions;
  #child: ChildProcess | undefined;
  readonly folder: string = temporaryFolder("memcached");
  /** 0 for a server on a unix socket. */
  port = 0;

  private constructor(options: MemcachedOptions) {
    this.#options = options;
  }

  static async start(options: MemcachedOptions = {}): Promise<MemcachedServer> {
    const server = new MemcachedServer(options);
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
  static startMany(count: number, options: MemcachedOptions = {}): Promise<MemcachedServer[]> {
    return Promise.all(Array.from({ length: count }, () => MemcachedServer.start(options)));
  }

  get socketPath(): string {
    return join(this.folder, "memcached.sock");
  }

  get address(): Address {
    return this.#options.unix ? { unix: this.socketPath } : { port: this.port };
  }

  /** The server as an item of a pool's `servers:` list, without weight and name. */
  get item(): string {
    return this.#options.unix ? this.socketPath : `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.#child === undefined) throw new Error("memcached is not running");
    return this.#child.pid;
  }

  /** A new direct connection. */
  connect(): Promise<RawClient> {
    return RawClient.connect(this.address);
  }

  async stop(): Promise<void> {
    await this.#child?.stop("SIGTERM");
  }

  /** Ends the server at once, as a crash does. */
  async kill(): Promise<void> {
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
    this.thaw();
    await this.kill();
    removeFolder(this.folder);
  }

  async #launch(): Promise<void> {
    const listen = this.#options.unix
      ? ["-s", this.socketPath]
      : ["-l", "127.0.0.1", "-p", String(this.port), "-U", "0"];
    const child = new ChildProcess({
      command: ["memcached", "-u", "root", "-t", "1", ...listen, ...(this.#options.args ?? [])],
      folder: this.folder,
    });
    this.#child = child;
    await eventually(
      async () => {
        if (!child.isRunning) return true;
        const client = await this.connect();
        await client.send("version\r\n");
        const isReady = (await client.readLine()).startsWith("VERSION");
        client.close();
        return isReady;
      },
      { what: `memcached answers on ${this.item}`, deadlineMs: 10_000 },
    );
    if (!child.isRunning) throw new Error(`memcached ended at once:\n${child.stderr}`);
  }
}
