/**
 * Output of any size to a reader of any pace: every byte once, in order, in few writes.
 */
import { expect, test } from "bun:test";
import type { Socket } from "bun";
import { ChunkPool } from "../../src/lib/chunk-pool.ts";
import { SocketOutput } from "../../src/proxy/socket-output.ts";
import { Turn } from "../../src/proxy/turn.ts";
import { eventually } from "../support/eventually.ts";
import { type SeededRandom, withSeed } from "../support/seeded-random.ts";

class Pair implements Disposable {
  readonly received: Buffer[] = [];
  readonly writes: number[] = [];
  output: SocketOutput | null = null;
  written = 0;
  failed = 0;
  reader: Socket<undefined> | null = null;
  writer: Socket<undefined> | null = null;
  #stop = () => {};

  static async connect(): Promise<Pair> {
    const pair = new Pair();
    const listener = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => void (pair.reader = socket),
        data: (_, chunk) => void pair.received.push(chunk),
      },
    });
    pair.#stop = () => listener.stop(true);
    pair.writer = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port: listener.port,
      socket: { data() {}, drain: () => pair.output?.drained() },
    });
    await eventually(() => pair.reader !== null);
    return pair;
  }

  /** The writer's socket, which notes how much each write took. */
  get socket(): Socket<unknown> {
    const write = (bytes: Buffer, start: number, size: number): number => {
      const written = this.writer!.write(bytes, start, size);
      this.writes.push(written);
      return written;
    };
    return { write } as unknown as Socket<unknown>;
  }

  outputWritten(): void {
    this.written++;
  }

  outputFailed(): void {
    this.failed++;
  }

  [Symbol.dispose](): void {
    this.writer?.terminate();
    this.#stop();
  }
}

test("small pieces of a turn leave in one write", async () => {
  using pair = await Pair.connect();
  const output = new SocketOutput(pair, new Turn(), new ChunkPool(512));
  output.open(pair.socket);
  const piece = Buffer.from("0123456789".repeat(10));
  for (let i = 0; i < 100; i++) {
    output.chain.append(piece, 0, piece.length);
    output.schedule();
  }
  expect(pair.writes).toEqual([]);
  await eventually(() => Buffer.concat(pair.received).length === 10_000);
  expect(pair.writes).toEqual([10_000]);
  expect(pair.written).toBe(1);
});

test("what waits before the socket is there is written when it is", async () => {
  using pair = await Pair.connect();
  const output = new SocketOutput(pair, new Turn(), new ChunkPool(512));
  output.chain.append(Buffer.from("early"), 0, 5);
  output.schedule();
  await new Promise((done) => setImmediate(done));
  expect(pair.writes).toEqual([]);
  output.open(pair.socket);
  await eventually(() => Buffer.concat(pair.received).toString() === "early");
});

async function anyOutput(random: SeededRandom): Promise<void> {
  using pair = await Pair.connect();
  const pool = new ChunkPool(random.pick([512, 700, 16_384]));
  const output = new SocketOutput(pair, new Turn(), pool);
  pair.output = output;
  output.open(pair.socket);
  const sent: Buffer[] = [];
  let sentSize = 0;
  while (sentSize < 12_000_000) {
    const size = random.pick([1, 40, 600, 8191, 8192, 33_000, 300_000, 2_000_000]);
    const bytes = random.bytes(64);
    const piece = Buffer.alloc(random.between(1, size), bytes);
    sent.push(piece);
    sentSize += piece.length;
    output.chain.append(piece, 0, piece.length);
    output.schedule();
    if (random.chance(0.1)) pair.reader!.pause();
    if (random.chance(0.1)) output.drained();
    if (random.chance(0.3)) await Bun.sleep(random.integer(3));
    if (random.chance(0.2)) pair.reader!.resume();
  }
  pair.reader!.resume();
  await eventually(() => output.chain.sizeBytes === 0);
  const all = Buffer.concat(sent);
  await eventually(() => pair.received.reduce((sum, one) => sum + one.length, 0) >= all.length);
  expect(Buffer.concat(pair.received).equals(all)).toBe(true);
  expect(pool.chunksInUse).toBe(0);
}

test(
  "any pieces to any reader: every byte once, in order",
  () =>
    withSeed(async (random) => {
      for (let i = 0; i < 4; i++) await anyOutput(random);
    }),
  30_000,
);

test("after the end nothing is written, and nothing is kept", async () => {
  using pair = await Pair.connect();
  const pool = new ChunkPool(512);
  const output = new SocketOutput(pair, new Turn(), pool);
  output.open(pair.socket);
  output.chain.append(Buffer.alloc(5000), 0, 5000);
  output.schedule();
  output.close();
  output.schedule();
  output.drained();
  await new Promise((done) => setImmediate(done));
  expect(pair.writes).toEqual([]);
  expect(pool.chunksInUse).toBe(0);
});

test("a socket that takes nothing any more is reported once per write", async () => {
  using pair = await Pair.connect();
  const output = new SocketOutput(pair, new Turn(), new ChunkPool(512));
  output.open(pair.socket);
  pair.writer!.terminate();
  output.chain.append(Buffer.from("late"), 0, 4);
  output.schedule();
  await eventually(() => pair.failed === 1);
  expect(pair.written).toBe(0);
  output.close();
});
