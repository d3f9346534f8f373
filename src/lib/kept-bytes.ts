/**
 * A place for small byte ranges that have to outlive the chunk they came in: pages that are filled
 * one range behind the other, and used again when the last range of a page is let go.
 *
 *   keep(range) -> [range range range ...]  page, users = 3
 *   letGo(page) -> users = 0: filled from its start again
 *
 * Bytes of a page must not be handed on without a copy: they change when the page is used again.
 */
import { copyBytes } from "./bytes.ts";

export const PAGE_BYTES = 16 * 1024;
/** Pages kept for reuse: 1 MB, what a busy proxy has waiting. */
const FREE_PAGES_MAX = 64;

export class KeptPage {
  readonly bytes = Buffer.allocUnsafeSlow(PAGE_BYTES);
  /** Where the next range goes. */
  end = 0;
  /** Ranges that are in use. */
  users = 0;
}

let current = new KeptPage();
const free: KeptPage[] = [];

/**
 * Copies [start, end), at most a page, to the page that is returned; there it ends at `page.end`.
 * Each call is to be followed by one of `letGo`.
 */
export function keepBytes(bytes: Buffer, start: number, end: number): KeptPage {
  if (current.end + end - start > PAGE_BYTES) current = free.pop() ?? new KeptPage();
  copyBytes(bytes, start, end, current.bytes, current.end);
  current.end += end - start;
  current.users++;
  return current;
}

export function letGo(page: KeptPage): void {
  if (--page.users > 0) return;
  page.end = 0;
  if (page !== current && free.length < FREE_PAGES_MAX) free.push(page);
}
