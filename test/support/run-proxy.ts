/**
 * Starts a proxy for a test: ours or Debian's nutcracker, which share a command line.
 *
 *   await using proxy = await Proxy.start({ pools: { alpha: { servers: [`${redis.item}:1`] } } });
 *   const client = await proxy.connect();
 *
 * Ours is $NUTCRACKER_BINARY if set, else `bun src/main.ts`. Pools without `listen` get a free
 * port. Whether it listens is read from /proc, because a connection would show in its counters.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ChildProcess } from "./child-process.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { RawClient } from "./raw-client.ts";
import type { Address } from "./raw-client.ts";
import { removeFolder, temporaryFolder } from "./temporary-folder.ts";

/** One pool of nutcracker.yml; keys as in the file. */
export interface PoolSettings {
  readonly listen?: string;
  readonly servers: readonly string[];
  readonly [key: string]: string | number | boolean | readonly string[] | undefined;
}

/** The words that start a proxy. */
export type ProxyProgram = readonly string[];

export interface ProxyOptions {
  /** Pools by name. Redis is the default here: `redis: false` makes a memcached pool. */
  readonly pools?: Readonly<Record<string, PoolSettings>>;
  /** The whole text of nutcracker.yml instead of `pools`. */
  readonly config?: string;
  readonly args?: readonly string[];
  readonly program?: ProxyProgram;
  readonly environment?: Readonly<Record<string, string>>;
  readonly statsIntervalMs?: number;
}

/** Counters of one server on the stats port; `server_state` is a word. */
export type ServerStats = Record<string, number>;
/** Counters of one pool, with its servers below their names. */
export type PoolStats = Record<string, number | ServerStats>;
export type Stats = Record<string, string | number | PoolStats>;

const REPOSITORY = join(import.meta.dir, "../..");
const STARTS_MAX = 5;
const LISTEN_STATE = "0A";

/** Our proxy: $NUTCRACKER_BINARY, or the sources. */
export function ourProgram(): ProxyProgram {
  const binary = process.env["NUTCRACKER_BINARY"];
  if (binary !== undefined && binary !== "") return [resolve(binary)];
  return [process.execPath, join(REPOSITORY, "src/main.ts")];
}

/** Debian's nutcracker 0.5.0, or null where it is not installed. */
export function debianProgram(): ProxyProgram | null {
  const path = Bun.which("nutcracker", { PATH: `${process.env["PATH"]}:/usr/sbin:/usr/bin` });
  return path === null ? null : [path];
}

