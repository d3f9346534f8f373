/**
 * The copy of a key that Bun's hashes get.
 */
import { expect, test } from "bun:test";
import { keyView } from "../../src/hash/key-view.ts";
import { withSeed } from "../support/seeded-random.ts";

test("has the bytes of the range and no others, at every length", () =>
  withSeed((random) => {
    const bytes = random.bytes(300);
    for (const length of [...Array(200).keys(), 3, 0, 64, 65, 1]) {
      const start = random.integer(100);
      const view = keyView(bytes, start, start + length);
      expect(Buffer.from(view).toHex()).toBe(bytes.toHex().slice(2 * start, 2 * (start + length)));
    }
  }));
