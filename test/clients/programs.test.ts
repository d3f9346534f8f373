/**
 * Client libraries of other languages, with their default options: connect, ready check, a pipeline
 * of 1,000, the usual types, SELECT, and a proxy that is started anew.
 *
 * They come with Debian's packages (scripts/prepare.mjs); what is not there is skipped.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { Proxy } from "../support/run-proxy.ts";
import { PIPELINE_HALF, READY, SELECTED, TYPES } from "./expected.ts";

interface Program {
  readonly label: string;
  /** Runs a session; the port comes behind. */
  readonly command: readonly string[];
  /** Ends with 0 if the library is there. */
  readonly probe: readonly string[];
  /** What PING gives. */
  readonly pong: unknown;
}

function session(extension: string): string {
  return join(import.meta.dir, "programs", `session.${extension}`);
}

const PROGRAMS: readonly Program[] = [
  {
    label: "python3-redis",
    // Debian's, because another Python on the PATH does not know Debian's packages.
    command: ["/usr/bin/python3", session("py")],
    probe: ["/usr/bin/python3", "-c", "import redis"],
    pong: true,
  },
  {
    label: "php-redis",
    command: ["php", session("php")],
    probe: ["php", "-r", "exit(class_exists('Redis') ? 0 : 1);"],
    pong: true,
  },
  {
    label: "ruby-redis",
    command: ["ruby", session("rb")],
    probe: ["ruby", "-e", "require 'redis'"],
    pong: "PONG",
  },
];

function isThere(probe: readonly string[]): boolean {
  try {
    return Bun.spawnSync([...probe], { stdout: "ignore", stderr: "ignore" }).success;
  } catch {
    return false;
  }
}

for (const program of PROGRAMS) {
  const missing = !isThere(program.probe);
  const reason = missing ? ` (skipped: apt-get install ${program.label})` : "";
  test.skipIf(missing)(`${program.label}${reason}`, () => runSession(program), 30_000);
}

async function runSession({ command, pong }: Program): Promise<void> {
  await using pool = await RedisPool.start({ servers: 3, pool: { hash_tag: "{}" } });
  const port = String(pool.proxy.port());
  const child = Bun.spawn([...command, port], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  try {
    const errors = new Response(child.stderr).text();
    const steps = new Map<string, unknown>();
    const reading = readSteps(child.stdout, steps);
    await eventually(() => steps.has("ready") || child.exitCode !== null, {
      what: `the steps of ${command[0]}`,
      deadlineMs: 15_000,
    });
    if (!steps.has("ready")) throw new Error(await errors);
    expect(Object.fromEntries(steps)).toEqual({
      ping: pong,
      pipeline: PIPELINE_HALF,
      types: TYPES,
      select: SELECTED,
      ready: READY,
    });
    await pool.proxy.stop();
    await using _ = await Proxy.start({ config: pool.proxy.config });
    void child.stdin.write("go on\n");
    await child.stdin.end();
    expect(await child.exited).toBe(0);
    await reading;
    expect(steps.get("reconnect")).toBe(SELECTED[0]);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** Notes each line of JSON as it comes. */
async function readSteps(
  stream: ReadableStream<Uint8Array>,
  steps: Map<string, unknown>,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const { step, result } = JSON.parse(line) as { step: string; result: unknown };
      steps.set(step, result);
    }
  }
}
