/** Ranges in pages against copies of their own: none changes before it is let go. */
import { expect, test } from "bun:test";
import { type KeptPage, keepBytes, letGo, PAGE_BYTES } from "../../src/lib/kept-bytes.ts";
import { withSeed } from "../support/seeded-random.ts";

interface Range {
  readonly page: KeptPage;
  readonly start: number;
  readonly expected: Buffer;
}

function isUnchanged({ page, start, expected }: Range): boolean {
  return page.bytes.subarray(start, start + expected.length).equals(expected);
}

test("ranges that come and go in any order stay what they are", () =>
  withSeed((random) => {
    const ranges: Range[] = [];
    const pages = new Set<KeptPage>();
    for (let step = 0; step < 20_000; step++) {
      if (random.chance(ranges.length < 400 ? 0.6 : 0.4)) {
        const expected = random.bytes(random.pick([1, 7, 70, 700, 7000]));
        const page = keepBytes(expected, 0, expected.length);
        pages.add(page);
        ranges.push({ page, start: page.end - expected.length, expected });
      } else if (ranges.length > 0) {
        const [range] = ranges.splice(random.integer(ranges.length), 1) as [Range];
        expect(isUnchanged(range)).toBe(true);
        letGo(range.page);
      }
    }
    for (const range of ranges) {
      expect(isUnchanged(range)).toBe(true);
      letGo(range.page);
    }
    expect(pages.size * PAGE_BYTES).toBeLessThan(16 * 1024 * 1024);
  }));

test("pages are used again", () => {
  const bytes = Buffer.alloc(5000, "x");
  const pages = new Set<KeptPage>();
  for (let i = 0; i < 1000; i++) {
    const some = Array.from({ length: 9 }, () => keepBytes(bytes, 0, bytes.length));
    for (const page of some) {
      pages.add(page);
      letGo(page);
    }
  }
  expect(pages.size).toBeLessThan(10);
});
