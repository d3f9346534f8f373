/**
 * Watches a fuzzer from a thread of its own, since one that hangs cannot report that itself.
 *
 *   fuzzer --(run, input)--> shared memory <--(every second)-- watchdog: no new run? the end
 */
import { dlopen } from "bun:ffi";
import { writeSync } from "node:fs";
import { escaped } from "./fuzzer.ts";

/** No run takes so long, on a busy machine either. */
const STALLED_MS = 40_000;
const CHECK_MS = 1000;
/** The run, the length of its input, and how often something was noted. */
const HEAD_BYTES = 12;
const INPUT_BYTES_MAX = 4096;

/** The side of the fuzzer: notes what it is about to check. */
export class Watched {
  readonly #worker: Worker;
  readonly #numbers: Int32Array;
  readonly #input: Uint8Array;

  /** @param replay the words that repeat a run, without its number */
  constructor(replay: string) {
    const memory = new SharedArrayBuffer(HEAD_BYTES + INPUT_BYTES_MAX);
    this.#numbers = new Int32Array(memory, 0, 3);
    this.#input = new Uint8Array(memory, HEAD_BYTES);
    this.#worker = new Worker(import.meta.url);
    this.#worker.postMessage({ memory, replay });
    this.#worker.unref();
  }

  note(run: number, input: Buffer): void {
    this.#numbers[0] = run;
    this.#numbers[2]!++;
    this.#numbers[1] = Math.min(input.length, INPUT_BYTES_MAX);
    const shown = input.length > INPUT_BYTES_MAX ? input.subarray(0, INPUT_BYTES_MAX) : input;
    this.#input.set(shown);
  }

  stop(): void {
    this.#worker.terminate();
  }
}

interface Watch {
  readonly memory: SharedArrayBuffer;
  readonly replay: string;
}

function watch({ memory, replay }: Watch): void {
  const numbers = new Int32Array(memory, 0, 3);
  const input = new Uint8Array(memory, HEAD_BYTES);
  let last = 0;
  let sameMs = 0;
  setInterval(() => {
    sameMs = numbers[2] === last ? sameMs + CHECK_MS : 0;
    last = numbers[2]!;
    if (sameMs < STALLED_MS) return;
    const shown = escaped(input.subarray(0, numbers[1]), INPUT_BYTES_MAX);
    const run = numbers[0]!;
    const text = `run ${run} does not end\n  input: ${shown}\n  again: ${replay} --run ${run}\n`;
    writeSync(2, text);
    endProcess();
  }, CHECK_MS);
}

/** A thread can only end itself; the other one is busy for ever. */
function endProcess(): void {
  dlopen("libc.so.6", { _exit: { args: ["i32"], returns: "void" } }).symbols._exit(1);
}

if (!Bun.isMainThread) {
  addEventListener("message", (event) => watch((event as MessageEvent<Watch>).data));
}
