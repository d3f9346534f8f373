/**
 * Without -h, -V, -D and -t: serve, in the foreground or as a daemon.
 *
 * The log is opened first in any case, so that a bad -o fails in front of the user's eyes.
 */

import { ProxyError } from "../../lib/errors.ts";
import { FileLogger } from "../../log/file-logger.ts";
import { resetFileCreationMask, startDaemon, takeDaemonStarter } from "../../process/daemon.ts";
import { foregroundStarter, type Starter } from "../../process/starter.ts";
import { runWorker } from "../../process/worker.ts";
import type { Options } from "../options.ts";

/**
 * @param words the command line behind the program's name, for the daemon
 * @returns exit status
 * @throws ProxyError LOG_OPEN_FAILED
 */
export async function run(options: Options, words: readonly string[]): Promise<number> {
  if (!options.daemonize) return serve(options, openLog(options), foregroundStarter);
  const starter = takeDaemonStarter();
  if (starter !== null) return serveAsDaemon(options, starter);
  openLog(options).close();
  return startDaemon(words);
}

function serveAsDaemon(options: Options, starter: Starter): Promise<number> {
  try {
    const log = openLog(options);
    resetFileCreationMask();
    return serve(options, log, starter);
  } catch (error) {
    if (error instanceof ProxyError) starter.explain(error.message);
    throw error;
  }
}

function serve(options: Options, log: FileLogger, starter: Starter): Promise<number> {
  return runWorker({
    configFile: options.configFile,
    pidFile: options.pidFile,
    statsAddress: options.statsAddress,
    statsPort: options.statsPort,
    chunkSizeBytes: options.mbufSizeBytes,
    log,
    starter,
  });
}

function openLog(options: Options): FileLogger {
  return FileLogger.open(options.logFile, options.verbosity);
}
