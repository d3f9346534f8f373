/**
 * An open loop: requests are sent at moments that were drawn beforehand, and each latency counts
 * from that moment, not from when the request could be sent. A proxy that stalls is charged for
 * all that should have been sent meanwhile; a closed loop would wait with it.
 *
 *   bun bench/load/open-loop.ts --port 22121 --rate 10000 --requests 50000
 *
 * Prints one line of JSON. Moments are a Poisson process: independent clients, none knowing of
 * another. `lateMs` is how late the generator itself was: latencies below that mean nothing.
 */
import { cc, ptr } from "bun:ffi";
import { parseArgs } from "node:util";
import { LOAD_FLAGS, readLoad } from "./load-flags.ts";
import type { LoadOptions } from "./load-flags.ts";
import { percentiles, xorshift } from "./load.ts";
import type { Percentiles } from "./load.ts";
import type { Exchange } from "./wire.ts";
import type { Workload } from "./workload.ts";

const USAGE = "Usage: bun bench/load/open-loop.ts --port N --rate N [options of load.ts]\n";

/** Nothing comes back for this long: the run has failed. */
const SILENCE_NS = 10e9;
/** Different requests that are made beforehand and sent again and again. */
const TEMPLATES = 2000;

/** What `open_loop` returns. */
const FAILURES = [
  "",
  "a connection was refused",
  "a socket took no more bytes",
  "wrong reply",
  "bytes that nobody asked for",
  "the connection was closed",
  "no reply for ten seconds",
];

export interface OpenLoopResult {
  readonly requests: number;
  /** Wanted, on average. */
  readonly rate: number;
  readonly latencyMs: Percentiles;
  readonly lateMs: Percentiles;
}

export type OpenLoopOptions = Omit<LoadOptions, "host" | "pipeline" | "watchedPid"> & {
  readonly rate: number;
};

interface Joined {
  readonly bytes: Buffer;
  /** Where each message begins, and where the last one ends. */
  readonly offsets: BigInt64Array;
}

/** The pieces of many messages in one buffer. */
function joined(messages: readonly (readonly Buffer[])[]): Joined {
  const offsets = new BigInt64Array(messages.length + 1);
  for (const [index, pieces] of messages.entries()) {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    offsets[index + 1] = (offsets[index] ?? 0n) + BigInt(size);
  }
  return { bytes: Buffer.concat(messages.flat()), offsets };
}

/** @throws Error with what went wrong: a wrong reply, a closed connection, silence */
export function runOpenLoop(options: OpenLoopOptions, workload: Workload): OpenLoopResult {
  const { requests, rate, connections, port } = options;
  const random = xorshift(options.seed);
  const exchanges: Exchange[] = workload.some(options.mix, random, TEMPLATES);
  const requestBytes = joined(exchanges.map(({ request }) => request));
  const replyBytes = joined(exchanges.map(({ reply }) => reply));
  const templateOf = Int32Array.from({ length: requests }, () => random(exchanges.length));
  const intendedNs = new Float64Array(requests);
  let atNs = 0;
  for (let i = 0; i < requests; i++) {
    atNs -= (Math.log(1 - random(2 ** 32) / 2 ** 32) * 1e9) / rate;
    intendedNs[i] = atNs;
  }
  const latencyNs = new Float64Array(requests);
  const lateNs = new Float64Array(requests);
  const numbers = [port, connections, requests].map(BigInt);
  const arrays = [
    templateOf,
    ...[requestBytes.bytes, requestBytes.offsets, replyBytes.bytes, replyBytes.offsets],
    ...[intendedNs, latencyNs, lateNs],
  ];
  const places = arrays.map((array) => BigInt(ptr(array)));
  const load = BigInt64Array.from([...numbers, ...places, BigInt(SILENCE_NS)]);
  const library = cc({
    source: `${import.meta.dir}/open-loop.c`,
    symbols: { open_loop: { args: ["ptr"], returns: "int" } },
  });
  const status = library.symbols.open_loop(ptr(load));
  library.close();
  // Held until here: the collector does not see the addresses that the loop works with.
  arrays.length = 0;
  if (status !== 0) throw new Error(FAILURES[status] ?? `status ${status}`);
  const milliseconds = (values: Float64Array): Float64Array => values.map((value) => value / 1e6);
  return {
    requests,
    rate: Math.round(rate),
    latencyMs: percentiles(milliseconds(latencyNs)),
    lateMs: percentiles(milliseconds(lateNs)),
  };
}

function main(): void {
  const { values } = parseArgs({ options: { ...LOAD_FLAGS, rate: { type: "string" } } });
  const rate = Number(values.rate);
  if (!(rate > 0)) throw new Error(`--rate: "${values.rate}" is no number of requests per second`);
  const { options, workload } = readLoad(values);
  process.stdout.write(`${JSON.stringify(runOpenLoop({ ...options, rate }, workload))}\n`);
}

if (import.meta.main) {
  try {
    main();
  } catch (error) {
    process.stderr.write(`open-loop: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exitCode = 1;
  }
}