/** Writes pools as nutcracker.yml. */
export function poolsToYaml(pools: Readonly<Record<string, PoolSettings>>): string {
  const lines: string[] = [];
  for (const [name, pool] of Object.entries(pools)) {
    lines.push(`${name}:`);
    for (const [key, value] of Object.entries({ redis: true, ...pool })) {
      if (Array.isArray(value)) lines.push(`  ${key}:`, ...value.map((item) => `    - ${item}`));
      else if (typeof value === "string") lines.push(`  ${key}: ${JSON.stringify(value)}`);
      else if (value !== undefined) lines.push(`  ${key}: ${String(value)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

export class Proxy {
  readonly #child: ChildProcess;
  readonly folder: string;
  readonly config: string;
  readonly statsPort: number;
  /** Where each pool listens, by pool name. */
  readonly addresses: ReadonlyMap<string, Address>;

  private constructor(options: ProxyOptions) {
    this.folder = temporaryFolder("proxy");
    this.statsPort = freePort();
    this.config = options.config ?? poolsToYaml(withListeners(options.pools ?? {}));
    this.addresses = listenAddresses(this.config);
    const configFile = join(this.folder, "nutcracker.yml");
    writeFileSync(configFile, this.config);
    const program = options.program ?? ourProgram();
    this.#child = new ChildProcess({
      command: [
        ...program,
        ...["-c", configFile, "-o", this.logFile],
        ...["-s", String(this.statsPort), "-a", "127.0.0.1"],
        ...["-i", String(options.statsIntervalMs ?? 50)],
        ...(options.args ?? []),
      ],
      folder: this.folder,
      ...(options.environment === undefined ? {} : { environment: options.environment }),
    });
  }

  /**
   * Starts a proxy and waits until it serves: all its pools listen, and the stats port answers,
   * which comes last (after the pid file, and when a supervisor is ready for signals).
   *
   * @throws Error with the log if it ends instead; a port that was taken meanwhile is tried again
   */
  static async start(options: ProxyOptions): Promise<Proxy> {
    for (let attempt = 1; ; attempt++) {
      const proxy = new Proxy(options);
      await eventually(() => !proxy.isRunning || proxy.#isServing(), {
        what: `the proxy serves: ${proxy.config}`,
        deadlineMs: 10_000,
      });
      if (proxy.isRunning) return proxy;
      const output = `${proxy.#child.stderr}${proxy.log}`;
      const isTaken = /'127\.0\.0\.1:\d+' failed: Address already in use/.test(output);
      if (!isTaken || options.config !== undefined || attempt === STARTS_MAX) {
        throw new Error(`the proxy ended with ${await proxy.ended()}:\n${output}`);
      }
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.isRunning;
  }

  get logFile(): string {
    return join(this.folder, "nutcracker.log");
  }

  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, "utf8") : "";
  }

  get stderr(): string {
    return this.#child.stderr;
  }

  /** The address of a pool; of the only pool if no name is given. */
  address(pool?: string): Address {
    const name = pool ?? [...this.addresses.keys()][0];
    const address = this.addresses.get(name ?? "");
    if (address === undefined) throw new Error(`no pool "${name}" in:\n${this.config}`);
    return address;
  }

  /** The port of a pool that listens on TCP. */
  port(pool?: string): number {
    const address = this.address(pool);
    if ("unix" in address) throw new Error("the pool listens on a unix socket");
    return address.port;
  }

  connect(pool?: string): Promise<RawClient> {
    return RawClient.connect(this.address(pool));
  }

  /** What the stats port sends, as text. */
  async statsText(): Promise<string> {
    const client = await RawClient.connect(this.statsPort);
    return client.readToEnd();
  }

  async stats(): Promise<Stats> {
    return JSON.parse(await this.statsText()) as Stats;
  }

  /** Counters of a pool; of the only one if no name is given. */
  async poolStats(pool?: string): Promise<Record<string, number>> {
    const name = pool ?? [...this.addresses.keys()][0] ?? "";
    return (await this.stats())[name] as unknown as Record<string, number>;
  }

  /** Counters of a server. */
  async serverStats(server: string, pool?: string): Promise<ServerStats> {
    const counters = (await this.poolStats(pool))[server] as unknown as ServerStats | undefined;
    if (counters === undefined) throw new Error(`no server "${server}" in the stats`);
    return counters;
  }

  /** Waits until it knows that the server has closed: the next request connects anew. */
  async untilNotConnected(server: string): Promise<void> {
    await eventually(async () => (await this.serverStats(server))["server_connections"] === 0);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.signal(name);
  }

  /** Waits for the end; returns the exit code, or the name of the signal that ended it. */
  ended(deadlineMs?: number): Promise<number | string> {
    return this.#child.ended(deadlineMs);
  }

  /** Ends the proxy: SIGTERM, and SIGKILL with an error if that does not help. */
  stop(signal?: NodeJS.Signals): Promise<void> {
    return this.#child.stop(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop("SIGKILL");
    removeFolder(this.folder);
  }

  async #isServing(): Promise<boolean> {
    return this.#isListening() && (await this.statsText()).length > 0;
  }

  #isListening(): boolean {
    const ports = listeningPorts();
    const addresses = [...this.addresses.values(), { port: this.statsPort }];
    return addresses.every((address) =>
      "unix" in address ? isSocket(address.unix) : ports.has(address.port),
    );
  }
}

function withListeners(
  pools: Readonly<Record<string, PoolSettings>>,
): Record<string, PoolSettings> {
  return Object.fromEntries(
    Object.entries(pools).map(([name, pool]) => [
      name,
      { listen: `127.0.0.1:${freePort()}`, ...pool },
    ]),
  );
}

/** Reads the pools' `listen` values out of the text, in its order. */
function listenAddresses(config: string): Map<string, Address> {
  const addresses = new Map<string, Address>();
  let pool = "";
  for (const line of config.split("\n")) {
    const name = /^([^\s#][^:]*):\s*$/.exec(line)?.[1];
    if (name !== undefined) pool = name.replace(/^["']|["']$/g, "");
    const listen = /^\s+listen:\s*["']?([^"']+?)["']?\s*$/.exec(line)?.[1];
    if (listen !== undefined) addresses.set(pool, parseListen(listen));
  }
  return addresses;
}

function parseListen(listen: string): Address {
  if (listen.startsWith("/")) return { unix: listen.split(" ")[0] as string };
  const colon = listen.lastIndexOf(":");
  const hostname = listen.slice(0, colon);
  const port = Number(listen.slice(colon + 1));
  if (hostname === "0.0.0.0") return { port };
  return { port, hostname: hostname === "::" ? "::1" : hostname };
}

/** TCP ports in the state LISTEN, of IPv4 and IPv6. */
function listeningPorts(): Set<number> {
  const ports = new Set<number>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    if (!existsSync(table)) continue;
    for (const line of readFileSync(table, "latin1").split("\n")) {
      const [, local, , state] = line.trim().split(/\s+/);
      if (state !== LISTEN_STATE || local === undefined) continue;
      ports.add(Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16));
    }
  }
  return ports;
}

function isSocket(path: string): boolean {
  return existsSync(path) && statSync(path).isSocket();
}
