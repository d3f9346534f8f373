/**
 * Holds a process as a hanging machine would: it stands still when `freezeProcess` returns.
 *
 * A SIGSTOP that was sent has stopped nobody yet. It is one thread's to receive, and on a busy
 * machine the other threads of a memcached go on answering until that one gets a processor.
 */
import { nowMs } from "../../src/lib/clock.ts";
import { threadStates } from "./process-stat.ts";

const DEADLINE_MS = 5000;
const STOPPED = "T";

/**
 * Waits without giving way to the event loop, so that it can be called between two lines of a test.
 *
 * @throws Error if there is no such process, or if it still runs after 5 seconds
 */
export function freezeProcess(pid: number): void {
  process.kill(pid, "SIGSTOP");
  const endMs = nowMs() + DEADLINE_MS;
  while (threadStates(pid).some((state) => state !== STOPPED)) {
    if (nowMs() > endMs) throw new Error(`process ${pid} does not stop: ${threadStates(pid)}`);
    Bun.sleepSync(1);
  }
}

/** Lets it go on; does nothing to a process that runs. */
export function thawProcess(pid: number): void {
  process.kill(pid, "SIGCONT");
}
