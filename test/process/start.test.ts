/**
 * Starting the proxy, and every way in which that fails: log, stderr, exit status, pid file.
 */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "../support/child-process.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { ourProgram, Proxy, type ProxyProgram } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SERVERS = ["127.0.0.1:1:1"];

interface Attempt {
  readonly config?: string;
  readonly args?: readonly string[];
  readonly program?: ProxyProgram;
}

/** Runs a start that should fail. Log lines come without time and without their place. */
async function failedStart(attempt: Attempt) {
  const folder = temporaryFolder("start");
  writeFileSync(join(folder, "n.yml"), attempt.config ?? poolText());
  const options = ["-c", "n.yml", "-s", `${freePort()}`, "-p", "n.pid", "-o", "n.log"];
  const command = [...(attempt.program ?? ourProgram()), ...options, ...(attempt.args ?? [])];
  const child = new ChildProcess({ command, folder });
  const status = await child.ended();
  const log = readText(join(folder, "n.log"));
  const lines = log.split("\n").slice(0, -1);
  const texts = lines.map((line) => line.replace(/^\[[^\]]*\] \S+ /, ""));
  expect(child.stdout).toBe("");
  expect(existsSync(join(folder, "n.pid"))).toBe(false);
  return { status, stderr: child.stderr, texts };
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function poolText(change = ""): string {
  const listen = `127.0.0.1:${freePort()}`;
  return `alpha:\n  listen: ${listen}\n  redis: true\n${change}  servers:\n    - 127.0.0.1:1:1\n`;
}

const SONG =
  "run, rabbit run / dig that hole, forget the sun / and when at last the work is done / " +
  "don't sit down / it's time to dig another one";
const DONE = "done, rabbit done";

test("the first lines are nutcracker's, and the pid file is there when it serves", async () => {
  await using proxy = await Proxy.start({
    pools: { alpha: { servers: SERVERS } },
    args: ["-p", "n.pid"],
  });
  const pidFile = join(proxy.folder, "n.pid");
  await eventually(() => readText(pidFile) === `${proxy.pid}`);
  const [first, second] = proxy.log.split("\n");
  const started = `nutcracker-0.5.0 built for Linux \\S+ \\S+ started on pid ${proxy.pid}$`;
  expect(first).toMatch(new RegExp(`^\\[[-: .0-9]{23}\\] worker\\.ts:1 ${started}`));
  expect(second?.replace(/^.{26}/, "")).toBe(`worker.ts:2 ${SONG}`);
  expect(proxy.stderr).toBe("");
});

test("a wrong configuration: nutcracker's line and ours for every mistake", async () => {
  const config = poolText("  timeout: soon\n  nonsense: 1\n");
  const { status, stderr, texts } = await failedStart({ config });
  expect(status).toBe(1);
  expect(stderr).toBe("nutcracker: configuration file 'n.yml' syntax is invalid\n");
  expect(texts[0]).toStartWith("nutcracker-0.5.0 built for");
  expect(texts[1]).toBe(SONG);
  const rest = texts.slice(2).join("\n");
  expect(rest).toStartWith(
    'conf: directive "timeout" is not a number\nn.yml:4: pool "alpha": timeout',
  );
  expect(rest).toContain(
    '\nconf: directive "nonsense" is unknown\nn.yml:5: pool "alpha": nonsense',
  );
  expect(rest).toContain("server_failure_limit");
  expect(rest).toEndWith(`\n${DONE}`);
});

const FAILURES: readonly (readonly [name: string, attempt: Attempt])[] = [
  ["a configuration that is not there", { args: ["-c", "none.yml"] }],
  ["a stats address of another machine", { args: ["-a", "1.2.3.4", "-s", "22"] }],
  ["a stats address without a meaning", { args: ["-a", "no.such.host.invalid", "-s", "22"] }],
  ["a stats socket in no folder", { args: ["-a", "/nonexistent/x", "-s", "22"] }],
  ["a log in no folder", { args: ["-o", "/nonexistent/x"] }],
  ["a log that is a folder", { args: ["-o", "/tmp"] }],
];

/** What differs from run to run: pid, kernel, the number of a descriptor. */
function comparable({ texts, ...rest }: Awaited<ReturnType<typeof failedStart>>) {
  const steady = texts.map((text) =>
    text.replace(/ built for .*/, "").replace(/ on m \d+ to /, " on m N to "),
  );
  return { ...rest, texts: steady };
}

