/**
 * The ring of the distribution random.
 */
import { expect, test } from "bun:test";
import { random } from "../../src/routing/random.ts";

test("each live server has one position, whatever its weight", () => {
  const servers = [9, 1, 5, 1].map((weight, i) => ({ name: `server${i}`, weight }));
  const ring = random.build(servers, [0, 2, 3]);
  expect(ring.size).toBe(3);
  expect([0, 1, 2, 3, 4, 5].map((number) => ring.pick(number))).toEqual([0, 2, 3, 0, 2, 3]);
});

test("takes no notice of the key", () => {
  expect(random.usesKey).toBe(false);
});
