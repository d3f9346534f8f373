/**
 * Numbers of points and their values, with the roundings and cuts that nutcracker makes.
 */
import { describe, expect, test } from "bun:test";
import { ketama } from "../../src/routing/ketama.ts";
import type { RingServer } from "../../src/routing/distribution.ts";

const WEIGHT_MAX = 2 ** 31 - 1;

function serversOf(weights: readonly number[]): RingServer[] {
  return weights.map((weight, i) => ({ name: `server${i}`, weight }));
}

function ringOf(servers: readonly RingServer[], live = [...servers.keys()]) {
  return ketama.build(servers, live);
}

/** How many points each server has. */
function countsOf(servers: readonly RingServer[], live?: number[]): number[] {
  const counts = Array<number>(servers.length).fill(0);
  for (const index of ringOf(servers, live).serverIndexes) counts[index]!++;
  return counts;
}

/** The points of a name by another MD5: the numbers of one digest per four points. */
function pointsOf(name: Uint8Array, count: number): number[] {
  return Array.from({ length: count / 4 }, (_, number) => {
    const text = Buffer.concat([name, Buffer.from(`-${number}`)]).subarray(0, 272);
    const digest = Buffer.from(new Bun.CryptoHasher("md5").update(text).digest());
    return [0, 4, 8, 12].map((at) => digest.readUInt32LE(at));
  }).flat();
}

/** All points of a ring by the other MD5, in nutcracker's order. */
function expectedPoints(servers: readonly RingServer[], counts: readonly number[]): number[][] {
  const all = servers.flatMap(({ name }, index) =>
    pointsOf(Buffer.from(name), counts[index]!).map((value) => [value, index]),
  );
  return all.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
}

function pairsOf(servers: readonly RingServer[]): number[][] {
  const ring = ringOf(servers);
  return [...ring.points].map((point, i) => [point, ring.serverIndexes[i]!]);
}

describe("number of points", () => {
  test.each([25, 47, 50, 100, 200])("%i equal servers lose a digest to rounding", (count) => {
    expect(new Set(countsOf(serversOf(Array<number>(count).fill(1))))).toEqual(new Set([156]));
  });

  test.each([1, 2, 3, 24, 26, 64, 199])("%i equal servers do not", (count) => {
    expect(new Set(countsOf(serversOf(Array<number>(count).fill(7))))).toEqual(new Set([160]));
  });

  test.each([
    [
      [100000, 1],
      [316, 0],
    ],
    [
      [WEIGHT_MAX, 1],
      [320, 0],
    ],
    [
      [WEIGHT_MAX, WEIGHT_MAX],
      [160, 160],
    ],
  ])("weights %p", (weights, counts) => {
    expect(countsOf(serversOf(weights))).toEqual(counts);
  });

  test("counts live servers and their weights only", () => {
    expect(countsOf(serversOf([1, 2, 5, 3]), [0, 1, 3])).toEqual([80, 160, 0, 240]);
  });

  // A sum of 2^32 + 2^31 - 3 wraps to 2^31 - 3, so each server seems to have the whole weight.
  test("a sum of weights that wraps gives too many points, as in nutcracker", () => {
    expect(countsOf(serversOf([WEIGHT_MAX, WEIGHT_MAX, WEIGHT_MAX]))).toEqual([480, 480, 480]);
    expect(countsOf(serversOf(Array<number>(4).fill(WEIGHT_MAX)))).toEqual([320, 320, 320, 320]);
  });

  test.each([
    ["more than nutcracker has room for", [WEIGHT_MAX, WEIGHT_MAX, WEIGHT_MAX - 1e9]],
    ["no weight at all", [WEIGHT_MAX, WEIGHT_MAX, 2]],
    ["hardly any weight", [WEIGHT_MAX, WEIGHT_MAX, 3]],
  ])("but not where the sum wraps to %s", (_what, weights) => {
    const counts = countsOf(serversOf(weights));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, weight] of weights.entries()) {
      expect(counts[i]!).toBeWithin((480 * weight) / total - 8, (480 * weight) / total + 1);
    }
  });
});

describe("points", () => {
  test("come from the digests of the name and a number", () => {
    const servers = serversOf([1, 1, 1]);
    expect(pairsOf(servers)).toEqual(expectedPoints(servers, [160, 160, 160]));
  });

  test.each([
    ["letters outside of ASCII", "Größe-名前-🐿"],
    ["the socket of a server without a name", "/tmp/redis.sock:"],
    ["one byte short of what is cut", "n".repeat(269)],
    ["a name so long that its numbers are cut", "n".repeat(270)],
    ["a name so long that no number is left", "n".repeat(300)],
    ["a letter that is cut in the middle", `${"n".repeat(271)}é`],
  ])("%s", (_what, name) => {
    const servers = [
      { name, weight: 3 },
      { name: "another", weight: 1 },
    ];
    expect(pairsOf(servers)).toEqual(expectedPoints(servers, [240, 80]));
  });

  test("a name ends at a NUL", () => {
    const servers = [{ name: "a\0b", weight: 1 }];
    expect(pairsOf(servers)).toEqual(expectedPoints([{ name: "a", weight: 1 }], [160]));
  });

  test("equal points stay in the order of the servers", () => {
    const name = "n".repeat(300);
    const servers = [1, 2, 3].map((i) => ({ name: `${name}${i}`, weight: 1 }));
    const ring = ringOf(servers);
    expect(new Set(ring.points).size).toBe(4);
    const quarter = [0, 1, 2].flatMap((index) => Array<number>(40).fill(index));
    expect([...ring.serverIndexes]).toEqual([...quarter, ...quarter, ...quarter, ...quarter]);
  });
});
