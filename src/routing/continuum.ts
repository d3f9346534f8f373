/**
 * A ring as a value: which server owns which position.
 *
 *     position   0 ......... 9796559 ........ 10686546 ... 4290847573 ... size - 1
 *     owner      |-- server 2 --|--- server 1 ---|  ...  |              |
 *     points               9796559          10686546  ...  4290847573     the rest: server 2 again
 *
 * A point owns the positions that lead up to it, itself included; those after the last point belong
 * to the first, which closes the ring. All distributions are rings: ketama scatters many points
 * over 2^32 positions, modula gives each server one point and as many positions as it has weight.
 * A continuum never changes; a new one takes its place. Twin: struct continuum.
 */

/** Positions on a ring that takes every hash as it is. */
export const HASH_POSITIONS = 2 ** 32;

/**
 * Buckets per point of the search table, at least. With 640 and 31,200 points a binary search takes
 * 40 and 97 ns, one bucket 5 and 10, two 3.5 and 8, four 3 and 7 for twice the memory
 * (bench/micro/continuum.bench.ts).
 */
const BUCKETS_PER_POINT_MIN = 2;

export class Continuum {
  /** Positions, ascending; equal ones in the order of their servers' indexes. Read only. */
  readonly points: Uint32Array;
  /** The server that owns each point, as an index into the pool's servers. Read only. */
  readonly serverIndexes: Uint32Array;
  /** How many positions there are: 1 to 2^32. A hash counts modulo `size`. */
  readonly size: number;

  /** `points` and `serverIndexes` with a last entry that leads back to the first server. */
  readonly #closedPoints: Uint32Array;
  readonly #closedIndexes: Uint32Array;
  /** For every bucket of positions (equal upper bits) the first point at or after its start. */
  readonly #firstPoints: Uint32Array;
  readonly #bucketShift: number;

  /**
   * @param points positions below `size`, ascending, at least one; copied
   * @param serverIndexes as long as `points`; copied
   */
  constructor(points: ArrayLike<number>, serverIndexes: ArrayLike<number>, size: number) {
    const count = points.length;
    this.#closedPoints = new Uint32Array(count + 1);
    this.#closedPoints.set(points);
    this.#closedPoints[count] = 0xffffffff;
    this.#closedIndexes = new Uint32Array(count + 1);
    this.#closedIndexes.set(serverIndexes);
    this.#closedIndexes[count] = serverIndexes[0]!;
    this.points = this.#closedPoints.subarray(0, count);
    this.serverIndexes = this.#closedIndexes.subarray(0, count);
    this.size = size;
    const positionBits = bitsFor(size);
    const bucketBits = Math.min(positionBits, bitsFor(count * BUCKETS_PER_POINT_MIN));
    this.#bucketShift = positionBits - bucketBits;
    this.#firstPoints = firstPointOfBuckets(this.points, 2 ** bucketBits, this.#bucketShift);
  }

  /**
   * The server that owns a hash.
   *
   * @param hash unsigned 32 bits
   * @returns an index into the pool's servers
   * @cost three loads and half a step on average, if the hash spreads evenly
   */
  pick(hash: number): number {
    const size = this.size;
    // The quotient is exact enough: both numbers have 32 bits and a double has 53.
    const position = size === HASH_POSITIONS ? hash : hash - Math.floor(hash / size) * size;
    const points = this.#closedPoints;
    let i = this.#firstPoints[position >>> this.#bucketShift]!;
    while (points[i]! < position) {
      i++;
    }
    return this.#closedIndexes[i]!;
  }
}

/** How many bits, at least one, hold the numbers below `count`. */
function bitsFor(count: number): number {
  return Math.max(1, 32 - Math.clz32(count - 1));
}

function firstPointOfBuckets(points: Uint32Array, count: number, shift: number): Uint32Array {
  const firstPoints = new Uint32Array(count);
  let i = 0;
  for (let bucket = 0; bucket < count; bucket++) {
    const bucketStart = bucket * 2 ** shift;
    while (i < points.length && points[i]! < bucketStart) {
      i++;
    }
    firstPoints[bucket] = i;
  }
  return firstPoints;
}
