/**
 * Cumulative weights against the list that nutcracker makes.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { modula } from "../../src/routing/modula.ts";

function serversOf(weights: readonly number[]) {
  return weights.map((weight, i) => ({ name: `server${i}`, weight }));
}

test("any weights and any live servers agree with the list that nutcracker makes", () => {
  const server = fc.record({ weight: fc.integer({ min: 1, max: 40 }), isLive: fc.boolean() });
  const servers = fc.array(server, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(servers, fc.array(fc.nat(0xffffffff), { minLength: 1 }), (rows, hashes) => {
      const live = [...rows.keys()].filter((index) => rows[index]!.isLive);
      fc.pre(live.length > 0);
      const list = live.flatMap((index) => Array<number>(rows[index]!.weight).fill(index));
      const ring = modula.build(serversOf(rows.map((row) => row.weight)), live);
      expect(ring.size).toBe(list.length);
      for (const hash of [...hashes, ...list.keys(), 0xffffffff]) {
        expect(ring.pick(hash)).toBe(list[hash % list.length]!);
      }
    }),
  );
});

test("a huge weight takes no memory", () => {
  const ring = modula.build(serversOf([1, 2 ** 31 - 1, 2]), [0, 1, 2]);
  expect(ring.points.length).toBe(3);
  expect(ring.size).toBe(2 ** 31 + 2);
  const hashes = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 31 + 2, 2 ** 31 + 3];
  expect(hashes.map((hash) => ring.pick(hash))).toEqual([0, 1, 1, 2, 2, 0, 1]);
});

test("weights that add up to all hashes there are", () => {
  const ring = modula.build(serversOf([2 ** 31 - 1, 2 ** 31 - 1, 2]), [0, 1, 2]);
  expect(ring.size).toBe(2 ** 32);
  const hashes = [0, 2 ** 31 - 2, 2 ** 31 - 1, 2 ** 32 - 3, 2 ** 32 - 2, 2 ** 32 - 1];
  expect(hashes.map((hash) => ring.pick(hash))).toEqual([0, 0, 1, 1, 2, 2]);
});

test("weights beyond that share out the hashes in proportion", () => {
  const weights = Array<number>(200).fill(2 ** 31 - 1);
  const ring = modula.build(serversOf(weights), [...weights.keys()]);
  const width = 2 ** 32 / 200;
  for (let i = 0; i < 200; i++) {
    expect(ring.pick(Math.floor((i + 0.5) * width))).toBe(i);
  }
  expect(ring.pick(0)).toBe(0);
  expect(ring.pick(0xffffffff)).toBe(199);
});
