/**
 * Without -h, -V, -D and -t: serve, in the foreground or as a daemon.
 *
 * The log is opened first in any case, so that a bad -o fails in front of the user's eyes. A
 * worker of -w is told by its supervisor which log to open.
 */

import { ProxyError } from "../../lib/errors.ts";
import { FileLogger } from "../../log/file-logger.ts";
import { resetFileCreationMask, startDaemon, takeDaemonStarter } from "../../process/daemon.ts";
import { foregroundStarter, type Starter } from "../../process/starter.ts";
import { isSupervisedWorker, runSupervisedWorker } from "../../process/supervised-worker.ts";
import { runWorker } from "../../process/worker.ts";
import type { Options } from "../options.ts";

/**
 * @param words the command line behind the program's name, for the daemon and the workers
 * @returns exit status
 * @throws ProxyError LOG_OPEN_FAILED
 */
export async function run(options: Options, words: readonly string[]): Promise<number> {
  if (isSupervisedWorker()) return runSupervisedWorker();
  if (!options.daemonize) return serve(options, words, openLog(options), foregroundStarter);
  const starter = takeDaemonStarter();
  if (starter !== null) return serveAsDaemon(options, words, starter);
  openLog(options).close();
  return startDaemon(words);
}

function serveAsDaemon(
  options: Options,
  words: readonly string[],
  starter: Starter,
): Promise<number> {
  try {
    const log = openLog(options);
    resetFileCreationMask();
    return serve(options, words, log, starter);
  } catch (error) {
    if (error instanceof ProxyError) starter.explain(error.message);
    throw error;
  }
}

function serve(
  options: Options,
  words: readonly string[],
  log: FileLogger,
  starter: Starter,
): Promise<number> {
  return runWorker({
    configFile: options.configFile,
    pidFile: options.pidFile,
    statsAddress: options.statsAddress,
    statsPort: options.statsPort,
    chunkSizeBytes: options.mbufSizeBytes,
    workerCount: options.workers,
    words,
    log,
    starter,
  });
}

function openLog(options: Options): FileLogger {
  return FileLogger.open(options.logFile, options.verbosity);
}