test.skipIf(nutcracker === null).each(FAILURES)(
  `%s, as with nutcracker${ORACLE_ABSENT}`,
  async (_, attempt) => {
    const ours = await failedStart(attempt);
    expect(ours.status).toBe(1);
    const theirs = await failedStart({ ...attempt, program: nutcracker ?? [] });
    expect(comparable(ours)).toEqual(comparable(theirs));
  },
);

test("a pid file that cannot be written", async () => {
  const { status, stderr, texts } = await failedStart({ args: ["-p", "/nonexistent/n.pid"] });
  expect(status).toBe(1);
  expect(stderr).toBe("");
  expect(texts.slice(-2)).toEqual([
    "opening pid file '/nonexistent/n.pid' failed: No such file or directory",
    DONE,
  ]);
});

test("a pid file that cannot be written: what was made is undone", async () => {
  const socket = join(temporaryFolder("start"), "pool.sock");
  const config = poolText().replace(/listen: .*/, `listen: ${socket}`);
  for (const workers of ["1", "2"]) {
    const args = ["-p", "/nonexistent/n.pid", "-w", workers];
    expect((await failedStart({ config, args })).status).toBe(1);
    expect(existsSync(socket)).toBe(false);
  }
});

test.each([
  ["in the foreground", []],
  ["as a daemon", ["-d"]],
])("a second start %s that fails leaves the pid file of the first one", async (_, args) => {
  await using first = await Proxy.start({
    pools: { alpha: { servers: SERVERS } },
    args: ["-p", "n.pid"],
  });
  const pidFile = join(first.folder, "n.pid");
  await eventually(() => readText(pidFile) === `${first.pid}`);
  // The stats port is taken; then that is free, and the port of the pool is taken.
  for (const statsPort of [first.statsPort, freePort()]) {
    const second = await failedStart({
      config: first.config,
      args: ["-s", `${statsPort}`, "-a", "127.0.0.1", "-p", pidFile, ...args],
    });
    expect(second.status).toBe(1);
    expect(second.texts.join("\n")).toContain("Address already in use");
    expect(readText(pidFile)).toBe(`${first.pid}`);
  }
  await first.stop("SIGTERM");
  expect(existsSync(pidFile)).toBe(false);
});

test("an address that is taken: what was made is undone", async () => {
  const port = freePort();
  using taken = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  const socket = join(temporaryFolder("start"), "first.sock");
  const pool = (name: string, listen: string) =>
    `${name}:\n  listen: ${listen}\n  redis: true\n  servers:\n    - 127.0.0.1:1:1\n`;
  const config = pool("b", `127.0.0.1:${taken.port}`) + pool("a", socket);
  const { status, texts } = await failedStart({ config });
  expect(status).toBe(1);
  const last = texts.slice(-2);
  expect(last[0]).toMatch(/^bind on p .*to addr '127\.0\.0\.1:\d+' failed: Address already in use/);
  expect(last[1]).toBe(DONE);
  expect(existsSync(socket)).toBe(false);
});

test("a second start fails at the stats port and leaves the first one alone", async () => {
  const socket = join(temporaryFolder("start"), "pool.sock");
  await using first = await Proxy.start({ pools: { alpha: { listen: socket, servers: SERVERS } } });
  const second = await failedStart({
    config: first.config,
    args: ["-s", `${first.statsPort}`, "-a", "127.0.0.1"],
  });
  expect(second.status).toBe(1);
  expect(second.texts.at(-2)).toMatch(/^bind on m \d+ to stats server .*: Address already in use$/);
  await (await first.connect()).expectOpen();
});

test("a name without an address is a mistake in the configuration", async () => {
  const config = poolText().replace(/listen: .*/, "listen: no.such.host.invalid:22121");
  const { status, stderr, texts } = await failedStart({ config });
  expect(status).toBe(1);
  expect(stderr).toBe("nutcracker: configuration file 'n.yml' syntax is invalid\n");
  expect(texts.slice(2, 4)).toEqual([
    "address resolution of node 'no.such.host.invalid' service '22121' failed: " +
      "Name or service not known",
    'conf: directive "listen" has an invalid value',
  ]);
});

test("a log on stderr", async () => {
  const { status, stderr } = await failedStart({ args: ["--output=", "-c", "none.yml"] });
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /worker\.ts:3 conf: failed to open configuration 'none\.yml': No such file or directory\n/,
  );
});
