/**
 * One run of the proxy, from the log's first line to its last.
 *
 *   signals -> banner -> configuration -> stats port -> pools -> pid file -> serving
 *      SIGTERM: stop accepting, requests in flight finish, done, status 0
 *      SIGINT, or SIGTERM again: end at once, status 1
 *      a step fails: log why, undo what was made, done, status 1
 *
 * With -w the pools are served by workers of their own, and this process is their supervisor
 * (supervisor.ts); all else is the same.
 * The order is nutcracker's, but for the pid file. The stats port comes before the pools, so that a
 * second instance that was started by mistake fails there and leaves the sockets of the first one
 * alone; the pid file comes when nothing else can fail, so that it leaves that alone, too.
 * Does not read the command line (cli/) and does not know a byte of a request (proxy/).
 * Twin: nc.c nc_run(), nc_core.c.
 */

import { hostname, machine, release, type } from "node:os";
import { ConfigError, type ConfigMistake, formatMistake } from "../config/config-error.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { nowMs, wallClockMs } from "../lib/clock.ts";
import { ProxyError } from "../lib/errors.ts";
import type { FileLogger } from "../log/file-logger.ts";
import { printStderr } from "../log/stderr.ts";
import { wrapText } from "../log/wrap-text.ts";
import { Proxy } from "../proxy/proxy.ts";
import { formatSnapshot } from "../stats/snapshot.ts";
import { checkListenNames } from "./check-names.ts";
import { returnMemoryWhenIdle } from "./memory-return.ts";
import { PidFile } from "./pid-file.ts";
import { handleSignals, type SignalTarget } from "./signals.ts";
import type { Starter } from "./starter.ts";
import { StatsListener } from "./stats-listener.ts";
import { Supervisor } from "./supervisor.ts";
import { PROGRAM_NAME, VERSION } from "./version.ts";

/** How long requests in flight may take to finish after SIGTERM. */
const DRAIN_TIMEOUT_MS = 5_000;

const SONG =
  "run, rabbit run / dig that hole, forget the sun / and when at last the work is done / " +
  "don't sit down / it's time to dig another one";

export interface WorkerOptions {
  readonly configFile: string;
  /** Null = none. */
  readonly pidFile: string | null;
  readonly statsAddress: string;
  readonly statsPort: number;
  readonly chunkSizeBytes: number;
  /** 1 = this process serves by itself; null = as the configuration says. */
  readonly workerCount: number | null;
  /** The command line behind the program's name. */
  readonly words: readonly string[];
  readonly log: FileLogger;
  readonly starter: Starter;
}

/** Starting -> Serving -> Draining -> Ended; any -> Ended. */
type WorkerState = "starting" | "serving" | "draining" | "ended";

/**
 * Serves until a signal ends it.
 *
 * @returns exit status: 0 after draining, 1 after a failed start or an end at once
 */
export function runWorker(options: WorkerOptions): Promise<number> {
  return new Worker(options).run();
}

