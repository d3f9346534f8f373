/**
 * The demo: a proxy before three real servers, from the first key to the way back of a lost server.
 *
 *   setStage -> keys -> spread -> one key -> many keys -> a server stops -> it returns -> counters
 *            -> with --once: end; else stay up until Ctrl-C
 *
 * Every chapter checks what it shows. What does not hold ends the demo with status 1. Started by
 * demo.mjs, which owns the folder and outlives this process; the processes are ours.
 */
import { parseArgs } from "node:util";
import { countersChapter } from "./demo/counters-chapter.ts";
import { ejectionChapter, returnChapter } from "./demo/failure-chapters.ts";
import {
  multiKeyChapter,
  spreadChapter,
  whereChapter,
  writeAndReadChapter,
} from "./demo/key-chapters.ts";
import { configText } from "./demo/pools.ts";
import { Processes, until } from "./demo/processes.ts";
import { DemoFailure, setStage, type Stage } from "./demo/stage.ts";
import { readStats, statAt, type StatsRecord } from "./demo/stats.ts";
import * as terminal from "./demo/terminal.ts";

const EXIT_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** Longest wait for connections to be counted as closed. */
const SETTLE_MS = 1_000;
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
  await countersChapter(stage, before);
  isComplete = true;
  if (!options.once) printInvitation(stage);
  return stage;
}

/** The counters when only our own client is left of those that came while starting. */
async function settledStats({ statsPort, pool }: Stage): Promise<StatsRecord> {
  let stats = await readStats(statsPort);
  await until(SETTLE_MS, async () => {
    stats = await readStats(statsPort);
    return statAt(stats, pool.name, "client_connections") === 1;
  });
  return stats;
}

function printPicture({ pool, servers }: Stage): void {
  const middle = (servers.length - 1) / 2;
  const trunk = `clients ─── nutcracker 127.0.0.1:${pool.port} ───`;
  terminal.print();
  for (const { name, port, index } of servers) {
    const stem = index === middle ? trunk : " ".repeat(trunk.length);
    const branch = index === 0 ? "┌" : index === servers.length - 1 ? "└" : "┼";
    const server = `${terminal.left(name, 9)}127.0.0.1:${port}`;
    terminal.print(`${stem}${branch}── ${terminal.serverColour(index)(server)}`);
  }
  terminal.print();
  terminal.print("Three real redis-servers, and nutcracker before them with these few lines:");
  terminal.print();
  for (const line of configText([pool]).trim().split("\n")) terminal.print(terminal.dim(line));
}

function printInvitation({ pool, statsPort }: Stage): void {
  terminal.heading("Your turn");
  const row = (command: string, what: string) =>
    terminal.print(`${terminal.bold(command.padEnd(36))}${terminal.dim(what)}`);
  row(`redis-cli -p ${pool.port}`, "the servers, through nutcracker");
  row(`nc 127.0.0.1 ${statsPort}`, "the counters, as JSON");
  row(`less ${processes.folder}/`, "configuration and logs");
  terminal.print();
  terminal.print("It all stays up until you press Ctrl-C, which leaves nothing behind.");
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
