/**
 * How the program starts itself again, as a daemon or as a worker.
 */

/** The executable alone, or bun and the script that it runs. */
export function ownCommand(): readonly string[] {
  return Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, Bun.main];
}

/** The same, but the very executable that runs, even if its file was replaced meanwhile. */
export function runningCommand(): readonly string[] {
  return Bun.isStandaloneExecutable ? ["/proc/self/exe"] : ownCommand();
}
