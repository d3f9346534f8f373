/**
 * Random numbers that can be repeated: a failing test prints its seed, NUTCRACKER_SEED sets it.
 *
 *   test("any cut", () => withSeed((random) => { ... random.integer(10) ... }));
 */

/** A small generator (mulberry32): 32 bits of state are plenty for test data. */
export class SeededRandom {
  #state: number;
  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** An integer of 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer in [0, limit). */
  integer(limit: number): number {
    return Math.floor((this.next() / 4_294_967_296) * limit);
  }

  /** An integer in [first, last]. */
  between(first: number, last: number): number {
    return first + this.integer(last - first + 1);
  }

  chance(probability: number): boolean {
    return this.next() / 4_294_967_296 < probability;
  }

  pick<T>(values: readonly T[]): T {
    if (values.length === 0) throw new Error("seeded-random: nothing to pick from");
    return values[this.integer(values.length)] as T;
  }

  bytes(size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let index = 0; index < size; index++) bytes[index] = this.integer(256);
    return bytes;
  }

  /** A copy in random order. */
  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.integer(index + 1);
      const kept = shuffled[index] as T;
      shuffled[index] = shuffled[other] as T;
      shuffled[other] = kept;
    }
    return shuffled;
  }

  /** Cuts bytes at random positions into at most `piecesMax` pieces, none of them empty. */
  cut(bytes: Uint8Array, piecesMax: number): Uint8Array[] {
    const cuts = new Set<number>();
    for (let count = this.integer(piecesMax); count > 0 && bytes.length > 1; count--) {
      cuts.add(this.between(1, bytes.length - 1));
    }
    const ends = [...cuts].sort((a, b) => a - b).concat(bytes.length);
    return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
  }
}

/** The seed of this run: NUTCRACKER_SEED, or a fresh one. */
export function chooseSeed(): number {
  const given = process.env["NUTCRACKER_SEED"];
  if (given === undefined || given === "") return Math.floor(Math.random() * 0xffffffff);
  const seed = Number(given);
  if (!Number.isInteger(seed))
    throw new Error(`NUTCRACKER_SEED must be an integer, not "${given}"`);
  return seed;
}

/** Runs a test body with a generator, and prints the seed if the body fails. */
export async function withSeed(
  body: (random: SeededRandom) => void | Promise<void>,
  seed: number = chooseSeed(),
): Promise<void> {
  try {
    await body(new SeededRandom(seed));
  } catch (error) {
    process.stderr.write(`failed with NUTCRACKER_SEED=${seed}\n`);
    throw error;
  }
}
