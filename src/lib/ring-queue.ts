/**
 * First-in first-out queue over an array whose length is a power of two. Nothing is allocated per
 * item; the array doubles when full and is given back when a burst is over.
 *
 *   [ . . a b c d . . ]      head -> a, tail -> the free place after d
 *         ^head     ^tail    Invariant: 0 <= tail - head <= slots.length
 *
 * `head` and `tail` only grow; `& mask` turns them into places. They stay exact for 2^53 items.
 */

const SLOTS_MIN = 16;
/** An empty queue with more places than this shrinks back to SLOTS_MIN. */
const SLOTS_KEPT = 4096;

export class RingQueue<T> {
  private slots: (T | null)[] = [];
  private mask = -1;
  private head = 0;
  private tail = 0;

  get length(): number {
    return this.tail - this.head;
  }

  /** The oldest item, or null. */
  peek(): T | null {
    return this.head === this.tail ? null : this.slots[this.head & this.mask]!;
  }

  /** The item `index` places behind the oldest one; `index` is below `length`. */
  at(index: number): T {
    return this.slots[(this.head + index) & this.mask]!;
  }

  /** Puts `item` in the place of that one. */
  replace(index: number, item: T): void {
    this.slots[(this.head + index) & this.mask] = item;
  }

  push(item: T): void {
    if (this.tail - this.head > this.mask) this.grow();
    this.slots[this.tail++ & this.mask] = item;
  }

  /** Takes the oldest item out; null if there is none. */
  shift(): T | null {
    if (this.head === this.tail) return null;
    const place = this.head & this.mask;
    const item = this.slots[place]!;
    this.slots[place] = null;
    this.head++;
    if (this.head === this.tail && this.mask >= SLOTS_KEPT) this.release();
    return item;
  }

  /** Back to a queue that owns no array. The queue must be empty. */
  private release(): void {
    this.slots = [];
    this.mask = -1;
    this.head = 0;
    this.tail = 0;
  }

  private grow(): void {
    const count = this.tail - this.head;
    const slots = new Array<T | null>(Math.max(SLOTS_MIN, count * 2)).fill(null);
    for (let i = 0; i < count; i++) slots[i] = this.slots[(this.head + i) & this.mask]!;
    this.slots = slots;
    this.mask = slots.length - 1;
    this.head = 0;
    this.tail = count;
  }
}
