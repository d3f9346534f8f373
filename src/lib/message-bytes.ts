/**
 * The bytes of one message, wherever they lie: in one piece of a socket's chunk (nearly always), or
 * in a chain when the message came in several chunks.
 *
 *   offset 0 is the first byte of the message; `locate` turns an offset into bytes in one piece.
 *
 * One instance serves one message after another; it owns neither the piece nor the chain.
 * Ranges must be asked for in ascending order to stay linear: a cursor remembers the place.
 */
import type { ByteChain } from "./byte-chain.ts";
import type { Segment } from "./chunk-pool.ts";

const NO_BYTES = Buffer.alloc(0);
/** A scratch buffer larger than this is not kept. */
const SCRATCH_KEPT_BYTES = 64 * 1024;

export class MessageBytes {
  sizeBytes = 0;
  /** Result of `locate`: the range is [start, end) of these bytes, until the next `locate`. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;

  private piece: Buffer = NO_BYTES;
  private pieceStart = 0;
  private chain: ByteChain | null = null;
  private segment: Segment | null = null;
  /** Offset in the message of the first byte of `segment`. */
  private segmentOffset = 0;
  private scratch = Buffer.allocUnsafeSlow(512);

  usePiece(bytes: Buffer, start: number, end: number): void {
    this.piece = bytes;
    this.pieceStart = start;
    this.sizeBytes = end - start;
    this.chain = null;
  }

  useChain(chain: ByteChain): void {
    this.chain = chain;
    this.segment = chain.head;
    this.segmentOffset = 0;
    this.sizeBytes = chain.sizeBytes;
  }

  /** True if `locate` finds any range where it lies. */
  get isOnePiece(): boolean {
    return this.chain === null;
  }

  /** Lets go of the bytes, so that they can be collected. */
  release(): void {
    this.piece = NO_BYTES;
    this.bytes = NO_BYTES;
    this.chain = null;
    this.segment = null;
    if (this.scratch.length > SCRATCH_KEPT_BYTES) this.scratch = Buffer.allocUnsafeSlow(512);
  }

  /** Makes [offset, offset + length) available in one piece as `bytes`, `start`, `end`. */
  locate(offset: number, length: number): void {
    if (this.chain === null) {
      this.bytes = this.piece;
      this.start = this.pieceStart + offset;
      this.end = this.start + length;
    } else {
      this.locateInChain(offset, length);
    }
  }

  /** The byte at `offset`, or -1 past the end. */
  byteAt(offset: number): number {
    if (offset >= this.sizeBytes) return -1;
    if (this.chain === null) return this.piece[this.pieceStart + offset]!;
    const segment = this.seek(offset);
    return segment.bytes[segment.start + offset - this.segmentOffset]!;
  }

  /** Moves the whole message to the end of `target`. A chain is empty afterwards. */
  moveTo(target: ByteChain): void {
    if (this.chain === null) {
      target.append(this.piece, this.pieceStart, this.pieceStart + this.sizeBytes);
    } else {
      target.appendChain(this.chain);
    }
  }

  /** Appends [offset, offset + length) to `target`; large parts are shared if they can be. */
  copyRange(offset: number, length: number, target: ByteChain): void {
    if (this.chain === null) {
      const start = this.pieceStart + offset;
      target.append(this.piece, start, start + length);
      return;
    }
    while (length > 0) {
      const segment = this.seek(offset);
      const start = segment.start + offset - this.segmentOffset;
      const count = Math.min(length, segment.end - start);
      // A pooled chunk goes back to the pool with its chain, so its bytes cannot be shared.
      if (segment.isPooled) target.appendCopy(segment.bytes, start, start + count);
      else target.append(segment.bytes, start, start + count);
      offset += count;
      length -= count;
    }
  }

  private locateInChain(offset: number, length: number): void {
    if (length === 0) {
      this.start = this.end = 0;
      return;
    }
    const segment = this.seek(offset);
    const start = segment.start + offset - this.segmentOffset;
    if (start + length <= segment.end) {
      this.bytes = segment.bytes;
      this.start = start;
      this.end = start + length;
      return;
    }
    if (this.scratch.length < length) this.scratch = Buffer.allocUnsafeSlow(length);
    this.copyToScratch(offset, length);
    this.bytes = this.scratch;
    this.start = 0;
    this.end = length;
  }

  private copyToScratch(offset: number, length: number): void {
    let at = 0;
    while (at < length) {
      const segment = this.seek(offset + at);
      const start = segment.start + offset + at - this.segmentOffset;
      const count = Math.min(length - at, segment.end - start);
      segment.bytes.copy(this.scratch, at, start, start + count);
      at += count;
    }
  }

  /** The segment that holds `offset`, which lies inside the message. */
  private seek(offset: number): Segment {
    if (offset < this.segmentOffset) {
      this.segment = this.chain!.head;
      this.segmentOffset = 0;
    }
    let segment = this.segment!;
    let size = segment.end - segment.start;
    while (offset >= this.segmentOffset + size) {
      this.segmentOffset += size;
      segment = segment.next!;
      size = segment.end - segment.start;
    }
    this.segment = segment;
    return segment;
  }
}
