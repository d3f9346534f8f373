/** Chains against plain buffers: whatever is appended, moved and consumed, the bytes agree. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ByteChain, SHARE_BYTES_MIN } from "../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import { MessageBytes } from "../../src/lib/message-bytes.ts";

function contents(chain: ByteChain): Buffer {
  const bytes = Buffer.alloc(chain.sizeBytes);
  chain.copyOut(0, bytes.length, bytes, 0);
  return bytes;
}

/** Bytes that differ from place to place, so that a shift is seen. */
function sample(size: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255));
}

const step = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), size: fc.nat(3 * SHARE_BYTES_MIN) }),
  fc.record({ kind: fc.constant("append" as const), size: fc.nat(100) }),
  fc.record({ kind: fc.constant("chain" as const), size: fc.nat(2 * SHARE_BYTES_MIN) }),
  fc.record({ kind: fc.constant("consume" as const), size: fc.nat(20_000) }),
  fc.record({ kind: fc.constant("reserve" as const), size: fc.integer({ min: 1, max: 200 }) }),
);

for (const chunkSize of [512, 16_384]) {
  test(`holds what was appended, with chunks of ${chunkSize} bytes`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new ChunkPool(chunkSize);
        const chain = new ByteChain(pool);
        let model = Buffer.alloc(0);
        for (const [seed, { kind, size }] of steps.entries()) {
          const bytes = sample(size, seed);
          if (kind === "append") {
            chain.append(bytes, 0, size);
          } else if (kind === "chain") {
            const other = new ByteChain(pool);
            for (let at = 0; at < size; at += 700) {
              other.append(bytes, at, Math.min(size, at + 700));
            }
            chain.appendChain(other);
            expect(other.sizeBytes).toBe(0);
            expect(other.head).toBeNull();
          } else if (kind === "reserve") {
            const segment = chain.reserve(size);
            bytes.copy(segment.bytes, segment.end);
            chain.grew(segment, segment.end + size);
          } else {
            const count = Math.min(size, model.length);
            chain.consume(count);
            model = model.subarray(count);
            expect(chain.sizeBytes).toBe(model.length);
            continue;
          }
          model = Buffer.concat([model, bytes]);
          expect(chain.sizeBytes).toBe(model.length);
        }
        expect(contents(chain).equals(model)).toBe(true);
        chain.clear();
        expect(chain.sizeBytes).toBe(0);
        expect(pool.chunksInUse).toBe(0);
      }),
    );
  });
}

test("shares large bytes and copies small ones", () => {
  const chain = new ByteChain(new ChunkPool(16_384));
  const large = sample(SHARE_BYTES_MIN, 1);
  chain.append(large, 0, large.length);
  expect(chain.head!.bytes).toBe(large);
  const small = sample(100, 2);
  chain.append(small, 0, small.length);
  expect(chain.tail!.bytes).not.toBe(small);
});

test("the pool keeps a bounded number of free chunks", () => {
  const pool = new ChunkPool(1024 * 1024);
  const chain = new ByteChain(pool);
  const bytes = sample(1000, 1);
  for (let i = 0; i < 40_000; i++) chain.appendCopy(bytes, 0, bytes.length);
  expect(pool.chunksInUse).toBeGreaterThan(30);
  chain.clear();
  expect(pool.chunksInUse).toBe(0);
  expect(pool.freeChunkCount).toBeLessThanOrEqual(8);
});

test("MessageBytes reads the same from a piece and from a chain", () => {
  const range = fc.tuple(fc.nat(4000), fc.nat(4000));
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { minLength: 1, maxLength: 8 }), range, (sizes, [a, b]) => {
      const pool = new ChunkPool(512);
      const chain = new ByteChain(pool);
      const parts = sizes.map((size, i) => sample(size + 1, i));
      for (const part of parts) chain.append(part, 0, part.length);
      const whole = Buffer.concat(parts);
      const offset = a % whole.length;
      const length = b % (whole.length - offset + 1);
      const message = new MessageBytes();
      message.useChain(chain);
      for (const [start, size] of [
        [offset, length],
        [0, Math.min(10, whole.length)],
      ] as const) {
        message.locate(start, size);
        const found = message.bytes.subarray(message.start, message.end);
        expect(found.equals(whole.subarray(start, start + size))).toBe(true);
        const copy = new ByteChain(pool);
        message.copyRange(start, size, copy);
        expect(contents(copy).equals(whole.subarray(start, start + size))).toBe(true);
        copy.clear();
        expect(message.byteAt(start)).toBe(whole[start]!);
      }
      expect(message.byteAt(whole.length)).toBe(-1);
      const target = new ByteChain(pool);
      message.moveTo(target);
      expect(contents(target).equals(whole)).toBe(true);
    }),
  );
});
