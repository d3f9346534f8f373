/**
 * MD5 against the values of its RFC, and as four words at any place of a buffer.
 */
import { expect, test } from "bun:test";
import { md5, md5Digest } from "../../src/hash/md5.ts";
import { withSeed } from "../support/seeded-random.ts";
import { hashOf } from "./reference.ts";

function hexDigest(bytes: Uint8Array, start: number, end: number): string {
  const words = new Uint32Array(4);
  md5Digest(bytes, start, end, words);
  return Buffer.from(words.buffer).toString("hex");
}

test.each([
  ["", "d41d8cd98f00b204e9800998ecf8427e"],
  ["a", "0cc175b9c0f1b6a831c399e269772661"],
  ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
])("RFC 1321, A.5: %p", (text, digest) => {
  const bytes = Buffer.from(text);
  expect(hexDigest(bytes, 0, bytes.length)).toBe(digest);
});

test("all lengths over several blocks, at odd places of a buffer", () =>
  withSeed((random) => {
    const bytes = random.bytes(500);
    for (let length = 0; length <= 300; length++) {
      const start = length % 7;
      const range = bytes.subarray(start, start + length);
      const digest = new Bun.CryptoHasher("md5").update(range).digest("hex");
      expect(hexDigest(bytes, start, start + length)).toBe(digest);
      expect(md5(bytes, start, start + length)).toBe(Buffer.from(digest, "hex").readUInt32LE(0));
    }
  }));

test("a long text", () => {
  const bytes = Buffer.alloc(1_000_003, "nutcracker");
  const digest = new Bun.CryptoHasher("md5").update(bytes).digest("hex");
  expect(hexDigest(bytes, 0, bytes.length)).toBe(digest);
});

test("a known value", () => {
  expect(hashOf(md5, "apple")).toBe(3195025439);
});
