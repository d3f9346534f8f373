/**
 * What a request leaves for the garbage collector: a million of them through the data plane, and
 * the bytes that were allocated meanwhile, by the collector's own log. The goal is none.
 *
 *   bun bench/micro/allocations.bench.ts
 *
 * A second process does the work and writes the log. What it allocates before the next collection
 * is not in the log, up to 8 MB: less than ten bytes per request may be none.
 */
import { allocatedSince, COLLECTOR_LOG } from "../load/collector-log.ts";
import { ROUNDS, roundOf } from "./data-plane.ts";

const REQUESTS = 1_000_000;
/** Rounds until the code is compiled and every free list is full. */
const WARM_REQUESTS = 300_000;
const MARK = "=== warm";

function work(index: number): void {
  const row = ROUNDS[index];
  if (row === undefined) throw new Error(`no round ${index}`);
  const [, requests, reply, clients] = row;
  const round = roundOf(requests, reply, clients);
  const perRound = requests.length * clients;
  for (let done = 0; done < WARM_REQUESTS; done += perRound) round();
  Bun.gc(true);
  process.stderr.write(`${MARK}\n`);
  for (let done = 0; done < REQUESTS; done += perRound) round();
  process.exit(0);
}

function report(): void {
  for (const [index, [name]] of ROUNDS.entries()) {
    const { stderr, exitCode } = Bun.spawnSync({
      cmd: [process.execPath, import.meta.path, String(index)],
      env: { ...process.env, ...COLLECTOR_LOG },
      stderr: "pipe",
    });
    const log = stderr.toString();
    const warm = log.indexOf(MARK);
    if (exitCode !== 0 || warm < 0) throw new Error(log);
    const { bytes, collections } = allocatedSince(log, warm);
    const perRequest = (bytes / REQUESTS).toFixed(1);
    const text = `${perRequest} bytes per request, ${collections} collections`;
    process.stdout.write(`${name.padEnd(32)}${text}\n`);
  }
}

const wanted = process.argv[2];
if (wanted === undefined) report();
else work(Number(wanted));
