/**
 * What waits to be written to one socket, and its one write per turn.
 *
 *   append -> chain -> (end of turn) -> socket.write -> kernel full? wait for drain, go on there
 *
 * Bun's write takes what the kernel takes and buffers nothing, so the rest stays here. There is no
 * writev: pieces of a turn are gathered into one buffer and written together, but for large ones,
 * which are written from where they lie.
 * Does not know what the bytes mean, nor who stops producing them when there are too many.
 */
import type { Socket } from "bun";
import { ByteChain } from "../lib/byte-chain.ts";
import type { ChunkPool } from "../lib/chunk-pool.ts";
import type { Turn, TurnMember } from "./turn.ts";

/** The largest write that is gathered from pieces. */
const GATHER_BYTES_MAX = 256 * 1024;
/** A larger piece is written on its own: the copy would cost more than the call. */
const GATHER_PIECE_BYTES_MAX = 32 * 1024;

const gathered = Buffer.allocUnsafeSlow(GATHER_BYTES_MAX);

/** Held: nothing is written yet. Ready: idle, or scheduled in this turn. Blocked: until drain. */
const State = { Held: 0, Ready: 1, Scheduled: 2, Blocked: 3, Closed: 4 } as const;
type State = (typeof State)[keyof typeof State];

export interface OutputOwner {
  /** Bytes went out; `chain.sizeBytes` says how many still wait. */
  outputWritten(): void;
  /** The socket takes nothing any more. Its close handler may be late, or never called. */
  outputFailed(): void;
}

export class SocketOutput implements TurnMember {
  readonly chain: ByteChain;
  private socket: Socket<unknown> | null = null;
  private state: State = State.Held;
  /** Something came while the kernel is full. */
  private isGrown = false;

  constructor(
    private readonly owner: OutputOwner,
    private readonly turn: Turn,
    pool: ChunkPool,
  ) {
    this.chain = new ByteChain(pool);
  }

  /** From now on output is written to this socket, what waits already included. */
  open(socket: Socket<unknown>): void {
    this.socket = socket;
    this.state = State.Ready;
    if (this.chain.sizeBytes > 0) this.schedule();
  }

  /** Drops what waits. */
  close(): void {
    this.state = State.Closed;
    this.socket = null;
    this.chain.clear();
  }

  /** It will be written to the socket at the end of this turn. */
  get isScheduled(): boolean {
    return this.state === State.Scheduled;
  }

  /** Something was appended to `chain`: write it at the end of this turn. */
  schedule(): void {
    if (this.state === State.Ready) {
      this.state = State.Scheduled;
      this.turn.add(this);
    } else if (this.state === State.Blocked && !this.isGrown) {
      this.isGrown = true;
      this.turn.add(this);
    }
  }

  endTurn(): void {
    if (this.state === State.Scheduled) {
      this.state = State.Ready;
      this.write();
    } else if (this.state === State.Blocked) {
      this.chain.detach();
    }
    this.isGrown = false;
  }

  /** The kernel has room again. May be called without need. */
  drained(): void {
    if (this.state !== State.Blocked) return;
    this.state = State.Ready;
    this.write();
  }

  private write(): void {
    const { chain } = this;
    const socket = this.socket!;
    while (chain.head !== null && chain.sizeBytes > 0) {
      const { head } = chain;
      const headSize = head.end - head.start;
      const isAlone = head.next === null || headSize > GATHER_PIECE_BYTES_MAX;
      const size = isAlone ? headSize : this.gather();
      const written = isAlone
        ? socket.write(head.bytes, head.start, size)
        : socket.write(gathered, 0, size);
      if (written < 0) {
        this.owner.outputFailed();
        return;
      }
      chain.consume(written);
      if (written < size) {
        this.state = State.Blocked;
        chain.detach();
        break;
      }
    }
    if (chain.sizeBytes === 0) chain.clear();
    this.owner.outputWritten();
  }

  /** Copies the first pieces together; returns how many bytes that are. */
  private gather(): number {
    let size = 0;
    for (let piece = this.chain.head; piece !== null; piece = piece.next) {
      const pieceSize = piece.end - piece.start;
      if (pieceSize > GATHER_PIECE_BYTES_MAX || size + pieceSize > GATHER_BYTES_MAX) break;
      piece.bytes.copy(gathered, size, piece.start, piece.end);
      size += pieceSize;
    }
    return size;
  }
}
