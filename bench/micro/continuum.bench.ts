/**
 * How long it takes to find the server of a hash: `Continuum.pick` beside two binary searches.
 *
 *   bun bench/micro/continuum.bench.ts
 *
 * Random hashes, so many that no branch predictor learns them. One iteration is 1,000 searches:
 * read microseconds as nanoseconds per search.
 */
import { bench, do_not_optimize, group, run, summary } from "mitata";
import type { Continuum } from "../../src/routing/continuum.ts";
import { hashFunction } from "../../src/hash/hashes.ts";
import { Router } from "../../src/routing/router.ts";

const SEARCHES = 1000;
const hashes = Uint32Array.from({ length: 1_000_000 }, () => Math.random() * 2 ** 32);

/** The textbook's lower bound; what nutcracker does. */
function pickByHalving(ring: Continuum, hash: number): number {
  const points = ring.points;
  let left = 0;
  let right = points.length;
  while (left < right) {
    const middle = (left + right) >>> 1;
    if (points[middle]! < hash) {
      left = middle + 1;
    } else {
      right = middle;
    }
  }
  return ring.serverIndexes[left === points.length ? 0 : left]!;
}

/** Lower bound with a step that needs no branch: a fixed number of rounds, one addition each. */
function pickWithoutBranches(ring: Continuum, hash: number): number {
  const points = ring.points;
  let base = 0;
  let length = points.length;
  while (length > 1) {
    const half = length >>> 1;
    base += half & -(points[base + half - 1]! < hash ? 1 : 0);
    length -= half;
  }
  base += points[base]! < hash ? 1 : 0;
  return ring.serverIndexes[base === points.length ? 0 : base]!;
}

function pickByBuckets(ring: Continuum, hash: number): number {
  return ring.pick(hash);
}

/** A loop of its own for each search, so that each call is compiled for that search alone. */
function loopOver(search: string): (ring: Continuum, pick: unknown, from: number) => number {
  const body = `let sum = 0;
    for (let i = 0; i < ${SEARCHES}; i++) sum += pick(ring, hashes[from + i]);
    return sum; // ${search}`;
  const loop = new Function("hashes", "ring", "pick", "from", body);
  return (ring, pick, from) => loop(hashes, ring, pick, from) as number;
}

for (const servers of [4, 20, 200]) {
  const router = new Router({
    hash: hashFunction("fnv1a_64"),
    distribution: "ketama",
    hashTag: null,
    servers: Array.from({ length: servers }, (_, i) => ({ name: `10.0.0.${i}:6379`, weight: 1 })),
  });
  const ring = router.continuum;
  group(`${servers} servers, ${ring.points.length} points`, () => {
    summary(() => {
      for (const pick of [pickByHalving, pickWithoutBranches, pickByBuckets]) {
        const loop = loopOver(pick.name);
        let from = 0;
        bench(pick.name, () => {
          from = (from + SEARCHES) % hashes.length;
          do_not_optimize(loop(ring, pick, from));
        });
      }
    });
  });
}

await run();
