/**
 * One timer for many deadlines: none is missed, and none is fired for nothing.
 */
import { expect, test } from "bun:test";
import { nowMs } from "../../src/lib/clock.ts";
import { DeadlineTimer } from "../../src/proxy/deadline-timer.ts";
import { eventually } from "../support/eventually.ts";
import { withSeed } from "../support/seeded-random.ts";

test("any order of deadlines: each is expired, none before its time", () =>
  withSeed(async (random) => {
    const startMs = nowMs();
    const open = new Set<number>();
    let early = 0;
    const timer = new DeadlineTimer((now) => {
      let next = Infinity;
      for (const deadlineMs of [...open]) {
        if (deadlineMs <= now) {
          open.delete(deadlineMs);
          if (nowMs() < deadlineMs) early++;
        } else {
          next = Math.min(next, deadlineMs);
        }
      }
      return next;
    });
    for (let i = 0; i < 200; i++) {
      const deadlineMs = startMs + random.integer(150) + i / 1000;
      open.add(deadlineMs);
      timer.ask(deadlineMs);
      if (random.chance(0.1)) await Bun.sleep(1);
    }
    await eventually(() => open.size === 0, { what: `all deadlines, ${open.size} left` });
    expect(early).toBe(0);
  }));

test("nothing is asked of it, nothing fires; stop forgets", async () => {
  let fired = 0;
  const timer = new DeadlineTimer(() => {
    fired++;
    return Infinity;
  });
  timer.ask(nowMs() + 5);
  timer.stop();
  const other = new DeadlineTimer(() => {
    fired += 100;
    return Infinity;
  });
  other.ask(nowMs() + 20);
  await eventually(() => fired >= 100);
  expect(fired).toBe(100);
  // It is of use again afterwards, also for a moment that has passed.
  timer.ask(nowMs() - 1000);
  await eventually(() => fired === 101);
});

test("a deadline beyond what timers can wait does not fire at once", async () => {
  let fired = 0;
  const far = new DeadlineTimer(() => {
    fired++;
    return Infinity;
  });
  far.ask(nowMs() + 2 ** 40);
  let isOver = false;
  const near = new DeadlineTimer(() => {
    isOver = true;
    return Infinity;
  });
  near.ask(nowMs() + 30);
  await eventually(() => isOver);
  expect(fired).toBe(0);
  far.stop();
});

test("a deadline that is asked for while others expire is kept", async () => {
  const fired: number[] = [];
  const timer = new DeadlineTimer((now) => {
    fired.push(now);
    if (fired.length === 1) timer.ask(now + 5);
    return fired.length === 1 ? now + 60_000 : Infinity;
  });
  timer.ask(nowMs() + 1);
  await eventually(() => fired.length === 2);
});
