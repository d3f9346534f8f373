/** The queue against a plain array, over random pushes and shifts. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { RingQueue } from "../../src/lib/ring-queue.ts";

test("gives items back in the order they came, as an array does", () => {
  const commands = fc.array(fc.oneof(fc.constant("shift"), fc.integer()), { maxLength: 400 });
  fc.assert(
    fc.property(commands, (steps) => {
      const queue = new RingQueue<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (typeof step === "number") {
          queue.push(step);
          model.push(step);
        } else {
          expect(queue.shift()).toBe(model.shift() ?? null);
        }
        expect(queue.length).toBe(model.length);
        expect(queue.peek()).toBe(model[0] ?? null);
        if (model.length > 0) expect(queue.at(model.length - 1)).toBe(model.at(-1)!);
      }
    }),
  );
});

test("goes on after a burst far larger than what it keeps", () => {
  const queue = new RingQueue<number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 50_000; i++) queue.push(i);
    for (let i = 0; i < 50_000; i++) expect(queue.shift()).toBe(i);
    expect(queue.shift()).toBeNull();
  }
});
