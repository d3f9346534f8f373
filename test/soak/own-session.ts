/**
 * Runs a program again in a session of its own, so that Ctrl-C reaches it alone, by a signal from
 * here, and not the servers that it has started.
 */
import { existsSync } from "node:fs";

const MARK = "NUTCRACKER_SOAK_SESSION";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const STARTER_POLL_MS = 500;

export function isInOwnSession(): boolean {
  return process.env[MARK] !== undefined;
}

/** @returns the exit status */
export async function runInOwnSession(program: string, args: readonly string[]): Promise<number> {
  const child = Bun.spawn([process.execPath, program, ...args], {
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, [MARK]: String(process.pid) },
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill("SIGINT"));
  return child.exited;
}

/** Calls back at a signal, and when the process that started this one is gone. */
export function onInterruption(callback: () => void): void {
  for (const signal of SIGNALS) process.on(signal, callback);
  const starter = `/proc/${process.env[MARK]}`;
  const timer = setInterval(() => {
    if (existsSync(starter)) return;
    clearInterval(timer);
    callback();
  }, STARTER_POLL_MS);
  timer.unref();
}
