/**
 * Rows by command name, found without making a string: open addressing over the folded bytes of the
 * name. Letters match in either case, as every Redis server and nutcracker have it.
 *
 *   "GeT" -> fold to "get" -> 4 bytes as one number, the rest hashed -> slot -> row
 *
 * Typed arrays hold what is compared, because a lookup stands on the path of every request
 * (bench/micro/command-table.bench.ts). Built once at start; a duplicate name is a programmer's
 * error and throws there.
 */
import { ascii, CASE_BIT } from "../lib/bytes.ts";

/** Eight places per row: nearly every lookup is one comparison. */
const SLOTS_PER_ROW = 8;
/** Bytes of a name that are compared as one number. */
const HEAD_BYTES = 4;
const MULTIPLIER = 0x9e3779b1;

export class CommandTable<Row extends { readonly name: string }> {
  private readonly rows: (Row | null)[];
  private readonly names: Buffer[] = [];
  /** Per slot: the first bytes of the name as a number, and its length; 0 = free. */
  private readonly heads: Int32Array;
  private readonly lengths: Uint8Array;
  private readonly mask: number;
  private readonly nameMax: number;

  constructor(rows: readonly Row[]) {
    const slots = 2 ** Math.ceil(Math.log2(rows.length * SLOTS_PER_ROW));
    this.mask = slots - 1;
    this.rows = new Array<Row | null>(slots).fill(null);
    this.heads = new Int32Array(slots);
    this.lengths = new Uint8Array(slots);
    this.nameMax = Math.max(...rows.map((row) => row.name.length));
    for (const row of rows) this.insert(row);
  }

  /** The row of the name in [start, start + length), or null. */
  find(bytes: Uint8Array, start: number, length: number): Row | null {
    if (length > this.nameMax) return null;
    const headEnd = start + (length < HEAD_BYTES ? length : HEAD_BYTES);
    const end = start + length;
    let head = 0;
    let at = start;
    while (at < headEnd) head = (head << 8) | bytes[at++]! | CASE_BIT;
    let hash = head;
    while (at < end) hash = (Math.imul(hash, 31) + (bytes[at++]! | CASE_BIT)) | 0;
    let slot = (Math.imul(hash, MULTIPLIER) >>> 16) & this.mask;
    while (this.lengths[slot] !== 0) {
      if (this.heads[slot] === head && this.lengths[slot] === length) {
        if (length <= HEAD_BYTES || this.hasTail(slot, bytes, headEnd, end))
          return this.rows[slot]!;
      }
      slot = (slot + 1) & this.mask;
    }
    return null;
  }

  /** True if the name in `slot` goes on as the bytes in [at, end) do. */
  private hasTail(slot: number, bytes: Uint8Array, at: number, end: number): boolean {
    const name = this.names[slot]!;
    for (let i = HEAD_BYTES; at < end; i++, at++) {
      if (name[i] !== (bytes[at]! | CASE_BIT)) return false;
    }
    return true;
  }

  private insert(row: Row): void {
    const name = ascii(row.name);
    for (let i = 0; i < name.length; i++) name[i]! |= CASE_BIT;
    if (this.find(name, 0, name.length) !== null) throw new Error(`Duplicate command ${row.name}`);
    let head = 0;
    for (const byte of name.subarray(0, HEAD_BYTES)) head = (head << 8) | byte;
    let hash = head;
    for (const byte of name.subarray(HEAD_BYTES)) hash = (Math.imul(hash, 31) + byte) | 0;
    let slot = (Math.imul(hash, MULTIPLIER) >>> 16) & this.mask;
    while (this.lengths[slot] !== 0) slot = (slot + 1) & this.mask;
    this.names[slot] = name;
    this.heads[slot] = head;
    this.lengths[slot] = name.length;
    this.rows[slot] = row;
  }
}
