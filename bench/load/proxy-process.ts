/**
 * A proxy under test: a row of peers.ts as a running process on the core of the proxies.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "../../test/support/child-process.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freePort } from "../../test/support/free-port.ts";
import { RawClient } from "../../test/support/raw-client.ts";
import { removeFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Peer, Setting } from "./peers.ts";
import { pinned, PROXY_CORE, withDescriptors } from "./run.ts";

const START_DEADLINE_MS = 10_000;

export class ProxyProcess {
  readonly peer: Peer;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #setting: Setting;

  private constructor(
    peer: Peer,
    servers: Pick<Setting, "protocol" | "servers">,
    environment: Readonly<Record<string, string>>,
  ) {
    const folder = temporaryFolder(peer.name);
    const files = { configFile: join(folder, "proxy.conf"), logFile: join(folder, "proxy.log") };
    this.peer = peer;
    this.port = freePort();
    this.#setting = { ...servers, ...files, port: this.port, statsPort: freePort() };
    writeFileSync(files.configFile, peer.config(this.#setting));
    const command = [peer.path, ...peer.words(this.#setting)];
    this.#child = new ChildProcess({
      command: pinned(PROXY_CORE, withDescriptors(command)),
      folder,
      environment,
    });
  }

  /** Starts a proxy and waits until it takes connections. @throws Error with its output if not */
  static async start(
    peer: Peer,
    servers: Pick<Setting, "protocol" | "servers">,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ProxyProcess> {
    const proxy = new ProxyProcess(peer, servers, environment);
    try {
      await eventually(() => proxy.#isOverOrListens(), {
        what: `${peer.name} listens`,
        deadlineMs: START_DEADLINE_MS,
      });
      if (!proxy.#child.isRunning) throw new Error(`${peer.name} ended at once`);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const output = `${proxy.#child.stdout}${proxy.stderr}${proxy.#log}`;
      await proxy[Symbol.asyncDispose]();
      throw new Error(`${text}:\n${output}`, { cause: error });
    }
    return proxy;
  }

  get name(): string {
    return this.peer.name;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stderr(): string {
    return this.#child.stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop("SIGTERM").catch(() => undefined);
    removeFolder(this.#child.folder);
  }

  get #log(): string {
    const { logFile } = this.#setting;
    return existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
  }

  async #isOverOrListens(): Promise<boolean> {
    if (!this.#child.isRunning) return true;
    const client = await RawClient.connect(this.port);
    client.close();
    return true;
  }
}
