/**
 * -d with -w, from the sources and as the compiled executable: each starts its workers in its own
 * way.
 */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "../support/child-process.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { isAlive, openFiles, workersOf } from "./worker-family.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const BUILD_DEADLINE_MS = 60_000;

const executable = join(temporaryFolder("workers"), "nutcracker");
const PROGRAMS: readonly (readonly [name: string, program: readonly string[]])[] = [
  ["the sources", [process.execPath, MAIN]],
  ["the executable", [executable]],
];

function build(): void {
  const flags = ["--minify", "--sourcemap=none", "--no-compile-autoload-dotenv"];
  const output = ["--no-compile-autoload-bunfig", MAIN, "--outfile", executable];
  const result = Bun.spawnSync([process.execPath, "build", "--compile", ...flags, ...output]);
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
}

beforeAll(build, BUILD_DEADLINE_MS);

const daemons: number[] = [];
afterEach(() => {
  for (const pid of daemons.splice(0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
});

async function daemonize(program: readonly string[], prefix: readonly string[] = []) {
  const folder = temporaryFolder("workers");
  const port = freePort();
  const listen = `listen: 127.0.0.1:${port}\n  server_connections: 100`;
  const text = `alpha:\n  ${listen}\n  redis: true\n  servers:\n  - 127.0.0.1:1:1\n`;
  writeFileSync(join(folder, "n.yml"), text);
  const words = ["-d", "-w", "2", "-c", "n.yml", "-p", "n.pid", "-o", "n.log"];
  const command = [...prefix, ...program, ...words, "-s", `${freePort()}`];
  const child = new ChildProcess({ command, folder });
  const status = await child.ended();
  const pidFile = join(folder, "n.pid");
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "latin1")) : 0;
  if (pid > 0) daemons.push(pid);
  const log = () => readFileSync(join(folder, "n.log"), "utf8");
  return { status, stderr: child.stderr, port, pid, pidFile, log };
}

function name(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, "latin1").trimEnd();
}

describe.each(PROGRAMS)("%s", (_, program) => {
  test("a daemon with workers serves, replaces and ends them", async () => {
    const { status, stderr, port, pid, pidFile, log } = await daemonize(program);
    expect([status, stderr]).toEqual([0, ""]);
    const workers = workersOf(pid);
    expect(workers).toHaveLength(2);
    expect(workers.map(name)).toEqual([name(pid), name(pid)]);
    for (const worker of workers) {
      expect(openFiles(worker).filter((file) => file === "/dev/null")).toHaveLength(3);
    }
    await (await RawClient.connect(port)).expectOpen();
    process.kill(workers[0] ?? 0, "SIGKILL");
    await eventually(() => log().split("worker 1 serves").length === 3);
    for (let count = 0; count < 20; count++) await (await RawClient.connect(port)).expectOpen();
    const all = [pid, ...workersOf(pid)];
    expect(all).toHaveLength(3);
    process.kill(pid, "SIGTERM");
    await eventually(() => !all.some(isAlive));
    expect(existsSync(pidFile)).toBe(false);
    expect(log()).toEndWith(" done, rabbit done\n");
  });

  test("a worker that cannot start fails in front of the user", async () => {
    const { status, stderr, pid } = await daemonize(program, ["prlimit", "--nofile=100:100"]);
    expect([status, pid]).toEqual([1, 0]);
    expect(stderr).toStartWith("worker 1 does not start: the limit of open files is 100, ");
  });
});

test("a worker is the executable that its supervisor is, even if the file is gone", async () => {
  const { pid, port, log } = await daemonize([executable]);
  rmSync(executable);
  process.kill(workersOf(pid)[1] ?? 0, "SIGKILL");
  await eventually(() => log().split("worker 2 serves").length === 3);
  for (let count = 0; count < 20; count++) await (await RawClient.connect(port)).expectOpen();
});
