/**
 * When a turn is followed by a rest, and for how long: with a clock that only the test moves.
 */
import { expect, test } from "bun:test";
import { TurnPace } from "../../src/proxy/turn-pace.ts";
import { Turn } from "../../src/proxy/turn.ts";
import { eventually } from "../support/eventually.ts";

const PERIOD_US = 50;
const PIECEMEAL_PERIOD_US = 200;
/** More than are looked at before there are rests. */
const MANY_TURNS = 200;

interface TurnShape {
  readonly idleUs: number;
  readonly workUs: number;
  /** How often something came from clients, and went to them. */
  readonly heard?: number;
  readonly told?: number;
}

/** A rush: turns of 15 us, each 20 us after the one before. */
const RUSH: TurnShape = { idleUs: 5, workUs: 15 };

/** Turns on a clock of microseconds; `turn` returns how long the rest behind it was, or 0. */
function pacedTurns(silenceMs = 0.5) {
  let nowUs = 1_000_000;
  let restedUs = 0;
  const pace = new TurnPace(
    (us) => (restedUs = us),
    () => nowUs / 1000,
  );
  for (let count = 0; count < 500; count++) pace.heardAfter(silenceMs);
  const turn = ({ idleUs, workUs, heard = 1, told = 1 }: TurnShape): number => {
    for (let count = 0; count < heard; count++) pace.heardAfter(silenceMs);
    for (let count = 0; count < told; count++) pace.clientTold();
    restedUs = 0;
    nowUs += idleUs;
    const beganMs = nowUs / 1000;
    nowUs += workUs;
    pace.turnEnded(beganMs);
    nowUs += restedUs;
    return restedUs;
  };
  const rests = (shape: TurnShape, count: number) =>
    Array.from({ length: count }, () => turn(shape));
  return { turn, rests, heardAfter: (ms: number) => pace.heardAfter(ms) };
}

test("in a rush turns begin 50 us after each other", () => {
  const { turn, rests } = pacedTurns();
  rests(RUSH, MANY_TURNS);
  expect(turn(RUSH)).toBeCloseTo(PERIOD_US - 15, 3);
});

test.each([
  [0.3, 60],
  [0.75, 150],
  [0.9, 180],
  [1, 200],
  [1000, 200],
])("replies piece by piece, to clients silent for %d ms: %d us", (silenceMs, periodUs) => {
  const { turn, rests } = pacedTurns(silenceMs);
  // Of three replies in pieces one turn hears of a client.
  for (let count = 0; count < MANY_TURNS; count++) rests({ ...RUSH, heard: +(count % 3 === 0) }, 1);
  expect(turn({ ...RUSH, heard: 0 })).toBeCloseTo(periodUs - 15, 0);
});

test("a rest is never longer than the longest period, whatever comes", () => {
  const { turn } = pacedTurns(0.8);
  let restCount = 0;
  for (let count = 0; count < 20_000; count++) {
    const isRush = count % 1000 < 500;
    const rest = turn({
      idleUs: isRush ? 1 : (count * 7) % 90,
      workUs: isRush ? 10 : (count * 13) % 70,
      heard: count % 4,
      told: count % 7,
    });
    if (rest > 0) restCount++;
    expect(rest).toBeLessThanOrEqual(PIECEMEAL_PERIOD_US);
    expect(rest === 0 || rest >= 20).toBe(true);
  }
  expect(restCount).toBeGreaterThan(1000);
});

test.each([
  ["a lonely client", { idleUs: 60, workUs: 15 }],
  ["a few packets less than a rush", { idleUs: 16, workUs: 15 }],
  ["turns that are long anyway", { idleUs: 0, workUs: 200 }],
])("no rest: %s", (_, shape) => {
  const { rests } = pacedTurns();
  expect(Math.max(...rests(shape, 1000))).toBe(0);
});

test("in a rush, too, turns of nearly the period are followed by none", () => {
  const { rests } = pacedTurns();
  rests(RUSH, MANY_TURNS);
  expect(Math.max(...rests({ idleUs: 0, workUs: 35 }, MANY_TURNS))).toBe(0);
});

test("now and then turns go without a rest, to see what comes by itself", () => {
  const { rests } = pacedTurns();
  const all = rests(RUSH, 10_000);
  const without = all.slice(MANY_TURNS).filter((rest) => rest === 0).length;
  expect(without).toBeGreaterThan(500);
  expect(without).toBeLessThan(1500);
  // When the rush is over, so are the rests.
  expect(Math.max(...rests({ idleUs: 60, workUs: 15 }, 1300).slice(1200))).toBe(0);
});

test("no rest where few clients wait for every reply, and one again when others come", () => {
  const { rests, heardAfter } = pacedTurns(0.1);
  expect(Math.max(...rests(RUSH, 1000))).toBe(0);
  // One that comes after an hour is one, and no more.
  heardAfter(3_600_000);
  expect(Math.max(...rests(RUSH, 1000))).toBe(0);
  for (let count = 0; count < 200; count++) heardAfter(0.8);
  expect(Math.max(...rests({ ...RUSH, heard: 0 }, MANY_TURNS))).toBeGreaterThan(0);
});

test("a turn says when it began", async () => {
  const ended: number[][] = [];
  const pace = { turnEnded: (...about: number[]) => ended.push(about) };
  const turn = new Turn(pace as unknown as TurnPace);
  const startMs = turn.now();
  turn.add({ endTurn: () => {} });
  await eventually(() => ended.length === 1);
  expect(ended).toEqual([[startMs]]);
});
