/**
 * --daemonize, run from the sources and as the compiled executable: the two start themselves again
 * in different ways.
 */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "../support/child-process.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { statFields } from "../support/process-stat.ts";
import { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const BUILD_DEADLINE_MS = 60_000;

const executable = join(temporaryFolder("daemon"), "nutcracker");
const PROGRAMS: readonly (readonly [name: string, program: readonly string[]])[] = [
  ["the sources", [process.execPath, MAIN]],
  ["the executable", [executable]],
];

beforeAll(() => {
  const flags = ["--minify", "--sourcemap=none", "--no-compile-autoload-dotenv"];
  const output = ["--no-compile-autoload-bunfig", MAIN, "--outfile", executable];
  const build = Bun.spawnSync([process.execPath, "build", "--compile", ...flags, ...output]);
  if (build.exitCode !== 0) throw new Error(build.stderr.toString());
}, BUILD_DEADLINE_MS);

const daemons: number[] = [];
afterEach(() => {
  for (const pid of daemons.splice(0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
});

interface Start {
  readonly config?: (text: string) => string;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the foreground half to its end. `pid` is what the pid file says, 0 = there is none. */
async function daemonize(program: readonly string[], start: Start = {}) {
  const folder = temporaryFolder("daemon");
  const port = freePort();
  const listen = `127.0.0.1:${port}`;
  const text = `alpha:\n  listen: ${listen}\n  redis: true\n  servers:\n  - 127.0.0.1:1:1\n`;
  writeFileSync(join(folder, "n.yml"), start.config?.(text) ?? text);
  const statsPort = freePort();
  const words = ["-d", "-c", "n.yml", "-p", "n.pid", "-o", "n.log", "-s", `${statsPort}`];
  const command = [...program, ...words, ...(start.args ?? [])];
  const environment = start.environment ?? {};
  const child = new ChildProcess({ command, folder, environment });
  const status = await child.ended();
  const pidFile = join(folder, "n.pid");
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "latin1")) : 0;
  if (pid > 0) daemons.push(pid);
  const log = () => readFileSync(join(folder, "n.log"), "utf8");
  return { ...{ folder, port, statsPort, status, pidFile, pid, log }, child, command };
}

/** A process that ended and was not collected by its parent counts as gone. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** Fields of /proc/PID/stat behind the name: state, parent, group, session, terminal. */
function processFields(pid: number): number[] {
  return statFields(readFileSync(`/proc/${pid}/stat`, "latin1")).map(Number);
}

function isRefused(port: number): Promise<boolean> {
  return RawClient.connect(port).then(
    () => false,
    () => true,
  );
}

describe.each(PROGRAMS)("%s", (_, program) => {
  test("serves as soon as the foreground half reports success", async () => {
    const { status, child, port, pid, statsPort, log } = await daemonize(program);
    expect([status, child.stdout, child.stderr]).toEqual([0, "", ""]);
    expect(pid).not.toBe(child.pid);
    await (await RawClient.connect(port)).expectOpen();
    expect(await (await RawClient.connect(statsPort)).readToEnd()).toStartWith('{"service":');
    expect(log()).toContain(`started on pid ${pid}\n`);
  });

  test("is alone: own session, no terminal, /dev/null, same folder, mask 0", async () => {
    const { folder, pid, pidFile } = await daemonize(program);
    const [, parent, group, session, terminal] = processFields(pid);
    expect({ group, session, terminal }).toEqual({ group: pid, session: pid, terminal: 0 });
    expect(parent).not.toBe(process.pid);
    const links = [0, 1, 2].map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    expect(links).toEqual(["/dev/null", "/dev/null", "/dev/null"]);
    expect(() => readlinkSync(`/proc/${pid}/fd/3`)).toThrow();
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(folder);
    expect(readFileSync(`/proc/${pid}/status`, "latin1")).toMatch(/^Umask:\s+0000$/m);
    expect(statSync(pidFile).mode & 0o777).toBe(0o644);
  });

  test("shows its command line as it was given", async () => {
    const { pid, command } = await daemonize(program);
    const shown = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    expect(shown.slice(program.length, -1)).toEqual(command.slice(program.length));
    if (program.length === 1) expect(shown[0]).toBe(program[0]);
  });

  test("ends with SIGTERM and removes its pid file", async () => {
    const { pid, pidFile, port, log } = await daemonize(program);
    process.kill(pid, "SIGTERM");
    await eventually(() => !isAlive(pid));
    expect(existsSync(pidFile)).toBe(false);
    expect(await isRefused(port)).toBe(true);
    expect(log()).toEndWith(" done, rabbit done\n");
  });

  test("survives the end of the terminal that started it", async () => {
    const { pid, port, log } = await daemonize(program);
    process.kill(pid, "SIGHUP");
    await eventually(() => log().includes("(SIGHUP) received, reopening log file"));
    await (await RawClient.connect(port)).expectOpen();
  });

  test("a wrong configuration fails in front of the user", async () => {
    const config = (text: string) => text.replace("servers", "timeout: x\n  servers");
    const { status, child, pid, log } = await daemonize(program, { config });
    expect([status, child.stdout, pid]).toEqual([1, "", 0]);
    const lines = child.stderr.split("\n");
    expect(lines[0]).toBe('conf: directive "timeout" is not a number');
    expect(lines[1]).toStartWith('n.yml:4: pool "alpha": timeout: ');
    expect(lines[2]).toBe("nutcracker: configuration file 'n.yml' syntax is invalid");
    expect(lines).toHaveLength(4);
    expect(log()).toEndWith(" done, rabbit done\n");
  });

  test("an address that is taken fails in front of the user", async () => {
    const first = await daemonize(program);
    const args = ["-s", `${first.statsPort}`];
    const { status, child, pid } = await daemonize(program, { args });
    expect([status, pid]).toEqual([1, 0]);
    expect(child.stderr).toMatch(/^bind on m .* failed: Address already in use\n$/);
    await (await RawClient.connect(first.port)).expectOpen();
  });

  test("a log that cannot be opened fails in front of the user", async () => {
    const { status, child, pid } = await daemonize(program, { args: ["-o", "/nonexistent/x"] });
    expect([status, pid]).toEqual([1, 0]);
    expect(child.stderr).toBe(
      "opening log file '/nonexistent/x' failed: No such file or directory\n",
    );
  });

  test("the mark in the environment means nothing in another process", async () => {
    for (const mark of ["1", "", "x", `${process.pid}`]) {
      const environment = { NUTCRACKER_DAEMON_OF: mark };
      const { status, child, pid, port } = await daemonize(program, { environment });
      expect(status).toBe(0);
      expect(pid).not.toBe(child.pid);
      await (await RawClient.connect(port)).expectOpen();
    }
  });

  test("-t, -V and bad options come before", async () => {
    expect((await daemonize(program, { args: ["-t"] })).child.stderr).toEndWith("syntax is ok\n");
    expect((await daemonize(program, { args: ["-V"] })).child.stderr).toStartWith("This is");
    expect((await daemonize(program, { args: ["-x"] })).status).toBe(1);
  });
});
