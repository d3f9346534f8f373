/**
 * A process of a test: started in its own temporary folder, stopped by its id, its output kept.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { within } from "./eventually.ts";

export interface ChildOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const STOP_DEADLINE_MS = 8000;

export class ChildProcess {
  readonly process: Subprocess;
  readonly folder: string;
  readonly #outputFile: string;
  readonly #errorFile: string;

  constructor(options: ChildOptions) {
    this.folder = options.folder;
    this.#outputFile = join(options.folder, "stdout.txt");
    this.#errorFile = join(options.folder, "stderr.txt");
    this.process = Bun.spawn([...options.command], {
      cwd: options.folder,
      stdin: "ignore",
      stdout: Bun.file(this.#outputFile),
      stderr: Bun.file(this.#errorFile),
      env: { ...process.env, ...options.environment },
    });
  }

  get pid(): number {
    return this.process.pid;
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** What the process wrote to stdout and stderr. */
  get stdout(): string {
    return readText(this.#outputFile);
  }

  get stderr(): string {
    return readText(this.#errorFile);
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) process.kill(this.pid, name);
  }

  /** Waits for the end; returns the exit code, or the name of the signal that ended it. */
  async ended(deadlineMs: number = STOP_DEADLINE_MS): Promise<number | string> {
    await within(this.process.exited, deadlineMs, `the end of ${this.process.pid}`);
    return this.process.signalCode ?? this.process.exitCode ?? -1;
  }

  /** Ends the process: with `signal`, and with SIGKILL if that does not help. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (!this.isRunning) return;
    this.signal(signal);
    try {
      await this.ended();
    } catch (error) {
      this.signal("SIGKILL");
      await this.process.exited;
      throw error;
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
