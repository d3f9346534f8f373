/**
 * Into the background: the program starts itself again in a new session and waits for its answer.
 *
 *   foreground half                          daemon
 *     opens the log, so that a bad -o fails
 *     spawn, new session, 0-2 = /dev/null --> opens the log, umask 0, config, listeners, pid file
 *     stderr <------ descriptor 3 ----------- lines that explain a failed start
 *     exit 0 <------ descriptor 3 ----------- READY, then descriptor 3 is closed
 *     exit 1 <------ end without READY
 *
 * A process cannot fork from JavaScript: the copy lacks the engine's threads and crashes. The pid
 * of the daemon is the one that serves. The working directory is kept. Twin: nc.c nc_daemonize().
 * Differs: nutcracker's foreground half reports success before the configuration is read.
 */

import { closeSync, fstatSync, writeSync } from "node:fs";
import { printStderr } from "../log/stderr.ts";
import { ownCommand } from "./own-command.ts";
import { PROGRAM_NAME } from "./version.ts";
import type { Starter } from "./starter.ts";

/** Tells the daemon what it is. Holds the pid of its parent, so that a copy of it means nothing. */
const MARK = "NUTCRACKER_DAEMON_OF";
const ANSWER_FD = 3;
/** Ends the answer of a start that went well; no text contains it. */
const READY = "\0";

/**
 * In the daemon: takes the way back to the foreground half, and leaves no trace of it in the
 * environment. Null in a process that was started by anybody else.
 */
export function takeDaemonStarter(): Starter | null {
  const mark = process.env[MARK];
  delete process.env[MARK];
  if (mark !== String(process.ppid) || !isSocket(ANSWER_FD)) return null;
  return { print: answerLine, explain: answerLine, ready: answerReady };
}

/** In the daemon: the creation mode of files is then exactly what is asked for. */
export function resetFileCreationMask(): void {
  process.umask(0);
}

/**
 * In the foreground half: starts the daemon, passes on what it has to say about a failed start.
 *
 * @param words the command line behind the program's name
 * @returns exit status: 0 when the daemon serves, 1 when it ended before
 */
export async function startDaemon(words: readonly string[]): Promise<number> {
  const daemon = Bun.spawn([...ownCommand(), ...words], {
    argv0: process.argv0,
    detached: true,
    env: { ...process.env, [MARK]: String(process.pid) },
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const answer = await readAnswer(daemon.stdio[ANSWER_FD]);
  if (answer.endsWith(READY)) {
    daemon.unref();
    return 0;
  }
  if (answer === "") {
    await daemon.exited;
    const how = daemon.signalCode ?? `status ${daemon.exitCode}`;
    printStderr(`${PROGRAM_NAME}: the daemon ended with ${how} before it could serve\n`);
  } else {
    printStderr(answer);
  }
  return 1;
}

async function readAnswer(descriptor: unknown): Promise<string> {
  const decoder = new TextDecoder();
  let answer = "";
  for await (const bytes of Bun.file(Number(descriptor)).stream()) {
    answer += decoder.decode(bytes, { stream: true });
  }
  return answer;
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}

function answerLine(line: string): void {
  answer(`${line}\n`);
}

function answerReady(): void {
  answer(READY);
  closeSync(ANSWER_FD);
}

function answer(text: string): void {
  try {
    writeSync(ANSWER_FD, text);
  } catch {
    // The foreground half was killed. The daemon goes on: it may be what was wanted.
  }
}
