/**
 * What a proxy uses, over time: memory and file descriptors of its process and its workers, from
 * /proc. Takes samples, and compares the first quarter after the warm-up with the last one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { nowMs } from "../../src/lib/clock.ts";

export interface Usage {
  /** Since the watch began. */
  readonly atMs: number;
  readonly residentMb: number;
  /** What belongs to no file: heap, stacks, buffers. */
  readonly anonymousMb: number;
  readonly descriptors: number;
}

export interface Trend {
  readonly firstMb: number;
  readonly lastMb: number;
  readonly mostMb: number;
}

const SAMPLE_MS = 500;
const WARM_UP_SHARE = 0.2;
const KB_PER_MB = 1024;

export class ProxyWatch {
  readonly samples: Usage[] = [];
  readonly #pid: number;
  readonly #startMs = nowMs();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.samples.push(this.now()), SAMPLE_MS);
  }

  now(): Usage {
    let residentKb = 0;
    let anonymousKb = 0;
    let descriptors = 0;
    for (const pid of [this.#pid, ...childrenOf(this.#pid)]) {
      const status = textOf(`/proc/${pid}/status`);
      residentKb += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
      anonymousKb += Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
      descriptors += descriptorsOf(pid);
    }
    return {
      atMs: nowMs() - this.#startMs,
      residentMb: residentKb / KB_PER_MB,
      anonymousMb: anonymousKb / KB_PER_MB,
      descriptors,
    };
  }

  get pids(): string {
    return [this.#pid, ...childrenOf(this.#pid)].join(" ");
  }

  /** Ends the samples. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Anonymous memory after the warm-up, each quarter at its calmest: bursts go, leaks stay. */
  trend(): Trend {
    const all = this.samples.map(({ anonymousMb }) => anonymousMb);
    const warm = all.slice(Math.floor(all.length * WARM_UP_SHARE));
    const quarter = Math.max(1, Math.floor(warm.length / 4));
    return {
      firstMb: calmest(warm.slice(0, quarter)),
      lastMb: calmest(warm.slice(-quarter)),
      mostMb: Math.max(0, ...all),
    };
  }

  /** Medians of the resident size in so many parts of the time. */
  course(parts: number): number[] {
    const step = Math.max(1, Math.ceil(this.samples.length / parts));
    const medians: number[] = [];
    for (let first = 0; first < this.samples.length; first += step) {
      const part = this.samples.slice(first, first + step);
      medians.push(median(part.map(({ residentMb }) => residentMb)));
    }
    return medians;
  }
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function calmest(values: readonly number[]): number {
  return quantile(values, 0.25);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

function childrenOf(pid: number): number[] {
  const text = textOf(`/proc/${pid}/task/${pid}/children`).trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
