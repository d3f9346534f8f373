/**
 * Stands between nutcracker and a real server, and does to the connections what networks and broken
 * servers do.
 *
 *   await using faults = await FaultProxy.start(redis.port);
 *   const proxy = await Proxy.start({ pools: { alpha: { servers: [`${faults.item}:1 s0`] } } });
 *   faults.set({ kind: "stall" });   // also for the connections that are there
 *   faults.set({ kind: "none" });    // what was held goes on
 *
 * A fault is one row of FAULTS. Those that only pace lose nothing, and end with `none`. Those that
 * harm a connection harm it for good: bytes are lost or too many. `none` does not mend such a
 * connection, it leaves new ones alone.
 */
import { freePort } from "./free-port.ts";
import { FAULT_PROTOCOLS } from "./fault-protocols.ts";
import type { FaultProtocol, FaultProtocolName } from "./fault-protocols.ts";
import { FULL_PACE, Relay } from "./fault-relay.ts";
import type { Pace, RelayOwner, ReplyEnd, ReplyPiece } from "./fault-relay.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Where a connection is hit: when the fault begins, instead of a reply, or inside of one. */
export type Place = "at once" | "instead" | "middle";

interface Harm {
  /** Of each reply; 1 is the default. */
  readonly chance?: number;
}

interface Cut extends Harm {
  /** "middle" is the default. */
  readonly place?: Place;
}

export type Fault =
  | { readonly kind: "none" }
  /** Nobody listens, and the connections are reset: a server that was killed. */
  | { readonly kind: "refuse" }
  /** Connections are accepted and closed at once, those that are there too. */
  | { readonly kind: "acceptAndClose" }
  /** Bytes are taken and none handed on, in both directions. */
  | { readonly kind: "stall" }
  | { readonly kind: "delay"; readonly ms: number; readonly jitterMs?: number }
  /** Replies trickle. */
  | { readonly kind: "slow"; readonly bytesPerSecond: number }
  /** Requests and replies in pieces of one byte, or `sizeMax`. */
  | { readonly kind: "byteByByte"; readonly sizeMax?: number }
  | ({ readonly kind: "reset" } & Cut)
  /** FIN to nutcracker; the server side lives and is still sent to. */
  | ({ readonly kind: "halfClose" } & Cut)
  /** FIN to both sides. */
  | ({ readonly kind: "truncate" } & Cut)
  /** No byte comes any more; the connection stays. */
  | ({ readonly kind: "blackhole" } & Cut)
  /** What is no reply takes the place of a reply; the next replies come as they are. */
  | ({ readonly kind: "garbage"; readonly bytes?: Uint8Array } & Harm)
  /** A reply that nobody asked for follows a reply, in the same write. */
  | ({ readonly kind: "extraReply" } & Harm)
  | ({ readonly kind: "duplicate" } & Harm);

export type FaultKind = Fault["kind"];
type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

/** What a fault does. Absent: as if there were no fault. */
interface Row<F> {
  readonly requestPace?: (fault: F, random: SeededRandom) => Pace;
  readonly replyPace?: (fault: F, random: SeededRandom) => Pace;
  /** For each connection when the fault begins, and for each new one. */
  readonly begin?: (relay: Relay, fault: F) => boolean;
  /** @returns true if it has dealt with the piece */
  readonly piece?: (relay: Relay, piece: ReplyPiece, context: Context<F>) => boolean;
  readonly isDeaf?: boolean;
}

interface Context<F> {
  readonly fault: F;
  readonly random: SeededRandom;
  readonly protocol: FaultProtocol;
}

const held = (): Pace => ({ ...FULL_PACE, isHeld: true });
const inPieces = (fault: { sizeMax?: number }): Pace => ({
  ...FULL_PACE,
  sizeMax: fault.sizeMax ?? 1,
});

/** A chance for each reply, at its start. */
function isHit(piece: ReplyPiece, context: Context<Harm>): boolean {
  return piece.isStart && context.random.chance(context.fault.chance ?? 1);
}

/** The rows of faults that end the replies of a connection. */
function cut<F extends Cut>(end: (relay: Relay) => void): Row<F> {
  return {
    begin: (relay, fault) => {
      if (fault.place === "at once") end(relay);
      return fault.place === "at once";
    },
    piece: (relay, piece, context) => {
      if (!isHit(piece, context)) return false;
      if (context.fault.place !== "instead") {
        const size = context.random.between(1, Math.max(1, piece.bytes.length - 1));
        relay.replies.push(piece.bytes.subarray(0, size));
      }
      end(relay);
      return true;
    },
  };
}

const SLOW_GAP_MS = 10;