class Worker implements SignalTarget {
  readonly #options: WorkerOptions;
  readonly #log: FileLogger;
  readonly #startedAtMs = nowMs();
  readonly #exitStatus = Promise.withResolvers<number>();
  #state: WorkerState = "starting";
  #pidFile: PidFile | null = null;
  #stats: StatsListener | null = null;
  /** What serves the pools: here, or in processes of their own. */
  #proxy: Proxy | Supervisor | null = null;
  #supervisor: Supervisor | null = null;
  #exitStatusAfterDrain = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  run(): Promise<number> {
    handleSignals(this);
    process.on("uncaughtException", (error) => this.#crash(error));
    process.on("unhandledRejection", (error) => this.#crash(error));
    void this.#start();
    return this.#exitStatus.promise;
  }

  logSignal(text: string): void {
    this.#log.signal(text);
  }

  raiseLogLevel(): void {
    this.#log.raiseLevel();
    this.#supervisor?.tell("raiseLogLevel");
  }

  lowerLogLevel(): void {
    this.#log.lowerLevel();
    this.#supervisor?.tell("lowerLogLevel");
  }

  reopenLog(): void {
    this.#supervisor?.tell("reopenLog");
    try {
      this.#log.reopen();
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      printStderr(`${error.message}\n`);
      // Nobody sees the stderr of a daemon. The old file is still open.
      this.#log.error("worker.ts:8", error.message);
    }
  }

  drain(): void {
    if (this.#state === "draining") this.endAtOnce();
    else if (this.#state === "starting") this.#endOrderly(0);
    else if (this.#state === "serving") void this.#drain();
  }

  endAtOnce(): void {
    this.#end(1);
  }

  async #start(): Promise<void> {
    const { configFile, pidFile, statsAddress, statsPort, starter } = this.#options;
    try {
      this.#logBanner();
      const config = loadConfig(configFile);
      await checkListenNames(config, this.#log);
      if (this.#hasEnded()) return;
      const stats = await StatsListener.open(statsAddress, statsPort);
      if (this.#hasEnded()) return stats.close();
      this.#stats = stats;
      const proxy = await this.#startProxy(config);
      if (this.#hasEnded()) return proxy.close();
      this.#proxy = proxy;
      if (pidFile !== null) this.#pidFile = PidFile.create(pidFile, this.#log);
      stats.serve(() => this.#renderStats(proxy));
      this.#state = "serving";
      starter.ready();
    } catch (error) {
      if (this.#hasEnded()) return;
      this.#logFailure(error);
      this.#endOrderly(1);
    }
  }

  async #startProxy(config: Config): Promise<Proxy | Supervisor> {
    const { chunkSizeBytes, words } = this.#options;
    const workerCount = this.#options.workerCount ?? config.workers;
    const common = { chunkSizeBytes, log: this.#log };
    if (workerCount === 1) {
      returnMemoryWhenIdle();
      return Proxy.start(config, common);
    }
    const onFailure = (error: ProxyError) => this.#failLate(error);
    const supervisor = new Supervisor(config, { ...common, workerCount, words, onFailure });
    // Known before it has started: its workers must not outlive an end in the meantime.
    this.#supervisor = this.#proxy = supervisor;
    await supervisor.start();
    return supervisor;
  }

  async #drain(): Promise<void> {
    this.#state = "draining";
    await this.#proxy?.drain(DRAIN_TIMEOUT_MS);
    this.#endOrderly(this.#exitStatusAfterDrain);
  }

  /** The supervisor gives up: what still works ends in good order. */
  #failLate(error: ProxyError): void {
    this.#logFailure(error);
    this.#exitStatusAfterDrain = 1;
    if (this.#state === "serving") void this.#drain();
    else this.#endOrderly(1);
  }

  #logBanner(): void {
    const system = `${type()} ${release()} ${machine()}`;
    const program = `${PROGRAM_NAME}-${VERSION} built for ${system}`;
    this.#log.always("worker.ts:1", `${program} started on pid ${process.pid}`);
    this.#log.always("worker.ts:2", SONG);
  }

  #logFailure(error: unknown): void {
    const { configFile, starter } = this.#options;
    if (error instanceof ConfigError) {
      const isOpened = error.code === "CONFIG_INVALID";
      for (const mistake of error.mistakes) this.#logMistake(mistake, isOpened);
      if (isOpened) {
        starter.print(`${PROGRAM_NAME}: configuration file '${configFile}' syntax is invalid`);
      }
    } else if (error instanceof ProxyError) {
      this.#log.error("worker.ts:5", error.message);
      starter.explain(error.message);
    } else {
      this.#logUnexpected(error);
    }
  }

  /** nutcracker's line says all about a file that is not there. */
  #logMistake(mistake: ConfigMistake, withDetails: boolean): void {
    const { starter } = this.#options;
    this.#log.error("worker.ts:3", mistake.legacyLine);
    starter.explain(mistake.legacyLine);
    if (!withDetails) return;
    const details = formatMistake(mistake);
    for (const line of wrapText(details)) this.#log.error("worker.ts:4", line);
    starter.explain(details);
  }

  /** A mistake of ours: what is known goes to the log, line by line, before the program ends. */
  #crash(error: unknown): void {
    this.#logUnexpected(error);
    this.#end(1);
  }

  #logUnexpected(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const line of text.split("\n")) {
      this.#log.error("worker.ts:6", line);
      this.#options.starter.explain(line);
    }
  }

  #renderStats(proxy: Proxy | Supervisor): string | Promise<string> {
    if (proxy instanceof Proxy) return this.#formatStats(proxy);
    return proxy.refresh().then(() => this.#formatStats(proxy));
  }

  #formatStats(proxy: Proxy | Supervisor): string {
    const head = {
      source: hostname(),
      version: VERSION,
      uptimeSeconds: Math.floor((nowMs() - this.#startedAtMs) / 1000),
      timestampSeconds: Math.floor(wallClockMs() / 1000),
      connections: proxy.connections,
      gauges: proxy.gauges,
    };
    return formatSnapshot(head, proxy.statistics());
  }

  #hasEnded(): boolean {
    return this.#state === "ended";
  }

  #endOrderly(status: number): void {
    if (this.#hasEnded()) return;
    this.#end(status);
    this.#log.always("worker.ts:7", "done, rabbit done");
  }

  #end(status: number): void {
    if (this.#hasEnded()) return;
    this.#state = "ended";
    this.#stats?.close();
    this.#proxy?.close();
    this.#pidFile?.remove();
    this.#exitStatus.resolve(status);
  }
}
