/**
 * One of several workers: serves the pools on sockets that the supervisor has bound, does what the
 * supervisor says, and tells it what was counted.
 *
 * Has no pid file, no stats port, and no ear for signals: those that a terminal or an init system
 * sends to all processes at once come from the supervisor a second time. When the supervisor is
 * gone, the channel to it closes, and the worker drains and ends.
 * The other side is worker-process.ts; what they say is worker-messages.ts.
 */

import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { ProxyError } from "../lib/errors.ts";
import { FileLogger } from "../log/file-logger.ts";
import { printStderr } from "../log/stderr.ts";
import { shareClientIds } from "../proxy/client-identity.ts";
import { Proxy } from "../proxy/proxy.ts";
import { StatisticsNumbers } from "../stats/statistics-numbers.ts";
import { returnMemoryWhenIdle } from "./memory-return.ts";
import { WorkersElsewhere } from "./other-workers.ts";
import { ignoreSignals } from "./signals.ts";
import {
  FIRST_SOCKET_FD,
  type MessageFromWorker,
  type MessageToWorker,
  type StartMessage,
  WORKER_MARK,
} from "./worker-messages.ts";

/** How long requests in flight may take to finish when the supervisor is gone. */
const ORPHAN_DRAIN_TIMEOUT_MS = 5_000;

/**
 * Whether this process was started by a supervisor. Leaves no trace of it in the environment.
 */
export function isSupervisedWorker(): boolean {
  const mark = process.env[WORKER_MARK];
  delete process.env[WORKER_MARK];
  return mark === String(process.ppid) && process.send !== undefined;
}

/** Serves until the supervisor ends it, or ends. @returns exit status */
export function runSupervisedWorker(): Promise<number> {
  return new SupervisedWorker().run();
}

class SupervisedWorker {
  readonly #exitStatus = Promise.withResolvers<number>();
  #log: FileLogger | null = null;
  #proxy: Proxy | null = null;
  #numbers: StatisticsNumbers | null = null;
  readonly #otherWorkers = new WorkersElsewhere((message) => void send(message));

  run(): Promise<number> {
    ignoreSignals();
    nameProcess();
    process.on("uncaughtException", (error) => this.#crash(error));
    process.on("unhandledRejection", (error) => this.#crash(error));
    returnMemoryWhenIdle();
    process.on("disconnect", () => this.#orphaned());
    process.on("message", (message) => this.#receive(message as MessageToWorker));
    return this.#exitStatus.promise;
  }

  #receive(message: MessageToWorker): void {
    switch (message.kind) {
      case "start":
        void this.#start(message);
        break;
      case "report":
        void send({ kind: "report", numbers: this.#numbers?.read() ?? [] });
        break;
      case "reopenLog":
        this.#reopenLog();
        break;
      case "raiseLogLevel":
        this.#log?.raiseLevel();
        break;
      case "lowerLogLevel":
        this.#log?.lowerLevel();
        break;
      case "drain":
        void this.#drain(message.timeoutMs, 0);
        break;
      case "tellPeers":
        void send({ kind: "peers", peers: this.#proxy?.peers(message.pool) ?? [] });
        break;
      case "foundPeers":
        this.#otherWorkers.found(message.pool, message.ask, message.peers);
        break;
      case "order":
        this.#proxy?.carryOut(message.order);
        break;
    }
  }

  async #start(message: StartMessage): Promise<void> {
    const { config, chunkSizeBytes, logFile, logLevel } = message;
    shareClientIds(message.workerNumber, message.workerCount);
    try {
      const log = FileLogger.open(logFile, logLevel);
      this.#log = log;
      const listeningSockets = config.pools.map((_, index) => FIRST_SOCKET_FD + index);
      const otherWorkers = this.#otherWorkers;
      const options = { chunkSizeBytes, log, listeningSockets, otherWorkers };
      const proxy = await Proxy.start(config, options);
      this.#proxy = proxy;
      const { connections, gauges } = proxy;
      this.#numbers = new StatisticsNumbers(connections, proxy.statistics(), gauges);
      await send({ kind: "serving" });
    } catch (error) {
      const reason = error instanceof ProxyError ? error.message : textOf(error);
      await send({ kind: "failed", reason });
      this.#exitStatus.resolve(1);
    }
  }

  #orphaned(): void {
    this.#otherWorkers.orphaned();
    void this.#drain(ORPHAN_DRAIN_TIMEOUT_MS, 1);
  }

  async #drain(timeoutMs: number, status: number): Promise<void> {
    await this.#proxy?.drain(timeoutMs);
    await send({ kind: "report", numbers: this.#numbers?.read() ?? [] });
    this.#exitStatus.resolve(status);
  }

  #reopenLog(): void {
    try {
      this.#log?.reopen();
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      printStderr(`${error.message}\n`);
      this.#log?.error("supervised-worker.ts:2", error.message);
    }
  }

  /** A mistake of ours. The supervisor starts another worker. */
  #crash(error: unknown): void {
    for (const line of textOf(error).split("\n")) this.#log?.error("supervised-worker.ts:1", line);
    this.#exitStatus.resolve(1);
  }
}

/** The worker was started as "exe" (own-command.ts): people look for it by its usual name. */
function nameProcess(): void {
  try {
    if (Bun.isStandaloneExecutable) writeFileSync("/proc/self/comm", basename(process.argv0));
  } catch {
    // It can live with the other name.
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Resolves when the message is on its way, or the supervisor is gone. */
function send(message: MessageFromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, undefined, undefined, () => resolve());
  });
}
