/**
 * Rows by command name, found without making a string: open addressing over the folded bytes of the
 * name. Letters match in either case, as every Redis server and nutcracker have it.
 *
 *   "GeT" -> fold to "get" -> hash -> slot -> compare -> row
 *
 * Built once at start; a duplicate name is a programmer's error and throws there.
 */
import { ascii, CASE_BIT } from "../lib/bytes.ts";

/** Four places per row keep nearly every lookup at one comparison. */
const SLOTS_PER_ROW = 4;

export class CommandTable<Row extends { readonly name: string }> {
  private readonly names: (Buffer | null)[];
  private readonly rows: (Row | null)[];
  private readonly mask: number;
  private readonly nameMax: number;

  constructor(rows: readonly Row[]) {
    const slots = 2 ** Math.ceil(Math.log2(rows.length * SLOTS_PER_ROW));
    this.mask = slots - 1;
    this.names = new Array<Buffer | null>(slots).fill(null);
    this.rows = new Array<Row | null>(slots).fill(null);
    this.nameMax = Math.max(...rows.map((row) => row.name.length));
    for (const row of rows) this.insert(row);
  }

  /** The row of the name in [start, start + length), or null. */
  find(bytes: Uint8Array, start: number, length: number): Row | null {
    if (length > this.nameMax) return null;
    let hash = length;
    for (let i = 0; i < length; i++) {
      hash = (Math.imul(hash, 31) + (bytes[start + i]! | CASE_BIT)) | 0;
    }
    for (let slot = hash & this.mask; ; slot = (slot + 1) & this.mask) {
      const name = this.names[slot]!;
      if (name === null) return null;
      if (name.length !== length) continue;
      let i = 0;
      while (i < length && name[i] === (bytes[start + i]! | CASE_BIT)) i++;
      if (i === length) return this.rows[slot]!;
    }
  }

  private insert(row: Row): void {
    const name = ascii(row.name).map((byte) => byte | CASE_BIT) as Buffer;
    if (this.find(name, 0, name.length) !== null) throw new Error(`Duplicate command ${row.name}`);
    let hash = name.length;
    for (const byte of name) hash = (Math.imul(hash, 31) + byte) | 0;
    let slot = hash & this.mask;
    while (this.names[slot] !== null) slot = (slot + 1) & this.mask;
    this.names[slot] = name;
    this.rows[slot] = row;
  }
}
