/**
 * The end of a turn: who is called, in which order, how often.
 */
import { expect, test } from "bun:test";
import { Turn } from "../../src/proxy/turn.ts";
import { eventually } from "../support/eventually.ts";

test("members are called once, in their order, after everything that was ready", async () => {
  const turn = new Turn();
  const calls: string[] = [];
  turn.add({ endTurn: () => calls.push("a") });
  turn.add({ endTurn: () => calls.push("b") });
  queueMicrotask(() => calls.push("microtask"));
  await eventually(() => calls.length === 3);
  expect(calls).toEqual(["microtask", "a", "b"]);
  await new Promise((done) => setImmediate(done));
  expect(calls.length).toBe(3);
});

test("a member that is added while others write is called in the same turn", async () => {
  const turn = new Turn();
  const calls: string[] = [];
  const late = { endTurn: () => calls.push("late") };
  turn.add({
    endTurn: () => {
      calls.push("first");
      turn.add(late);
    },
  });
  turn.add({ endTurn: () => calls.push("second") });
  setImmediate(() => calls.push("next turn"));
  await eventually(() => calls.length === 4);
  expect(calls).toEqual(["first", "second", "late", "next turn"]);
  // The turn is over: one more is the next one's.
  turn.add(late);
  await eventually(() => calls.length === 5);
});

test("the time stands still within a turn, and goes on with the next", async () => {
  const turn = new Turn();
  const startMs = turn.now();
  const untilMs = performance.now() + 5;
  while (performance.now() < untilMs);
  expect(turn.now()).toBe(startMs);
  await eventually(() => turn.now() > startMs);
  expect(turn.now()).toBeGreaterThanOrEqual(startMs + 5);
});
