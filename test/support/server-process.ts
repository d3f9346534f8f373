/**
 * A real server process for a test, on a free loopback port or on a unix socket in its own folder.
 *
 * Keeps its address over kill and restart. What is run and when it is ready is said by RedisServer
 * and MemcachedServer.
 */
import { join } from "node:path";
import { ChildProcess } from "./child-process.ts";
import { eventually } from "./eventually.ts";
import { freezeProcess, thawProcess } from "./freeze.ts";
import { freePort } from "./free-port.ts";
import { RawClient } from "./raw-client.ts";
import type { Address } from "./raw-client.ts";
import { removeFolder, temporaryFolder } from "./temporary-folder.ts";

const STARTS_MAX = 5;

export abstract class ServerProcess {
  readonly folder: string;
  /** 0 for a server on a unix socket. */
  port = 0;
  readonly #program: string;
  readonly #isUnix: boolean;
  #child: ChildProcess | undefined;

  protected constructor(program: string, isUnix: boolean) {
    this.#program = program;
    this.#isUnix = isUnix;
    this.folder = temporaryFolder(program);
  }

  /** The words that start the program in the foreground, listening on `address`. */
  protected abstract commandLine(): readonly string[];

  /** True if the server answers over this fresh connection. */
  protected abstract isReady(client: RawClient): Promise<boolean>;

  get socketPath(): string {
    return join(this.folder, `${this.#program}.sock`);
  }

  get address(): Address {
    return this.#isUnix ? { unix: this.socketPath } : { port: this.port };
  }

  /** The server as an item of a pool's `servers:` list, without weight and name. */
  get item(): string {
    return this.#isUnix ? this.socketPath : `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.#child === undefined) throw new Error(`${this.#program} is not running`);
    return this.#child.pid;
  }

  /** A new direct connection. */
  connect(): Promise<RawClient> {
    return RawClient.connect(this.address);
  }

  /** Starts on a free port; another one is tried if somebody else took it first. */
  protected async startFirst(): Promise<this> {
    for (let attempt = 1; ; attempt++) {
      this.port = this.#isUnix ? 0 : freePort();
      try {
        await this.#launch();
        return this;
      } catch (error) {
        await this.kill();
        if (attempt === STARTS_MAX || this.#isUnix) throw error;
      }
    }
  }

  /** Ends the server in good order: its connections see FIN. */
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

  /** Holds the server as a hanging machine would; when this returns, it stands still. */
  freeze(): void {
    if (this.#child?.isRunning) freezeProcess(this.pid);
  }

  thaw(): void {
    if (this.#child?.isRunning) thawProcess(this.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.kill();
    removeFolder(this.folder);
  }

  async #launch(): Promise<void> {
    const child = new ChildProcess({ command: [...this.commandLine()], folder: this.folder });
    this.#child = child;
    await eventually(
      async () => {
        if (!child.isRunning) return true;
        const client = await this.connect();
        const isReady = await this.isReady(client);
        client.close();
        return isReady;
      },
      { what: `${this.#program} answers on ${this.item}`, deadlineMs: 10_000 },
    );
    if (!child.isRunning) {
      throw new Error(`${this.#program} ended at once:\n${child.stdout}${child.stderr}`);
    }
  }
}
