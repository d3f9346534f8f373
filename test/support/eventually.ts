/**
 * Waiting for a condition, with a deadline and a message that says what was last seen.
 *
 * Tests synchronise with this instead of with sleeps.
 */
import { nowMs } from "../../src/lib/clock.ts";

const POLL_MS = 4;

export interface EventuallyOptions {
  readonly deadlineMs?: number;
  readonly what?: string;
}

/**
 * Calls `condition` until it returns something truthy, and returns that.
 *
 * An exception counts as "not yet"; the last one is the cause of the final error.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const deadlineMs = options.deadlineMs ?? 5000;
  const endMs = nowMs() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (nowMs() > endMs) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      const what = options.what ?? condition.toString();
      throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${seen}`, { cause: last });
    }
    await Bun.sleep(POLL_MS);
  }
}

/**
 * Runs assertions (`expect` calls) until none of them throws.
 */
export async function eventuallyHolds(
  assertions: () => void | Promise<void>,
  options: EventuallyOptions = {},
): Promise<void> {
  await eventually(async () => {
    await assertions();
    return true;
  }, options);
}

/** Gives a promise a deadline; the error says what did not happen. */
export async function within<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
