/**
 * The search for a point against a linear search, at the edges above all.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Continuum, HASH_POSITIONS } from "../../src/routing/continuum.ts";

/** Looks at one point after the other. */
function linearPick(ring: Continuum, hash: number): number {
  const position = hash % ring.size;
  const index = ring.points.findIndex((point) => point >= position);
  return ring.serverIndexes[Math.max(index, 0)]!;
}

const u32 = fc.nat(0xffffffff);

describe("pick", () => {
  const ring = new Continuum([10, 20, 20, 4_000_000_000], [3, 1, 2, 0], HASH_POSITIONS);

  test.each([
    [0, 3],
    [9, 3],
    [10, 3],
    [11, 1],
    [20, 1],
    [21, 0],
    [4_000_000_000, 0],
    [4_000_000_001, 3],
    [0xffffffff, 3],
  ])("hash %i belongs to server %i", (hash, server) => {
    expect(ring.pick(hash)).toBe(server);
  });

  test("a ring of one point is all of one server", () => {
    for (const point of [0, 7, 0xffffffff]) {
      const one = new Continuum([point], [5], HASH_POSITIONS);
      expect([0, 6, 7, 8, 2 ** 31, 0xffffffff].map((hash) => one.pick(hash))).toEqual(
        Array(6).fill(5),
      );
    }
  });

  test("a point at the very end owns the last position", () => {
    const last = new Continuum([5, 0xffffffff], [0, 1], HASH_POSITIONS);
    expect([5, 6, 0xfffffffe, 0xffffffff].map((hash) => last.pick(hash))).toEqual([0, 1, 1, 1]);
  });

  test("any ring agrees with a linear search, at random hashes and around each point", () => {
    const points = fc.array(fc.oneof(u32, fc.nat(40)), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(points, fc.array(u32, { maxLength: 50 }), (values, hashes) => {
        const sorted = values.toSorted((a, b) => a - b);
        const any = new Continuum(sorted, [...sorted.keys()], HASH_POSITIONS);
        for (const hash of [...hashes, ...values.flatMap((v) => [v - 1, v, v + 1])]) {
          expect(any.pick(hash >>> 0)).toBe(linearPick(any, hash >>> 0));
        }
      }),
    );
  });

  test("a ring of another size takes the hash modulo its size", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 32 }));
    fc.assert(
      fc.property(size, fc.array(u32, { minLength: 1 }), fc.array(u32), (size, values, hashes) => {
        const sorted = values.map((value) => value % size).sort((a, b) => a - b);
        const any = new Continuum(sorted, [...sorted.keys()], size);
        const edges = [0, size - 1, size, 2 * size - 1, 2 * size, 0xffffffff];
        for (const hash of [...hashes, ...edges.filter((edge) => edge <= 0xffffffff)]) {
          expect(any.pick(hash)).toBe(linearPick(any, hash));
        }
      }),
    );
  });
});

test("keeps its own copy of the points", () => {
  const points = Uint32Array.of(1, 2, 3);
  const indexes = Uint32Array.of(0, 1, 2);
  const ring = new Continuum(points, indexes, HASH_POSITIONS);
  points.fill(9);
  indexes.fill(9);
  expect([[...ring.points], [...ring.serverIndexes]]).toEqual([
    [1, 2, 3],
    [0, 1, 2],
  ]);
});
