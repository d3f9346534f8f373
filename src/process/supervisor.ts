/**
 * Several worker processes on the same listening addresses, seen from outside as one proxy: -w.
 *
 *   supervisor: signals, pid file, stats port, listening sockets; no request passes through it
 *     +-- worker 1: pools, clients, server connections      <- descriptors of its sockets
 *     +-- worker 2: ...                                     <- orders, -> reports, by messages
 *
 *   a worker ends -> its counters stay in the sum -> another one takes its place and its sockets
 *   a worker cannot start, five times in a row -> onFailure, and nothing is tried any more
 *
 * Workers share nothing: failures of servers and ejections are counted by each for itself. What a
 * client of one asks about the clients of another (CLIENT LIST) is passed on here.
 * Started, drained and ended by worker.ts, like a Proxy.
 */

import type { Config } from "../config/config.ts";
import { nowMs } from "../lib/clock.ts";
import { ProxyError } from "../lib/errors.ts";
import { errnoText } from "../log/errno-text.ts";
import type { FileLogger } from "../log/file-logger.ts";
import {
  ConnectionCounters,
  PoolCounters,
  ProcessGauges,
  type PoolStatistics,
  ServerCounters,
} from "../stats/counters.ts";
import { StatisticsNumbers } from "../stats/statistics-numbers.ts";
import { ListeningSockets } from "./listening-sockets.ts";
import { type MessageToOthers, WorkerProcess } from "./worker-process.ts";

/** At most so much counting is lost with a worker that is killed. */
const REPORT_INTERVAL_MS = 200;
/** How long the stats port waits for the numbers of a worker that is busy; then older ones do. */
const REPORT_PATIENCE_MS = 500;
/** A worker that dies is replaced at once; then this wait, doubled each time ... */
const RESTART_DELAY_MS = 100;
/** ... up to this one. New clients of its share wait as long. */
const RESTART_DELAY_MAX_MS = 1_000;
/** A worker that served for so long has shown that it can. */
const STEADY_MS = 10_000;
/** Workers in a row that ended before they served. */
const FAILED_STARTS_MAX = 5;
/** So many polls in a row without an answer are worth a line in the log: 5 s. */
const HANGING_POLLS = 25;
/** How much longer than its clients a worker may take to end. */
const END_PATIENCE_MS = 1_000;

export interface SupervisorOptions {
  /** At least 1. */
  readonly workerCount: number;
  /** The command line behind the program's name. */
  readonly words: readonly string[];
  readonly chunkSizeBytes: number;
  readonly log: FileLogger;
  /** Called once, when a worker cannot be replaced. */
  readonly onFailure: (error: ProxyError) => void;
}

/** The place of one worker. */
interface Slot {
  readonly number: number;
  /** Null = between two workers. */
  worker: WorkerProcess | null;
  /** Workers in a row that did not last. */
  crashes: number;
  /** Polls in a row that it did not answer. Not a time: we may have been held ourselves. */
  unanswered: number;
  timer: ReturnType<typeof setTimeout> | null;
}

type SupervisorState = "starting" | "serving" | "draining" | "closed";

export class Supervisor {
  /** Sums over all workers, as of the last refresh(). */
  readonly connections = new ConnectionCounters();
  readonly gauges = new ProcessGauges();
  readonly #pools: readonly PoolStatistics[];
  readonly #numbers: StatisticsNumbers;
  /** What workers that are gone have counted. */
  #past: readonly number[] = [];

  readonly #config: Config;
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  #state: SupervisorState = "starting";
  #sockets: ListeningSockets | null = null;
  #reportTimer: ReturnType<typeof setInterval> | null = null;
  #failedStarts = 0;
  #onAllEnded: (() => void) | null = null;

