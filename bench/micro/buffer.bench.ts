/**
 * Gathering what a turn writes to one socket: ByteChain beside one array joined by Buffer.concat
 * and beside a buffer that doubles. 100 pieces per iteration, and then all of them are gone.
 */
import { bench, do_not_optimize, group, run, summary } from "mitata";
import { ByteChain } from "../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";

const PIECES = 100;
const CHUNK_SIZE = 16_384;

function benchChain(piece: Buffer): void {
  const chain = new ByteChain(new ChunkPool(CHUNK_SIZE));
  bench("ByteChain", () => {
    for (let i = 0; i < PIECES; i++) chain.append(piece, 0, piece.length);
    do_not_optimize(chain.sizeBytes);
    chain.clear();
  });
}

/** What most programs do. */
function benchConcat(piece: Buffer): void {
  bench("Buffer.concat of subarrays", () => {
    const pieces: Buffer[] = [];
    for (let i = 0; i < PIECES; i++) pieces.push(piece.subarray(0, piece.length));
    do_not_optimize(Buffer.concat(pieces));
  });
}

function benchGrowing(piece: Buffer): void {
  let output = Buffer.allocUnsafe(CHUNK_SIZE);
  bench("one buffer that doubles", () => {
    let size = 0;
    for (let i = 0; i < PIECES; i++) {
      if (size + piece.length > output.length) {
        const larger = Buffer.allocUnsafe(output.length * 2);
        output.copy(larger, 0, 0, size);
        output = larger;
      }
      piece.copy(output, size);
      size += piece.length;
    }
    do_not_optimize(output);
  });
}

for (const size of [7, 71, 1024, 16_384, 262_144]) {
  group(`${PIECES} pieces of ${size} bytes`, () => {
    const piece = Buffer.alloc(size, 7);
    summary(() => {
      benchChain(piece);
      benchConcat(piece);
      benchGrowing(piece);
    });
  });
}

await run();
