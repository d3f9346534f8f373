/**
 * A real memcached for a test, on a free loopback port or a unix socket.
 */
import type { RawClient } from "./raw-client.ts";
import { ServerProcess } from "./server-process.ts";

export interface MemcachedOptions {
  /** Listen on a unix socket instead of a port. */
  readonly unix?: boolean;
  /** More words of the command line: `["-m", "256"]`. */
  readonly args?: readonly string[];
}

export class MemcachedServer extends ServerProcess {
  readonly #options: MemcachedOptions;

  private constructor(options: MemcachedOptions) {
    super("memcached", options.unix ?? false);
    this.#options = options;
  }

  static start(options: MemcachedOptions = {}): Promise<MemcachedServer> {
    return new MemcachedServer(options).startFirst();
  }

  /** Starts several servers at once. */
  static startMany(count: number, options: MemcachedOptions = {}): Promise<MemcachedServer[]> {
    return Promise.all(Array.from({ length: count }, () => MemcachedServer.start(options)));
  }

  protected override commandLine(): string[] {
    const listen = this.#options.unix
      ? ["-s", this.socketPath]
      : ["-l", "127.0.0.1", "-p", String(this.port), "-U", "0"];
    return ["memcached", "-u", "root", "-t", "1", ...listen, ...(this.#options.args ?? [])];
  }

  protected override async isReady(client: RawClient): Promise<boolean> {
    await client.send("version\r\n");
    return (await client.readLine()).startsWith("VERSION");
  }
}
