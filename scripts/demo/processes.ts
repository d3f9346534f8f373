/**
 * The processes of the demo: started on free loopback ports, watched, and stopped to the last one.
 *
 * Each runs in a session of its own, so that Ctrl-C in the terminal reaches only the demo, which
 * then stops them in order. Where the demo itself is killed, Bun's --no-orphans ends them.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Longest wait for a process to answer on its port, or to end when asked to. */
const START_MS = 10_000;
const STOP_MS = 3_000;
const POLL_MS = 20;

const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;
const PORT_ATTEMPTS = 200;

export interface DemoProcess {
  readonly name: string;
  readonly exited: Promise<number>;
  readonly hasEnded: () => boolean;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** What asks it to end. */
  readonly stopSignal: NodeJS.Signals;
}

export class Processes {
  readonly folder: string;
  readonly #running = new Set<DemoProcess>();
  #isClosed = false;

  /** @param folder where they run; what each of them says goes into "<name>.log" there */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** Starts a command and waits until it accepts connections on `port`. */
  async start(
    name: string,
    command: string[],
    port: number,
    stopSignal: NodeJS.Signals = "SIGINT",
  ): Promise<DemoProcess> {
    if (this.#isClosed) throw new Error("the demo is ending");
    const output = openSync(join(this.folder, `${name}.log`), "a");
    const child = Bun.spawn(command, {
      cwd: this.folder,
      stdio: ["ignore", output, output],
      detached: true,
    });
    closeSync(output);
    const started: DemoProcess = {
      name,
      exited: child.exited,
      hasEnded: () => child.exitCode !== null || child.signalCode !== null,
      kill: (signal) => child.kill(signal),
      stopSignal,
    };
    this.#running.add(started);
    const isUp = await until(START_MS, async () => started.hasEnded() || (await accepts(port)));
    if (isUp && !started.hasEnded()) return started;
    await this.stop(started);
    const what = isUp ? "ended at once" : `did not listen within ${START_MS / 1000} s`;
    throw new Error(`${name} ${what}\n${this.logTail(name)}`);
  }

  /** Asks a process to end, most of them as Ctrl-C would, and makes it end if it does not. */
  async stop(process: DemoProcess): Promise<void> {
    process.kill(process.stopSignal);
    const isEnded = await until(STOP_MS, async () => process.hasEnded());
    if (!isEnded) process.kill("SIGKILL");
    await process.exited;
    this.#running.delete(process);
  }

  /** Stops all, and lets none start any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.stopAll();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((process) => this.stop(process)));
  }

  /** The last lines of a log, to show when something went wrong. */
  logTail(name: string): string {
    try {
      const lines = readFileSync(join(this.folder, `${name}.log`), "utf8")
        .trim()
        .split("\n");
      return lines.slice(-5).join("\n");
    } catch {
      return "";
    }
  }
}

/**
 * Finds loopback ports that nobody listens on, all different. They lie below the kernel's range for
 * outgoing connections, so that the port of a stopped server is still free when it comes back.
 */
export function freePorts(count: number): number[] {
  const socket = { data() {} };
  const listeners = new Map<number, { stop(): void }>();
  for (let attempt = 0; listeners.size < count; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
    try {
      if (!listeners.has(port)) {
        listeners.set(port, Bun.listen({ hostname: "127.0.0.1", port, socket }));
      }
    } catch (error) {
      if (attempt > PORT_ATTEMPTS) throw error;
    }
  }
  for (const listener of listeners.values()) listener.stop();
  return [...listeners.keys()];
}

/** Waits for a condition. @returns whether it came true in time */
export async function until(limitMs: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) return false;
    await Bun.sleep(POLL_MS);
  }
  return true;
}

async function accepts(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
