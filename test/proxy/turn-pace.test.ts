/**
 * When a turn is followed by a rest, and for how long: with a clock that only the test moves.
 */
import { expect, test } from "bun:test";
import { TurnPace } from "../../src/proxy/turn-pace.ts";
import { Turn } from "../../src/proxy/turn.ts";
import { eventually } from "../support/eventually.ts";

const PERIOD_US = 50;
const PIECEMEAL_PERIOD_US = 200;
const DENSE = { idleUs: 5, workUs: 15, writes: 3 };

interface TurnShape {
  readonly idleUs: number;
  readonly workUs: number;
  readonly writes: number;
  /** How often something came from clients, and went to them. */
  readonly heard?: number;
  readonly told?: number;
}

/** Turns on a clock of microseconds; `turn` returns how long the rest behind it was, or 0. */
function pacedTurns(silenceMs = 0.5) {
  let nowUs = 1_000_000;
  let restedUs = 0;
  const pace = new TurnPace(
    (us) => (restedUs = us),
    () => nowUs / 1000,
  );
  for (let count = 0; count < 500; count++) pace.heardAfter(silenceMs);
  return {
    heardAfter: (silenceMs: number) => pace.heardAfter(silenceMs),
    turn({ idleUs, workUs, writes, heard = 1, told = 1 }: TurnShape): number {
      for (let count = 0; count < heard; count++) pace.heardAfter(silenceMs);
      for (let count = 0; count < told; count++) pace.clientTold();
      restedUs = 0;
      nowUs += idleUs;
      const beganMs = nowUs / 1000;
      nowUs += workUs;
      pace.turnEnded(beganMs, writes);
      nowUs += restedUs;
      return restedUs;
    },
  };
}

test("dense turns begin 50 us after each other", () => {
  const { turn } = pacedTurns();
  let rest = 0;
  for (let count = 0; count < 200; count++) rest = turn({ idleUs: 5, workUs: 15, writes: 3 });
  expect(rest).toBeCloseTo(PERIOD_US - 15, 3);
});

const PIECEMEAL = { idleUs: 5, workUs: 15, writes: 2, heard: 0 };

test.each([
  [0.3, 60],
  [0.75, 150],
  [0.9, 180],
  [1, 200],
  [1000, 200],
])("replies piece by piece, to clients silent for %d ms: %d us", (silenceMs, periodUs) => {
  const { turn } = pacedTurns(silenceMs);
  let rest = 0;
  for (let count = 0; count < 200; count++) rest = turn(PIECEMEAL);
  expect(rest).toBeCloseTo(periodUs - 15, 0);
});

test("a rest is never longer than the longest period, whatever comes", () => {
  const { turn } = pacedTurns(0.8);
  for (let count = 0; count < 5000; count++) {
    const rest = turn({
      idleUs: (count * 7) % 90,
      workUs: (count * 13) % 70,
      writes: count % 9,
      heard: count % 4,
      told: count % 7,
    });
    expect(rest).toBeLessThanOrEqual(PIECEMEAL_PERIOD_US);
    expect(rest === 0 || rest >= 20).toBe(true);
  }
});

test.each([
  ["a lonely client", { idleUs: 60, workUs: 15, writes: 1 }],
  ["few packets", { idleUs: 60, workUs: 5, writes: 2 }],
  ["turns without output", { idleUs: 5, workUs: 15, writes: 0 }],
  ["turns that are long anyway", { idleUs: 0, workUs: 200, writes: 40 }],
  ["requests of many keys to many servers", { idleUs: 300, workUs: 15, writes: 5 }],
  ["turns of nearly the period", { idleUs: 0, workUs: 35, writes: 10 }],
])("no rest: %s", (_, turn) => {
  const turns = pacedTurns();
  for (let count = 0; count < 200; count++) expect(turns.turn(turn)).toBe(0);
});

test("rests end with the load, and a silence is soon forgotten", () => {
  const { turn } = pacedTurns();
  for (let count = 0; count < 200; count++) turn(DENSE);
  expect(turn({ idleUs: 1_000_000, workUs: 15, writes: 1 })).toBe(0);
  let count = 0;
  while (turn(DENSE) === 0) expect(++count).toBeLessThan(100);
  for (count = 0; turn({ idleUs: 100, workUs: 15, writes: 1 }) > 0; count++) {
    expect(count).toBeLessThan(50);
  }
});

test("no rest where few clients wait for every reply, and one again when others come", () => {
  const { turn, heardAfter } = pacedTurns(0.1);
  for (let count = 0; count < 200; count++) expect(turn(DENSE)).toBe(0);
  // One that comes after an hour is one, and no more.
  heardAfter(3_600_000);
  expect(turn(DENSE)).toBe(0);
  for (let count = 0; count < 200; count++) heardAfter(0.8);
  expect(turn(DENSE)).toBeGreaterThan(0);
});

test("a turn says when it began and to how many sockets it wrote", async () => {
  const ended: number[][] = [];
  const pace = { turnEnded: (...about: number[]) => ended.push(about) };
  const turn = new Turn(pace as unknown as TurnPace);
  const startMs = turn.now();
  turn.add({ endTurn: () => {} });
  turn.add({ endTurn: () => {} });
  await eventually(() => ended.length === 1);
  expect(ended).toEqual([[startMs, 2]]);
});
