/**
 * Processes of the benchmark: which core they run on, and what they print.
 */

/** Servers and load. */
export const LOAD_CORE = "0";
/** The proxy under test, alone. */
export const PROXY_CORE = "1";

export function pinned(core: string, command: readonly string[]): string[] {
  return ["taskset", "-c", core, ...command];
}

/** A command with as many file descriptors as this user may have. */
export function withDescriptors(command: readonly string[]): string[] {
  return ["sh", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh", ...command];
}

/** How many file descriptors that is. */
export function descriptorsMax(): number {
  const text = Bun.spawnSync(["sh", "-c", "ulimit -Hn"]).stdout.toString().trim();
  return text === "unlimited" ? Infinity : Number(text);
}

/** Moves a running process with all its threads. */
export function pin(core: string, pid: number): void {
  const { exitCode } = Bun.spawnSync(["taskset", "-a", "-c", "-p", core, String(pid)]);
  if (exitCode !== 0) throw new Error(`taskset cannot move process ${pid} to core ${core}`);
}

/** What a command prints. @throws Error with both its outputs if it fails */
export async function outputOf(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe" });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0)
    throw new Error(`${command.join(" ")} failed: ${output}${errors}`);
  return output;
}
