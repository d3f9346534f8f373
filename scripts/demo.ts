/**
 * The demo: a proxy before real servers, from the first key to the way back of a lost server.
 *
 *   setStage -> keys -> spread -> one key -> many keys -> a server stops -> it returns -> memcached
 *            -> counters -> with --once: end; else stay up until Ctrl-C
 *
 * Every chapter checks what it shows. What does not hold ends the demo with status 1. Started by
 * demo.mjs, which owns the folder and outlives this process; the processes are ours.
 */
import { parseArgs } from "node:util";
import { CACHE_KEY, cacheChapter } from "./demo/cache-chapter.ts";
import { countersChapter } from "./demo/counters-chapter.ts";
import { ejectionChapter, returnChapter } from "./demo/failure-chapters.ts";
import {
  multiKeyChapter,
  spreadChapter,
  whereChapter,
  writeAndReadChapter,
} from "./demo/key-chapters.ts";
import { configText, type DemoPool } from "./demo/pools.ts";
import { Processes, until } from "./demo/processes.ts";
import { DemoFailure, type PlacedServer, setStage, type Stage } from "./demo/stage.ts";
import { readStats, statAt, type StatsRecord } from "./demo/stats.ts";
import * as terminal from "./demo/terminal.ts";

const EXIT_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** Longest wait for connections to be counted as closed. */
const SETTLE_MS = 1_000;
/** In front of what a command of the invitation shows. */
const COMMAND_WIDTH = 36;
type StopSignal = keyof typeof EXIT_STATUS;

const { values: options } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    folder: { type: "string", default: "." },
    binary: { type: "string", default: "dist/nutcracker" },
  },
});

const processes = new Processes(options.folder);
/** Whether everything was shown, so that a signal is the expected end. */
let isComplete = false;
let isEnding = false;

for (const signal of Object.keys(EXIT_STATUS) as StopSignal[]) {
  process.on(signal, () => void end(isComplete ? 0 : EXIT_STATUS[signal]));
}
// Somebody may close the terminal, or read no further, as `| head` does.
process.stdout.on("error", () => void end(1));

try {
  const stage = await play();
  if (options.once) await end(0);
  await stage.nutcracker.exited;
  throw new DemoFailure("nutcracker stays up.", "it ended");
} catch (error) {
  if (!isEnding) {
    const isStatement = error instanceof DemoFailure;
    const sentence = isStatement ? error.sentence : "The demo runs to its end.";
    const log = processes.logTail("nutcracker");
    terminal.deny(sentence, `${isStatement ? error.detail : error}\n${log}`);
    await end(1);
  }
}

async function play(): Promise<Stage> {
  const stage = await setStage(processes, options.binary);
  printPicture(stage);
  const before = await settledStats(stage);
  await writeAndReadChapter(stage);
  const counts = await spreadChapter(stage);
  await whereChapter(stage);
  await multiKeyChapter(stage);
  const ejection = await ejectionChapter(stage, counts);
  await returnChapter(stage, ejection, counts);
  await cacheChapter(stage);
  await countersChapter(stage, before);
  isComplete = true;
  if (!options.once) printInvitation(stage);
  return stage;
}

/** The counters when only our own clients are left of those that came while starting. */
async function settledStats({ statsPort, pool, cache }: Stage): Promise<StatsRecord> {
  let stats = await readStats(statsPort);
  await until(SETTLE_MS, async () => {
    stats = await readStats(statsPort);
    return [pool, cache.pool].every(({ name }) => statAt(stats, name, "client_connections") === 1);
  });
  return stats;
}

function printPicture({ pool, servers, cache }: Stage): void {
  terminal.print();
  printTree(pool, servers);
  terminal.print();
  printTree(cache.pool, cache.servers);
  terminal.print();
  terminal.print("Five real servers, and one nutcracker before them with these few lines:");
  terminal.print();
  const lines = configText([pool, cache.pool]).trimEnd().split("\n");
  for (const line of lines) terminal.print(terminal.dim(line));
}

/** Draws a pool: its clients on the left, its servers as branches on the right. */
function printTree({ port }: DemoPool, servers: readonly PlacedServer[]): void {
  const trunk = `clients ─── nutcracker 127.0.0.1:${port} ───`;
  const middle = (servers.length - 1) >> 1;
  for (const [i, server] of servers.entries()) {
    const isLast = i === servers.length - 1;
    const stem = i === middle ? trunk : " ".repeat(trunk.length);
    const branch = i === 0 ? (i === middle ? "┬" : "┌") : isLast ? "└" : "┼";
    const text = `${terminal.left(server.name, 9)}127.0.0.1:${server.port}`;
    terminal.print(`${stem}${branch}── ${terminal.serverColour(server.index)(text)}`);
  }
}

function printInvitation({ pool, cache, statsPort }: Stage): void {
  const get = `printf 'get ${CACHE_KEY}\\r\\nquit\\r\\n'`;
  terminal.heading("Your turn");
  invite(`redis-cli -p ${pool.port}`, "Redis, through nutcracker");
  invite(`${get} | nc 127.0.0.1 ${cache.pool.port}`, "memcached, through nutcracker");
  invite(`nc 127.0.0.1 ${statsPort}`, "the counters, as JSON");
  invite(`less ${processes.folder}/`, "configuration and logs");
  terminal.print();
  terminal.print("It all stays up until you press Ctrl-C, which leaves nothing behind.");
}

/** A command to try, and what it shows: beside it, or below where the command is long. */
function invite(command: string, what: string): void {
  const isShort = command.length < COMMAND_WIDTH;
  const shown = terminal.bold(isShort ? command.padEnd(COMMAND_WIDTH) : command);
  terminal.print(isShort ? `${shown}${terminal.dim(what)}` : shown);
  if (!isShort) terminal.print(`${" ".repeat(COMMAND_WIDTH)}${terminal.dim(what)}`);
}

/** Stops every process, and then this one. Comes to its end only once. */
async function end(status: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  terminal.mute();
  await processes.close();
  terminal.unmute();
  terminal.print();
  terminal.print(status === 0 ? "All is stopped, and nothing is left behind." : "All is stopped.");
  process.exit(status);
}