const FAULTS: { readonly [K in FaultKind]: Row<FaultOf<K>> } = {
  none: {},
  refuse: { isDeaf: true, begin: (relay) => (relay.reset(), true) },
  acceptAndClose: { begin: (relay) => (relay.finish(), true) },
  stall: { requestPace: held, replyPace: held },
  delay: {
    replyPace: ({ ms, jitterMs }, random) => ({
      ...FULL_PACE,
      delayMs: () => ms + random.integer((jitterMs ?? 0) + 1),
    }),
  },
  slow: {
    replyPace: ({ bytesPerSecond }) => ({
      ...FULL_PACE,
      sizeMax: Math.max(1, Math.round((bytesPerSecond * SLOW_GAP_MS) / 1000)),
      gapMs: SLOW_GAP_MS,
    }),
  },
  byteByByte: { requestPace: inPieces, replyPace: inPieces },
  reset: cut((relay) => relay.reset()),
  halfClose: cut((relay) => relay.halfClose()),
  truncate: cut((relay) => relay.finish()),
  blackhole: cut((relay) => (relay.isMute = true)),
  garbage: {
    piece: (relay, piece, context) => {
      if (!isHit(piece, context)) return false;
      relay.isReplaced = true;
      const { bytes } = context.fault;
      relay.replies.push(Buffer.from(bytes ?? context.protocol.garbage(context.random)));
      return true;
    },
  },
  extraReply: {
    piece: (relay, piece, context) => {
      if (!piece.isEnd || !context.random.chance(context.fault.chance ?? 1)) return false;
      relay.replies.push(Buffer.concat([piece.bytes, context.protocol.extraReply]));
      return true;
    },
  },
  duplicate: {
    piece: (relay, piece, context) => {
      if (!piece.isEnd || !isHit(piece, context)) return false;
      relay.replies.push(Buffer.concat([piece.bytes, piece.bytes]));
      return true;
    },
  },
};

export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

export interface FaultProxyOptions {
  /** Redis is the default. */
  readonly protocol?: FaultProtocolName;
  readonly seed?: number;
}

export interface FaultCounts {
  /** Connections accepted. */
  connections: number;
  /** Replies, whole or begun, that were handed on untouched. */
  replies: number;
  /** Connections and replies that were hit, by fault. */
  readonly hits: Partial<Record<FaultKind, number>>;
}

export class FaultProxy implements RelayOwner {
  readonly port: number;
  readonly counts: FaultCounts = { connections: 0, replies: 0, hits: {} };
  readonly #serverPort: number;
  readonly #protocol: FaultProtocol;
  readonly #random: SeededRandom;
  readonly #relays = new Set<Relay>();
  #listener: { stop(closeAll?: boolean): void } | null = null;
  #fault: Fault = { kind: "none" };

  private constructor(serverPort: number, options: FaultProxyOptions) {
    this.#serverPort = serverPort;
    this.#protocol = FAULT_PROTOCOLS[options.protocol ?? "redis"];
    this.#random = new SeededRandom(options.seed ?? 1);
    this.port = freePort();
    this.#listen();
  }

  /** Starts to relay to a server on a loopback port. */
  static start(serverPort: number, options: FaultProxyOptions = {}): FaultProxy {
    return new FaultProxy(serverPort, options);
  }

  /** The fault proxy as an item of a pool's `servers:` list, without weight and name. */
  get item(): string {
    return `127.0.0.1:${this.port}`;
  }

  get fault(): Fault {
    return this.#fault;
  }

  get replyEnd(): ReplyEnd {
    return this.#protocol.replyEnd;
  }

  /** Connections that are there now. */
  get openConnections(): number {
    return this.#relays.size;
  }

  /** Ends the fault there was, and begins another, for all connections. */
  set(fault: Fault): void {
    this.#fault = fault;
    const { isDeaf } = this.#row;
    if (isDeaf) this.#stopListening();
    else if (this.#listener === null) this.#listen();
    for (const relay of [...this.#relays]) this.#begin(relay);
  }

  /** Sends bytes to nutcracker on every connection that is between two replies. */
  inject(bytes: Uint8Array | string): void {
    const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes);
    for (const relay of this.#relays) if (relay.isAtBoundary) relay.replies.push(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    for (const relay of [...this.#relays]) relay.close();
  }

  relayClosed(relay: Relay): void {
    this.#relays.delete(relay);
  }

  replyCame(relay: Relay, piece: ReplyPiece): void {
    const context = { fault: this.#fault, random: this.#random, protocol: this.#protocol };
    if (this.#row.piece?.(relay, piece, context) === true) {
      this.#hit();
      return;
    }
    if (piece.isStart) this.counts.replies++;
    relay.replies.push(piece.bytes);
  }

  /** The row of the fault; a row takes no other fault than its own. */
  get #row(): Row<Fault> {
    return FAULTS[this.#fault.kind] as Row<Fault>;
  }

  #begin(relay: Relay): void {
    const row = this.#row;
    relay.requests.setPace(row.requestPace?.(this.#fault, this.#random) ?? FULL_PACE);
    relay.replies.setPace(row.replyPace?.(this.#fault, this.#random) ?? FULL_PACE);
    if (row.begin?.(relay, this.#fault) === true) this.#hit();
  }

  #hit(): void {
    const { hits } = this.counts;
    hits[this.#fault.kind] = (hits[this.#fault.kind] ?? 0) + 1;
  }

  #listen(): void {
    this.#listener = Bun.listen<Relay>({
      hostname: "127.0.0.1",
      port: this.port,
      allowHalfOpen: true,
      socket: {
        open: (near) => {
          near.data = new Relay(this, near);
          this.#relays.add(near.data);
          this.counts.connections++;
          void near.data.connect("127.0.0.1", this.#serverPort);
          this.#begin(near.data);
        },
        data: (near, chunk) => near.data.requested(chunk),
        drain: (near) => near.data.replies.drained(),
        end: (near) => near.data.nearEnded(),
        close: (near) => near.data.close(),
        error: (near) => near.data.close(),
      },
    });
  }

  #stopListening(): void {
    this.#listener?.stop(false);
    this.#listener = null;
  }
}
