/**
 * What each hash costs for keys of 8, 15, 40 and 100 bytes.
 *
 *   bun bench/micro/hashes.bench.ts [name ...]
 *
 * The keys lie at odd offsets of larger buffers, as in a request. One iteration is 1,000 keys: read
 * microseconds as nanoseconds per key.
 */
import { bench, do_not_optimize, group, run } from "mitata";
import type { HashFunction } from "../../src/hash/hash-function.ts";
import { HASH_NAMES, hashFunction } from "../../src/hash/hashes.ts";

const KEYS = 1000;
const KEY_OFFSET = 3;

/** A loop of its own for each hash, so that each call is compiled for that hash alone. */
function loopFor(name: string): (hash: HashFunction, keys: readonly Buffer[]) => number {
  const body = `let sum = 0;
    for (let i = 0; i < keys.length; i++) {
      sum ^= hash(keys[i], ${KEY_OFFSET}, keys[i].length);
    }
    return sum; // ${name}`;
  return new Function("hash", "keys", body) as ReturnType<typeof loopFor>;
}

/** What one would write for XXH32 without a function of our own. */
const throughBun: HashFunction = (bytes, start, end) =>
  Bun.hash.xxHash32(bytes.subarray(start, end));

const asked = process.argv.slice(2);
const rows: (readonly [string, HashFunction])[] = [
  ...HASH_NAMES.map((name) => [name, hashFunction(name)] as const),
  ["xxh32 through Bun.hash", throughBun],
];

for (const length of [8, 15, 40, 100]) {
  const keys = Array.from({ length: KEYS }, () =>
    crypto.getRandomValues(Buffer.alloc(KEY_OFFSET + length)),
  );
  group(`${length} bytes`, () => {
    for (const [name, hash] of rows) {
      if (asked.length > 0 && !asked.includes(name)) {
        continue;
      }
      const loop = loopFor(name);
      bench(name, () => do_not_optimize(loop(hash, keys)));
    }
  });
}

await run();
