/**
 * A multi-key request divided over servers: which key went into which fragment, and how many
 * fragments are still to come.
 *
 *   client <-requestDone()- SplitRequest <-requestDone()- fragment, fragment, ...
 *                                                         (in server index order)
 *
 * Grouping is a counting sort, linear in keys plus servers, so that 3,000 keys cost 3,000 steps.
 * Does not know how fragments are spelled (protocol fragment.ts) nor how replies are put together
 * (coalesce.ts).
 */
import type { ByteChain } from "../lib/byte-chain.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import type { RequestOwner } from "./request.ts";
import { giveRequest, Request, RequestState, takeRequest } from "./request.ts";

/** A record with room for more keys than this is not kept for reuse. */
const KEYS_KEPT_MAX = 4096;
const FREE_MAX = 1024;

export class SplitRequest extends Request implements RequestOwner {
  override readonly isSplit = true;
  /** In server index order. */
  readonly fragments: Request[] = [];
  private left = 0;
  private indexBytes = 0;
  private indexesIn: ChunkPool | null = null;
  keyCount = 0;
  /** What the protocol needs to put the replies together: a row of its own table. */
  coalesceAs = 0;
  /** Index of the fragment that key i went into. */
  fragmentOfKey = new Int32Array(32);
  /** Key indexes grouped by fragment: those of f are [groupStart[f], groupStart[f + 1]). */
  keyOrder = new Int32Array(32);
  groupStart = new Int32Array(17);
  /** Server index of each group. */
  serverOfGroup = new Int32Array(16);
  groupCount = 0;

  /** Makes room for `keyCount` keys; the caller then writes server indexes to fragmentOfKey. */
  begin(keyCount: number): void {
    this.keyCount = keyCount;
    if (this.fragmentOfKey.length < keyCount) {
      const size = keyCount > KEYS_KEPT_MAX ? keyCount : keyCount * 2;
      this.fragmentOfKey = new Int32Array(size);
      this.keyOrder = new Int32Array(size);
    }
  }

  /** From now on its indexes count in `pool`, if they are large. */
  countIndexes(pool: ChunkPool): void {
    if (this.keyCount <= KEYS_KEPT_MAX) return;
    this.indexBytes = this.fragmentOfKey.byteLength + this.keyOrder.byteLength;
    this.indexesIn = pool;
    pool.bytesInUse += this.indexBytes;
  }

  uncountIndexes(): void {
    if (this.indexesIn !== null) this.indexesIn.bytesInUse -= this.indexBytes;
    this.indexesIn = null;
  }

  /** Turns the server index of each key into groups of keys, one per server that has any. */
  group(serverCount: number): void {
    const { fragmentOfKey, keyOrder, keyCount } = this;
    if (groupOfServer.length < serverCount) groupOfServer = new Int32Array(serverCount * 2);
    const groups = groupOfServer;
    groups.fill(0, 0, serverCount);
    for (let i = 0; i < keyCount; i++) groups[fragmentOfKey[i]!]!++;
    this.ensureGroups(Math.min(serverCount, keyCount));
    let count = 0;
    let start = 0;
    for (let server = 0; server < serverCount; server++) {
      const size = groups[server]!;
      if (size === 0) continue;
      this.serverOfGroup[count] = server;
      this.groupStart[count] = start;
      groups[server] = count++;
      start += size;
    }
    this.groupCount = count;
    this.groupStart[count] = start;
    const next =
      groupCursor.length < count ? (groupCursor = new Int32Array(count * 2)) : groupCursor;
    for (let g = 0; g < count; g++) next[g] = this.groupStart[g]!;
    for (let i = 0; i < keyCount; i++) {
      const g = groups[fragmentOfKey[i]!]!;
      fragmentOfKey[i] = g;
      keyOrder[next[g]!++] = i;
    }
  }

  /** Divides groups with more than `keysMax` keys into several, each for the same server. */
  divideGroups(keysMax: number): void {
    const { groupStart, serverOfGroup, keyOrder, groupCount, keyCount } = this;
    this.groupStart = new Int32Array(keyCount + 1);
    this.serverOfGroup = new Int32Array(keyCount);
    let count = 0;
    for (let g = 0; g < groupCount; g++) {
      for (let start = groupStart[g]!; start < groupStart[g + 1]!; start += keysMax) {
        const end = Math.min(start + keysMax, groupStart[g + 1]!);
        for (let i = start; i < end; i++) this.fragmentOfKey[keyOrder[i]!] = count;
        this.serverOfGroup[count] = serverOfGroup[g]!;
        this.groupStart[count++] = start;
      }
    }
    this.groupStart[count] = keyCount;
    this.groupCount = count;
  }

  /** The next fragment, for the next group. */
  takeFragment(): Request {
    const fragment = takeRequest(this);
    this.fragments.push(fragment);
    this.left++;
    return fragment;
  }

  requestDone(fragment: Request): void {
    fragment.state = RequestState.Done;
    if (--this.left > 0 || this.fragments.length < this.groupCount) this.holdReply(fragment);
    else if (this.owner === null) giveSplitRequest(this);
    else this.owner.requestDone(this);
  }

  /** A fragment's reply is of use when all are there. */
  replyArriving(_fragment: Request, part: ByteChain): boolean {
    if (this.owner !== null) return this.owner.replyArriving(this, part);
    part.clear();
    return true;
  }

  holdReply(fragment: Request): void {
    if (this.owner === null) {
      fragment.dropReply();
      return;
    }
    this.owner.holdReply(fragment);
    this.heldBytes += fragment.heldBytes;
  }

  override abandon(): void {
    this.owner = null;
    for (const fragment of this.fragments) fragment.dropReply();
  }

  /** Of all fragments together. */
  override get replySizeBytes(): number {
    let sizeBytes = 0;
    for (const fragment of this.fragments) sizeBytes += fragment.replySizeBytes;
    return sizeBytes;
  }

  private ensureGroups(count: number): void {
    if (this.serverOfGroup.length >= count) return;
    this.serverOfGroup = new Int32Array(count * 2);
    this.groupStart = new Int32Array(count * 2 + 1);
  }
}

/** Scratch of `group`, indexed by server: first how many keys, then which group. */
let groupOfServer = new Int32Array(64);
let groupCursor = new Int32Array(64);

const free: SplitRequest[] = [];

export function takeSplitRequest(owner: RequestOwner): SplitRequest {
  const request = free.pop() ?? new SplitRequest();
  request.owner = owner;
  return request;
}

/** Gives a divided request back, with its fragments. Nobody may hold them any more. */
export function giveSplitRequest(request: SplitRequest): void {
  const { fragments } = request;
  for (let left = fragments.length; left > 0; left--) giveRequest(fragments.pop()!);
  request.uncountIndexes();
  request.groupCount = 0;
  request.owner = null;
  request.replyFilter = 0;
  request.failure = null;
  request.heldBytes = 0;
  request.state = RequestState.Waiting;
  if (request.fragmentOfKey.length <= KEYS_KEPT_MAX && free.length < FREE_MAX) free.push(request);
}
