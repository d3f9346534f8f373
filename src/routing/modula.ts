/**
 * The distribution `modula`: hash modulo the sum of weights.
 *
 * nutcracker lists every live server as often as its weight says and picks list[hash % length]. The
 * list has runs of equal entries, so the end of each run says as much, whatever the weights are.
 * Twin: nc_modula.c.
 */
import { Continuum, HASH_POSITIONS } from "./continuum.ts";
import type { Distribution, RingServer } from "./distribution.ts";

export const modula: Distribution = { usesKey: true, build: buildModula };

function buildModula(servers: readonly RingServer[], live: readonly number[]): Continuum {
  const total = live.reduce((sum, index) => sum + servers[index]!.weight, 0);
  const size = Math.min(total, HASH_POSITIONS);
  const points: number[] = [];
  let sum = 0;
  for (const index of live) {
    sum += servers[index]!.weight;
    // A hash has no more than 2^32 values. With more weight than that nutcracker's sum wraps and it
    // crashes; here the positions are shared out in proportion.
    points.push(total > size ? Math.floor((sum / total) * (size - 1)) : sum - 1);
  }
  return new Continuum(points, live, size);
}