  constructor(config: Config, options: SupervisorOptions) {
    const { workerCount } = options;
    this.#config = shareOf(config, workerCount);
    this.#options = options;
    this.#pools = config.pools.map(({ name, servers }) => ({
      name,
      counters: new PoolCounters(),
      servers: servers.map((server) => ({ name: server.name, counters: new ServerCounters() })),
      refreshGauges: () => {},
    }));
    this.#numbers = new StatisticsNumbers(this.connections, this.#pools, this.gauges);
    this.#slots = Array.from({ length: workerCount }, (_, index) => ({
      number: index + 1,
      worker: null,
      crashes: 0,
      unanswered: 0,
      timer: null,
    }));
  }

  /**
   * Binds, and starts one worker after another.
   *
   * @throws ProxyError if an address cannot be listened on or a worker does not start; close() is
   *   left to the caller
   */
  async start(): Promise<void> {
    const sockets = await ListeningSockets.open(this.#config, this.#slots.length);
    if (this.#state === "closed") return sockets.close();
    this.#sockets = sockets;
    for (const slot of this.#slots) {
      const reason = await this.#startWorker(slot);
      if (this.#state !== "starting") return;
      if (reason !== null) throw startFailure(slot.number, reason);
    }
    this.#state = "serving";
    this.#reportTimer = setInterval(() => this.#poll(), REPORT_INTERVAL_MS);
  }

  /** Brings `connections` and statistics() up to date. */
  async refresh(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((done) => (timer = setTimeout(done, REPORT_PATIENCE_MS)));
    const workers = this.#workers();
    await Promise.race([Promise.all(workers.map((worker) => worker.report())), patience]);
    clearTimeout(timer);
    const rows = this.#workers().map((worker) => worker.numbers);
    this.#numbers.write(this.#numbers.add([this.#past, ...rows]));
  }

  statistics(): readonly PoolStatistics[] {
    return this.#pools;
  }

  /** To every worker. One that starts later needs none of these: it begins with the newest. */
  tell(kind: "reopenLog" | "raiseLogLevel" | "lowerLogLevel"): void {
    for (const worker of this.#workers()) worker.send({ kind });
  }

  /** Nobody can connect any more; every worker lets its requests in flight finish and ends. */
  async drain(timeoutMs: number): Promise<void> {
    this.#leave("draining");
    const ended = new Promise<void>((resolve) => (this.#onAllEnded = resolve));
    for (const worker of this.#workers()) worker.send({ kind: "drain", timeoutMs });
    const timer = setTimeout(() => this.#kill(), timeoutMs + END_PATIENCE_MS);
    if (this.#workers().length > 0) await ended;
    clearTimeout(timer);
    this.close();
  }

  /** Ends all workers at once. */
  close(): void {
    this.#leave("closed");
    this.#kill();
  }

  #workers(): WorkerProcess[] {
    return this.#slots.flatMap(({ worker }) => (worker === null ? [] : [worker]));
  }

  #poll(): void {
    for (const slot of this.#slots) if (slot.worker !== null) this.#pollWorker(slot, slot.worker);
  }

  /** A worker that hangs is left alone: somebody may be looking at it with a debugger. */
  #pollWorker(slot: Slot, worker: WorkerProcess): void {
    const { log } = this.#options;
    const who = `worker ${slot.number} with pid ${worker.pid}`;
    const wasHanging = slot.unanswered >= HANGING_POLLS;
    slot.unanswered = worker.poll() ? 0 : slot.unanswered + 1;
    if (slot.unanswered === HANGING_POLLS) {
      const text = `${who} does not answer, its clients wait; another one would take its place`;
      log.warn("supervisor.ts:4", text);
    } else if (wasHanging && slot.unanswered === 0) {
      log.notice("supervisor.ts:5", `${who} answers again`);
    }
  }

  #kill(): void {
    for (const worker of this.#workers()) worker.kill();
  }

  /** No worker is started any more, and nobody can connect. */
  #leave(state: "draining" | "closed"): void {
    this.#state = state;
    if (state === "closed" && this.#reportTimer !== null) clearInterval(this.#reportTimer);
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer);
    this.#sockets?.close();
    this.#sockets = null;
  }

  /** @returns null when it serves, else the reason why it never will */
  async #startWorker(slot: Slot): Promise<string | null> {
    const { words, chunkSizeBytes, log } = this.#options;
    let worker: WorkerProcess;
    try {
      const sockets = this.#sockets?.of(slot.number - 1) ?? [];
      worker = new WorkerProcess(words, sockets, (message) => this.#passOn(slot, message));
    } catch (error) {
      return errnoText(error);
    }
    slot.worker = worker;
    slot.unanswered = 0;
    worker.send({
      kind: "start",
      workerNumber: slot.number,
      workerCount: this.#slots.length,
      config: this.#config,
      chunkSizeBytes,
      logFile: log.path,
      logLevel: log.level,
    });
    void worker.ended.then((how) => this.#ended(slot, worker, how));
    const reason = await worker.started;
    if (reason === null) {
      this.#failedStarts = 0;
      log.notice("supervisor.ts:1", `worker ${slot.number} serves with pid ${worker.pid}`);
    }
    return reason;
  }

  /** Workers know of each other only what goes through here. */
  #passOn({ worker: sender }: Slot, message: MessageToOthers): void {
    const others = this.#workers().filter((worker) => worker !== sender);
    if (message.kind === "order") {
      for (const worker of others) worker.send(message);
      return;
    }
    const { pool, ask } = message;
    void Promise.all(others.map((worker) => worker.peers(pool))).then((lists) =>
      sender?.send({ kind: "foundPeers", pool, ask, peers: lists.flat() }),
    );
  }

  #ended(slot: Slot, worker: WorkerProcess, how: string): void {
    slot.worker = null;
    this.#past = this.#numbers.add([this.#past, this.#numbers.withoutGauges(worker.numbers)]);
    if (!this.#isServing()) {
      if (this.#workers().length === 0) this.#onAllEnded?.();
      return;
    }
    // Whoever started it knows why.
    if (worker.servesSinceMs === 0) return;
    const who = `worker ${slot.number} with pid ${worker.pid}`;
    const text = `${who} ended with ${how}; another one takes its place`;
    this.#options.log.error("supervisor.ts:2", text);
    const wasSteady = nowMs() - worker.servesSinceMs >= STEADY_MS;
    this.#restart(slot, wasSteady ? 1 : slot.crashes + 1);
  }

  #restart(slot: Slot, crashes: number): void {
    slot.crashes = crashes;
    slot.timer = setTimeout(async () => {
      const reason = await this.#startWorker(slot);
      if (reason !== null && this.#isServing()) this.#startFailed(slot, reason);
    }, restartDelayMs(crashes));
  }

  #startFailed(slot: Slot, reason: string): void {
    const { log, onFailure } = this.#options;
    if (++this.#failedStarts === FAILED_STARTS_MAX) {
      onFailure(startFailure(slot.number, reason));
      return;
    }
    log.error("supervisor.ts:3", `worker ${slot.number} does not start, tried again: ${reason}`);
    this.#restart(slot, slot.crashes + 1);
  }

  #isServing(): boolean {
    return this.#state === "starting" || this.#state === "serving";
  }
}

/** None at first, then 100 ms, 200 ms, ... */
function restartDelayMs(crashes: number): number {
  if (crashes <= 1) return 0;
  return Math.min(RESTART_DELAY_MS * 2 ** (crashes - 2), RESTART_DELAY_MAX_MS);
}

/** Each worker admits its share of the clients, and has its share of the memory. */
function shareOf(config: Config, workerCount: number): Config {
  const pools = config.pools.map((pool) => ({
    ...pool,
    clientConnections: Math.ceil(pool.clientConnections / workerCount),
  }));
  const maxBufferMemoryBytes = Math.floor(config.maxBufferMemoryBytes / workerCount);
  return { ...config, pools, maxBufferMemoryBytes };
}

function startFailure(number: number, reason: string): ProxyError {
  const text = `worker ${number} does not start: ${reason}`;
  return new ProxyError("WORKER_FAILED", "system", text);
}
