/**
 * Copying bytes into an output buffer: a loop, Buffer.copy, and what lib/bytes.ts does. Decides
 * LOOP_COPY_MAX there and SHARE_BYTES_MIN in lib/byte-chain.ts.
 */
import { bench, do_not_optimize, group, run } from "mitata";
import { copyBytes } from "../../src/lib/bytes.ts";

const source = Buffer.alloc(64 * 1024, 7);
const target = Buffer.alloc(64 * 1024);

for (const size of [5, 16, 32, 40, 48, 71, 128, 1024, 8192, 16384, 65536]) {
  group(`${size} bytes`, () => {
    bench("loop", () => {
      for (let i = 0; i < size; i++) target[i] = source[i]!;
      do_not_optimize(target);
    });
    bench("Buffer.copy", () => do_not_optimize(source.copy(target, 0, 0, size)));
    bench("set(subarray)", () => do_not_optimize(target.set(source.subarray(0, size), 0)));
    bench("copyBytes", () => do_not_optimize(copyBytes(source, 0, size, target, 0)));
  });
}

await run();
