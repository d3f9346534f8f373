/**
 * First in, first out: RingQueue beside an array with `shift`, an array with a head index, and a
 * linked list. Each queue holds `depth` items; one iteration puts one in and takes one out.
 */
import { bench, do_not_optimize, group, run, summary } from "mitata";
import { RingQueue } from "../../src/lib/ring-queue.ts";

interface Node {
  readonly item: object;
  next: Node | null;
}

const item = { name: "a request" };

function benchArray(depth: number): void {
  const queue: object[] = Array<object>(depth).fill(item);
  bench("array, push and shift", () => {
    queue.push(item);
    do_not_optimize(queue.shift());
  });
}

function benchHeadIndex(depth: number): void {
  let queue: object[] = Array<object>(depth).fill(item);
  let head = 0;
  bench("array with a head index", () => {
    queue.push(item);
    do_not_optimize(queue[head++]);
    if (head > 1024) {
      queue = queue.slice(head);
      head = 0;
    }
  });
}

function benchList(depth: number): void {
  let newest: Node = { item, next: null };
  let oldest = newest;
  const push = (): void => {
    const node = { item, next: null };
    newest.next = node;
    newest = node;
  };
  for (let i = 0; i < depth; i++) push();
  bench("linked list, a node per item", () => {
    push();
    do_not_optimize(oldest.item);
    oldest = oldest.next ?? oldest;
  });
}

function benchRing(depth: number): void {
  const queue = new RingQueue<object>();
  for (let i = 0; i < depth; i++) queue.push(item);
  bench("RingQueue", () => {
    queue.push(item);
    do_not_optimize(queue.shift());
  });
}

for (const depth of [1, 100, 10_000, 100_000]) {
  group(`${depth} items`, () => {
    summary(() => {
      benchRing(depth);
      benchArray(depth);
      benchHeadIndex(depth);
      benchList(depth);
    });
  });
}

await run();
