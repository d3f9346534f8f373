/**
 * Reads requests in memcached's text protocol: a line of words, and for some a data block.
 *
 *   Line -> (command, words) ---------------------------> complete
 *    "set key 0 0 5" LF       -> Block -> BlockEnd -----> complete
 *                                5 bytes   CR LF
 *
 * A line that is there whole is read where it lies; one that is cut is gathered first. Blocks are
 * skipped, not stepped through, so bytes may be cut anywhere. Lines end with LF, with or without
 * CR, as in memcached. After a line that is refused the block is read as requests, as memcached
 * does it.
 * @see https://github.com/memcached/memcached/blob/master/doc/protocol.txt
 */
import { CR, LF, SPACE } from "../../lib/bytes.ts";
import { ParseStatus, type RequestParser, Route } from "../protocol.ts";
import { NO_BYTES } from "../request.ts";
import { findCommand } from "./commands.ts";
import { FramingError, LINE_BYTES_MAX, Refusal, RequestLine } from "./request-line.ts";

/** A line of get, gets, gat or gats. */
export const KEYS_LINE_BYTES_MAX = 256 * 1024 * 1024;

/** Room for a cut line that is kept after a long one. */
const SCRATCH_BYTES_KEPT = 4096;
/**
 * How a request begins in memcached's other protocol: its mark, one of so many commands, and the
 * first byte of the length of a key.
 */
const BINARY_MARK = 0x80;
const BINARY_COMMAND_MAX = 0x49;
const BINARY_START_BYTES = 3;

const State = { Line: 0, Block: 1, BlockEnd: 2 } as const;
type State = (typeof State)[keyof typeof State];

export class MemcachedRequestParser extends RequestLine implements RequestParser {
  status: ParseStatus = ParseStatus.Incomplete;
  route: Route = Route.Refuse;
  readonly isAllowedBeforeAuth = false;
  readonly rewritten = NO_BYTES;

  private state: State = State.Line;
  /** Bytes of the block still to come, then those of its line end. */
  private left = 0;
  private isBlockBad = false;
  /** What has come of a line that is cut. */
  private scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES_KEPT);

  get keptBytes(): number {
    return this.scratch.length;
  }

  private kept = 0;

  get isReworded(): boolean {
    return this.editCount > 0;
  }

  /** The key of a request that is probed comes twice: for the probe, and for the request itself. */
  get keyCount(): number {
    if (this.route !== Route.Keys) return 1;
    return this.isProbed ? 2 : this.wordCount - this.command.firstKey;
  }

  keyOffset(index: number): number {
    return this.spans[2 * this.wordOfKey(index)]!;
  }

  keyLength(index: number): number {
    return this.spans[2 * this.wordOfKey(index) + 1]!;
  }

  private wordOfKey(index: number): number {
    return this.command.firstKey + (this.isProbed ? 0 : index);
  }

  reset(): void {
    this.state = State.Line;
    this.kept = 0;
    this.forgetLine();
    if (this.scratch.length > SCRATCH_BYTES_KEPT) {
      this.scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES_KEPT);
    }
  }

  parse(bytes: Buffer, start: number, end: number): number {
    if (this.state !== State.Line) return this.readBlock(bytes, start, end);
    if (this.kept > 0) return this.gatherLine(bytes, start, end);
    if (beginsBinary(bytes, start, end)) return this.invalid(FramingError.BinaryProtocol, end);
    const at = this.splitLine(bytes, start, end);
    if (at < 0) return this.gatherLine(bytes, start, end);
    this.interpret(bytes, start, at - start);
    return this.endLine(bytes, at, end);
  }

  /** Reads on where a line was cut; what has come is kept until its LF is there. */
  private gatherLine(bytes: Buffer, start: number, end: number): number {
    const lineEnd = bytes.indexOf(LF, start);
    const isWhole = lineEnd >= 0 && lineEnd < end;
    const at = isWhole ? lineEnd + 1 : end;
    this.keep(bytes, start, at);
    const size = this.kept;
    if (beginsBinary(this.scratch, 0, size)) return this.invalid(FramingError.BinaryProtocol, at);
    if (size > KEYS_LINE_BYTES_MAX || (!isWhole && size >= LINE_BYTES_MAX && !this.beginsKeys())) {
      return this.invalid(FramingError.LineTooLong, at);
    }
    if (!isWhole) {
      this.status = ParseStatus.Incomplete;
      return at;
    }
    this.kept = 0;
    this.splitLine(this.scratch, 0, size);
    this.interpret(this.scratch, 0, size);
    return this.endLine(bytes, at, end);
  }

  private keep(bytes: Buffer, start: number, end: number): void {
    const size = this.kept + end - start;
    if (size > this.scratch.length) {
      const scratch = Buffer.allocUnsafeSlow(size * 2);
      this.scratch.copy(scratch, 0, 0, this.kept);
      this.scratch = scratch;
    }
    bytes.copy(this.scratch, this.kept, start, end);
    this.kept = size;
  }

  /** True if the line being gathered may be a long one. */
  private beginsKeys(): boolean {
    const { scratch, kept } = this;
    let start = 0;
    while (start < kept && scratch[start] === SPACE) start++;
    let end = start;
    while (end < kept && scratch[end]! > SPACE) end++;
    if (end > LINE_BYTES_MAX) return false;
    return findCommand(scratch, start, end - start)?.route === Route.Keys;
  }

  /** The line is read; `at` is the index after it. */
  private endLine(bytes: Buffer, at: number, end: number): number {
    if (this.error !== FramingError.None) return this.invalid(this.error, at);
    if (this.blockSize < 0) return this.complete(at);
    this.state = State.Block;
    this.left = this.blockSize;
    this.isBlockBad = false;
    return this.readBlock(bytes, at, end);
  }

  private readBlock(bytes: Buffer, at: number, end: number): number {
    this.status = ParseStatus.Incomplete;
    if (this.state === State.Block) {
      const count = Math.min(this.left, end - at);
      this.left -= count;
      at += count;
      if (this.left > 0) return at;
      this.state = State.BlockEnd;
      this.left = 2;
    }
    for (; this.left > 0 && at < end; this.left--, at++) {
      if (bytes[at] !== (this.left === 2 ? CR : LF)) this.isBlockBad = true;
    }
    if (this.left > 0) return at;
    if (this.isBlockBad) this.refusal ||= Refusal.BadBlock;
    return this.complete(at);
  }

  private complete(at: number): number {
    const { command, refusal } = this;
    this.state = State.Line;
    this.status = ParseStatus.Complete;
    if (refusal !== Refusal.None) this.route = Route.Refuse;
    else this.route = this.isProbed ? Route.Keys : command.route;
    if (this.isSilent && (this.route === Route.Refuse || this.route === Route.Local)) {
      this.status = ParseStatus.Nothing;
    }
    return at;
  }

  private invalid(error: FramingError, at: number): number {
    this.error = error;
    this.status = ParseStatus.Invalid;
    return at;
  }
}

function beginsBinary(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== BINARY_MARK || end - start < BINARY_START_BYTES) return false;
  const command = bytes[start + 1]!;
  return command <= BINARY_COMMAND_MAX && command !== LF && bytes[start + 2] === 0;
}
