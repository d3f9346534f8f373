/**
 * The vectors of nutcracker 0.5.0, reproduced exactly: rings, points and the server of every key.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { hashFunction } from "../../src/hash/hashes.ts";
import type { HashName } from "../../src/hash/hashes.ts";
import type { Continuum } from "../../src/routing/continuum.ts";
import type { DistributionName } from "../../src/routing/distributions.ts";
import { Router } from "../../src/routing/router.ts";
import { inIndexOrder } from "./ring-order.ts";

interface PoolCase {
  readonly case: string;
  readonly pool: {
    readonly hash?: HashName;
    readonly distribution?: DistributionName;
    readonly hash_tag?: string;
  };
  readonly ejected: readonly string[];
  readonly servers_sorted: readonly {
    readonly name: string;
    readonly weight: number;
    readonly points: number;
  }[];
  readonly ncontinuum: number;
  readonly nlive: number;
  readonly continuum_head: readonly (readonly [number, number])[];
  readonly continuum_tail: readonly (readonly [number, number])[];
  readonly keys: Readonly<Record<string, string>>;
}

interface Vectors {
  readonly cases: readonly PoolCase[];
  readonly ketama_point_counts: readonly {
    readonly weights: readonly number[];
    readonly points: readonly number[];
    readonly ncontinuum: number;
  }[];
}

const file = join(import.meta.dir, "../vectors/distribution-vectors.json");
const vectors = (await Bun.file(file).json()) as Vectors;

function routerOf(row: PoolCase): Router {
  const tag = row.pool.hash_tag;
  const router = new Router({
    hash: hashFunction(row.pool.hash ?? "fnv1a_64"),
    distribution: row.pool.distribution ?? "ketama",
    hashTag: tag === undefined ? null : Buffer.from(tag),
    servers: row.servers_sorted,
  });
  if (row.ejected.length > 0) {
    router.rebuild((index) => !row.ejected.includes(row.servers_sorted[index]!.name));
  }
  return router;
}

/** The entries as nutcracker lists them: for modula one per unit of weight, without a point. */
function entriesOf(ring: Continuum, name: DistributionName): [number, number][] {
  if (name === "ketama") {
    return [...ring.points].map((point, i) => [point, ring.serverIndexes[i]!]);
  }
  return Array.from({ length: ring.size }, (_, slot) => [0, ring.pick(slot)]);
}

function countsOf(entries: readonly (readonly [number, number])[], servers: number): number[] {
  const counts = Array<number>(servers).fill(0);
  for (const [, index] of entries) counts[index]!++;
  return counts;
}

describe.each(vectors.cases.map((row) => [row.case, row] as const))("%s", (_name, row) => {
  const router = routerOf(row);
  const entries = entriesOf(router.continuum, row.pool.distribution ?? "ketama");

  test("ring", () => {
    expect(entries.length).toBe(row.ncontinuum);
    expect(new Set(entries.map(([, index]) => index)).size).toBeLessThanOrEqual(row.nlive);
    expect(entries.slice(0, row.continuum_head.length)).toEqual(row.continuum_head as never);
    expect(entries.slice(-row.continuum_tail.length)).toEqual(row.continuum_tail as never);
    const counts = countsOf(entries, row.servers_sorted.length);
    expect(counts).toEqual(row.servers_sorted.map((server) => server.points));
  });

  test("keys", () => {
    expect(Object.keys(row.keys).length).toBeGreaterThan(0);
    const found = Object.keys(row.keys).map((hex) => {
      const key = Buffer.from(hex, "hex");
      return [hex, row.servers_sorted[router.serverIndexOf(key, 0, key.length)]!.name];
    });
    expect(Object.fromEntries(found)).toEqual(row.keys);
  });

  test("the servers stand in the order that the other tests make", () => {
    expect(inIndexOrder(row.servers_sorted)).toEqual([...row.servers_sorted]);
  });
});

test.each(vectors.ketama_point_counts.map((row) => [row.weights.join(), row] as const))(
  "points for weights %s",
  (_weights, row) => {
    const servers = row.weights.map((weight, i) => ({ name: `server${i}`, weight }));
    const hash = hashFunction("fnv1a_64");
    const router = new Router({ hash, distribution: "ketama", hashTag: null, servers });
    const entries = entriesOf(router.continuum, "ketama");
    expect(entries.length).toBe(row.ncontinuum);
    expect(countsOf(entries, servers.length)).toEqual([...row.points]);
  },
);
