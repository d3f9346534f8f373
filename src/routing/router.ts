/**
 * Key -> server index: hash tag, then hash, then distribution.
 *
 * CONTRACT (to be implemented):
 */
import type { HashFunction } from "../hash/hash-function.ts";

export interface RingServer {
  readonly name: string;
  readonly weight: number;
}

export interface RouterOptions {
  readonly hash: HashFunction;
  readonly distribution: "ketama" | "modula" | "random";
  readonly hashTag: Uint8Array | null;
  readonly servers: readonly RingServer[];
}
/*
export class Router {
  constructor(options: RouterOptions)
  serverIndexOf(bytes: Uint8Array, start: number, end: number): number
  rebuild(isLive: (serverIndex: number) => boolean): void
}
*/
