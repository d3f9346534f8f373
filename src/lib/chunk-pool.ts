/**
 * Buffers of one fixed size (-m), used again instead of collected, and the records that link them;
 * and the count of all bytes that wait somewhere, with a ceiling.
 *
 * A connection owns a chunk only while bytes wait in it: an idle one owns nothing. What a burst
 * needed is given back: at most `FREE_BYTES_MAX` stay here, the rest goes to the garbage collector.
 * (nutcracker's mbufs stay for ever on a free list; this pool is what keeps memory flat.)
 *
 * The ceiling is held by dynamic thresholds (Choudhury and Hahne, 1998): nobody may hold more than
 * half of what is free. One that takes all it can get ends at a third of the ceiling, ten of them
 * at 5/6, and there is always something left for the others.
 */

/** Bytes kept for reuse: more than a turn of a busy proxy has in flight, small beside a burst. */
const FREE_BYTES_MAX = 8 * 1024 * 1024;
const FREE_SEGMENTS_MAX = 4096;
/** With less than this free, shares are below 4 MB. */
const SHORT_BYTES = 8 * 1024 * 1024;

/** A range of bytes in a chain. Pooled bytes belong to the chain alone, others are shared. */
export class Segment {
  bytes: Buffer;
  start = 0;
  end = 0;
  isPooled = false;
  /** What it counts in the pool's `bytesInUse`. */
  countedBytes = 0;
  next: Segment | null = null;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

const NO_BYTES = Buffer.alloc(0);

export class ChunkPool {
  readonly chunkSizeBytes: number;
  /** Chunks in use by chains; for tests and tools. */
  chunksInUse = 0;
  /** All that waits: whole chunks, and the shown bytes of what somebody else made. */
  bytesInUse = 0;
  /** The ceiling of `bytesInUse`: max_buffer_memory. */
  readonly bytesMax: number;
  private readonly freeMax: number;
  private readonly freeChunks: Buffer[] = [];
  private freeSegment: Segment | null = null;
  private freeSegments = 0;

  /** @param chunkSizeBytes the value of -m */
  constructor(chunkSizeBytes: number, bytesMax = Infinity) {
    this.chunkSizeBytes = chunkSizeBytes;
    this.bytesMax = bytesMax;
    this.freeMax = Math.max(1, Math.floor(FREE_BYTES_MAX / chunkSizeBytes));
  }

  /** Chunks that wait to be used again; for tests and tools. */
  get freeChunkCount(): number {
    return this.freeChunks.length;
  }

  /** Most that one connection may hold now; 0 when the ceiling is reached. */
  get shareBytes(): number {
    return Math.max(0, (this.bytesMax - this.bytesInUse) / 2);
  }

  /** True if a share is so small that it limits what usually has a limit of its own. */
  get isShort(): boolean {
    return this.bytesInUse > this.bytesMax - SHORT_BYTES;
  }

  /** An empty segment over a chunk of its own. */
  takeChunk(): Segment {
    const segment = this.takeSegment();
    segment.bytes = this.freeChunks.pop() ?? Buffer.allocUnsafeSlow(this.chunkSizeBytes);
    segment.start = 0;
    segment.end = 0;
    segment.isPooled = true;
    segment.countedBytes = this.chunkSizeBytes;
    this.bytesInUse += this.chunkSizeBytes;
    this.chunksInUse++;
    return segment;
  }

  /** A segment that shows [start, end) of somebody's bytes, which must not change any more. */
  takeShared(bytes: Buffer, start: number, end: number): Segment {
    const segment = this.takeSegment();
    segment.bytes = bytes;
    segment.start = start;
    segment.end = end;
    segment.isPooled = false;
    segment.countedBytes = end - start;
    this.bytesInUse += end - start;
    return segment;
  }

  give(segment: Segment): void {
    this.bytesInUse -= segment.countedBytes;
    if (segment.isPooled) {
      this.chunksInUse--;
      if (this.freeChunks.length < this.freeMax) this.freeChunks.push(segment.bytes);
    }
    segment.bytes = NO_BYTES;
    if (this.freeSegments >= FREE_SEGMENTS_MAX) return;
    segment.next = this.freeSegment;
    this.freeSegment = segment;
    this.freeSegments++;
  }

  private takeSegment(): Segment {
    const segment = this.freeSegment;
    if (segment === null) return new Segment(NO_BYTES);
    this.freeSegment = segment.next;
    this.freeSegments--;
    segment.next = null;
    return segment;
  }
}
