/**
 * The distribution `ketama`: consistent hashing as libmemcached and nutcracker do it.
 *
 *   name, weight -> number of points -> MD5("<name>-0"), MD5("<name>-1"), ... -> 4 points each
 *   points of all live servers -> sorted -> continuum
 *
 * Every step of the number of points is rounded to 32-bit floats, as in C. That shows: 25 servers
 * of equal weight get 156 points each instead of 160, and a small weight beside a large one may get
 * none. Any other rounding would move keys. Twin: nc_ketama.c, ketama_update().
 */
import { md5Digest } from "../hash/md5.ts";
import { Continuum, HASH_POSITIONS } from "./continuum.ts";
import type { Distribution, RingServer } from "./distribution.ts";

/** What a server has on average. */
const POINTS_PER_SERVER = 160;
const POINTS_PER_DIGEST = 4;
/** nutcracker's array of points has room for so many servers more than a pool has. */
const SPARE_SERVERS = 10;
/** Longest text that goes into MD5, in bytes; nutcracker cuts off the rest, digits included. */
const POINT_TEXT_BYTES_MAX = 272;

/**
 * Factor that puts the server index below the value in one number to sort by: 32 + 21 bits, all of
 * which a double holds. Equal values then keep index order, as in nutcracker's stable sort.
 */
const INDEX_LIMIT = 2 ** 21;

export const ketama: Distribution = { usesKey: true, build: buildKetama };

function buildKetama(servers: readonly RingServer[], live: readonly number[]): Continuum {
  const counts = pointCounts(servers, live);
  const sortable = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  const digest = new Uint32Array(POINTS_PER_DIGEST);
  let filled = 0;
  for (const [i, index] of live.entries()) {
    const text = new PointText(servers[index]!.name);
    for (let number = 0; number < counts[i]! / POINTS_PER_DIGEST; number++) {
      md5Digest(text.bytes, 0, text.end(number), digest);
      for (let word = 0; word < POINTS_PER_DIGEST; word++) {
        sortable[filled++] = digest[word]! * INDEX_LIMIT + index;
      }
    }
  }
  sortable.sort();
  const points = new Uint32Array(filled);
  const serverIndexes = new Uint32Array(filled);
  for (let i = 0; i < filled; i++) {
    const value = Math.floor(sortable[i]! / INDEX_LIMIT);
    points[i] = value;
    serverIndexes[i] = sortable[i]! - value * INDEX_LIMIT;
  }
  return new Continuum(points, serverIndexes, HASH_POSITIONS);
}

/** How many points each live server gets. */
function pointCounts(servers: readonly RingServer[], live: readonly number[]): number[] {
  const weights = live.map((index) => servers[index]!.weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const wrapped = total >>> 0;
  const counts = pointCountsOf(weights, wrapped);
  if (wrapped === total) {
    return counts;
  }
  // nutcracker adds weights up in 32 bits. A sum that wraps makes for too many points: while they
  // fit its array they are what it uses; beyond that it writes past the end, and there is nothing
  // to match.
  const room = (servers.length + SPARE_SERVERS) * POINTS_PER_SERVER;
  const fits = counts.reduce((sum, count) => sum + count, 0) <= room;
  return fits ? counts : pointCountsOf(weights, total);
}

function pointCountsOf(weights: readonly number[], total: number): number[] {
  const float = Math.fround;
  return weights.map((weight) => {
    const share = float(float(weight) / float(total));
    const quarter = float(float(share * POINTS_PER_SERVER) / POINTS_PER_DIGEST);
    // C adds 1e-10 here, which is lost in the rounding of any float that a floor could notice.
    const digests = Math.floor(float(quarter * float(weights.length)));
    return digests * POINTS_PER_DIGEST;
  });
}

/** The texts "<name>-0", "<name>-1" and so on, written into one array. */
class PointText {
  readonly bytes = new Uint8Array(POINT_TEXT_BYTES_MAX);
  readonly #prefixBytes: number;

  constructor(name: string) {
    // In C a text ends at its first NUL.
    const prefix = new TextEncoder().encode(`${name.split("\0", 1)[0]}-`);
    this.bytes.set(prefix.subarray(0, POINT_TEXT_BYTES_MAX));
    this.#prefixBytes = Math.min(prefix.length, POINT_TEXT_BYTES_MAX);
  }

  /** Puts a number behind the name; returns the length of the whole. */
  end(number: number): number {
    const digits = String(number);
    let end = this.#prefixBytes;
    for (let i = 0; i < digits.length && end < POINT_TEXT_BYTES_MAX; i++) {
      this.bytes[end++] = digits.charCodeAt(i);
    }
    return end;
  }
}
