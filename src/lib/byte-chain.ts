/**
 * A sequence of bytes in several pieces: what waits to be written, or a message that came in parts
 * (twemproxy: a chain of mbufs).
 *
 *   head -> [pooled chunk] -> [shared 300 KB of a socket's chunk] -> [pooled chunk, open] <- tail
 *
 * Small appends are copied into pooled chunks; large ones are handed on as they came, so a large
 * value is neither joined nor copied. Appending, consuming and moving a chain are O(pieces).
 * Invariant: sizeBytes is the sum of the segments; no segment is empty, but for an open tail that
 * was just taken.
 */
import { copyBytes } from "./bytes.ts";
import type { ChunkPool, Segment } from "./chunk-pool.ts";

/**
 * From this length on bytes are shared, not copied. A copy of 8 KB costs less than half of the
 * write call that a piece of its own may cost (bench/micro/copy.bench.ts).
 */
export const SHARE_BYTES_MIN = 8192;

export class ByteChain {
  head: Segment | null = null;
  tail: Segment | null = null;
  sizeBytes = 0;
  readonly pool: ChunkPool;

  constructor(pool: ChunkPool) {
    this.pool = pool;
  }

  /** Appends [start, end); the bytes must not change afterwards, as they may be shared. */
  append(bytes: Buffer, start: number, end: number): void {
    if (end - start >= SHARE_BYTES_MIN) this.appendShared(bytes, start, end);
    else this.appendCopy(bytes, start, end);
  }

  /** Appends a copy of [start, end). */
  appendCopy(bytes: Buffer, start: number, end: number): void {
    const tail = this.tail;
    const size = end - start;
    if (tail !== null && tail.isPooled && tail.bytes.length - tail.end >= size) {
      copyBytes(bytes, start, end, tail.bytes, tail.end);
      tail.end += size;
      this.sizeBytes += size;
    } else {
      this.appendOverChunks(bytes, start, end);
    }
  }

  /** Appends the bytes of another chain and leaves that one empty. Small contents are copied. */
  appendChain(other: ByteChain): void {
    if (other.sizeBytes < SHARE_BYTES_MIN) {
      for (let s = other.head; s !== null; s = s.next) this.appendCopy(s.bytes, s.start, s.end);
      other.clear();
      return;
    }
    if (other.head === null) return;
    if (this.tail === null) this.head = other.head;
    else this.tail.next = other.head;
    this.tail = other.tail;
    this.sizeBytes += other.sizeBytes;
    other.head = null;
    other.tail = null;
    other.sizeBytes = 0;
  }

  /**
   * Room for `size` bytes at the end, in one piece; the caller writes them there and then calls
   * `grew`. `size` is at most the chunk size.
   */
  reserve(size: number): Segment {
    const tail = this.tail;
    if (tail !== null && tail.isPooled && tail.bytes.length - tail.end >= size) return tail;
    return this.pushSegment(this.pool.takeChunk());
  }

  /** Counts the bytes written into the segment that `reserve` returned. */
  grew(segment: Segment, newEnd: number): void {
    this.sizeBytes += newEnd - segment.end;
    segment.end = newEnd;
  }

  /** Drops the first `count` bytes; `count` is at most sizeBytes. */
  consume(count: number): void {
    this.sizeBytes -= count;
    let segment = this.head;
    while (segment !== null && segment.end - segment.start <= count) {
      count -= segment.end - segment.start;
      const next: Segment | null = segment.next;
      this.pool.give(segment);
      segment = next;
    }
    this.head = segment;
    if (segment === null) this.tail = null;
    else segment.start += count;
  }

  clear(): void {
    if (this.head !== null) this.consume(this.sizeBytes);
  }

  /**
   * Lets go of chunks that are far larger than what the chain shows of them: its bytes will stay
   * for a while, and a piece of 8 KB may keep 512 KB in memory. Copies at most an eighth.
   */
  detach(): void {
    for (let s = this.head; s !== null; s = s.next) {
      const size = s.end - s.start;
      if (!s.isPooled && size * 8 < s.bytes.length) {
        s.bytes = Buffer.from(s.bytes.subarray(s.start, s.end));
        s.start = 0;
        s.end = size;
      }
    }
  }

  /** Copies [offset, offset + length) into `target` at `at`. @cost O(pieces before the range) */
  copyOut(offset: number, length: number, target: Buffer, at: number): void {
    for (let s = this.head; s !== null && length > 0; s = s.next) {
      const size = s.end - s.start;
      if (offset < size) {
        const count = Math.min(size - offset, length);
        copyBytes(s.bytes, s.start + offset, s.start + offset + count, target, at);
        at += count;
        length -= count;
        offset = 0;
      } else {
        offset -= size;
      }
    }
  }

  private appendShared(bytes: Buffer, start: number, end: number): void {
    this.pushSegment(this.pool.takeShared(bytes, start, end));
    this.sizeBytes += end - start;
  }

  private appendOverChunks(bytes: Buffer, start: number, end: number): void {
    this.sizeBytes += end - start;
    let tail = this.tail;
    while (start < end) {
      if (tail === null || !tail.isPooled || tail.end === tail.bytes.length) {
        tail = this.pushSegment(this.pool.takeChunk());
      }
      const count = Math.min(end - start, tail.bytes.length - tail.end);
      copyBytes(bytes, start, start + count, tail.bytes, tail.end);
      tail.end += count;
      start += count;
    }
  }

  private pushSegment(segment: Segment): Segment {
    if (this.tail === null) this.head = segment;
    else this.tail.next = segment;
    this.tail = segment;
    return segment;
  }
}
