/**
 * Signals to a running proxy: what the log says, what happens to clients, how it ends.
 */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { SIGNAL_ROWS } from "../../src/process/signals.ts";
import { eventually, eventuallyHolds } from "../support/eventually.ts";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { threadStates } from "../support/process-stat.ts";
import { Proxy, type ProxyProgram } from "../support/run-proxy.ts";
import { type Peer, ScriptedServer } from "../support/scripted-server.ts";
import { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const POOLS = { alpha: { servers: ["127.0.0.1:1:1"] } };
const DONE = /\] worker\.ts:\d+ done, rabbit done\n$/;

function start(pools: Parameters<typeof Proxy.start>[0]["pools"] = POOLS, ...args: string[]) {
  return Proxy.start({ pools, args: ["-p", "n.pid", ...args] });
}

/**
 * Sends signals, each when the one before was dealt with; returns the lines without a time.
 *
 * The line about a signal is not enough to wait for: another signal interrupts nutcracker's handler
 * before that has done and said the rest. When all threads sleep, the handler is over.
 */
async function signalLines(signals: readonly NodeJS.Signals[], program?: ProxyProgram) {
  const options = program === undefined ? {} : { program };
  await using proxy = await Proxy.start({ pools: POOLS, args: ["-v", "10"], ...options });
  const lines = () => proxy.log.split("\n").filter((line) => line.startsWith("[......."));
  for (const [index, name] of signals.entries()) {
    proxy.signal(name);
    if (name === "SIGINT") break;
    const received = () => lines().filter((line) => line.includes(" received")).length > index;
    const isAsleep = () => threadStates(proxy.pid).every((state) => state === "S");
    await eventually(() => received() && isAsleep(), { what: `${name} in the log: ${proxy.log}` });
  }
  expect(await proxy.ended()).toBe(1);
  return lines();
}

const SIGNALS: readonly NodeJS.Signals[] = [
  ...(["SIGTTIN", "SIGTTIN", "SIGTTIN", "SIGTTOU", "SIGTTOU", "SIGHUP"] as const),
  ...(["SIGUSR1", "SIGUSR2", "SIGTTIN", "SIGINT"] as const),
];

test.skipIf(nutcracker === null)(
  `every line about a signal is nutcracker's${ORACLE_ABSENT}`,
  async () => {
    expect(await signalLines(SIGNALS)).toEqual(await signalLines(SIGNALS, nutcracker ?? []));
  },
);

test("the level really changes", async () => {
  await using proxy = await start();
  expect(proxy.log).toContain("listening on");
  for (let level = 4; level >= 3; level--) {
    proxy.signal("SIGTTOU");
    await eventually(() => proxy.log.includes(`down log level to ${level}\n`));
  }
  proxy.signal("SIGTTIN");
  await eventually(() => proxy.log.includes("up log level to 4\n"));
});

test("signals without a meaning do no harm", async () => {
  await using proxy = await start();
  proxy.signal("SIGUSR1");
  proxy.signal("SIGUSR2");
  proxy.signal("SIGPIPE");
  await eventually(() => ["10 (SIGUSR1)", "12 (SIGUSR2)"].every((one) => proxy.log.includes(one)));
  await (await proxy.connect()).expectOpen();
});

test("SIGHUP opens the log again by its name", async () => {
  await using proxy = await start();
  renameSync(proxy.logFile, `${proxy.logFile}.1`);
  proxy.signal("SIGHUP");
  await eventually(() => existsSync(proxy.logFile));
  proxy.signal("SIGUSR1");
  await eventually(() => proxy.log.includes("SIGUSR1"));
  expect(readFileSync(`${proxy.logFile}.1`, "utf8")).toEndWith(
    "] signal 1 (SIGHUP) received, reopening log file\n",
  );
});

test("SIGHUP that fails says so on stderr and goes on", async () => {
  await using proxy = await start();
  renameSync(proxy.logFile, `${proxy.logFile}.1`);
  mkdirSync(proxy.logFile);
  proxy.signal("SIGHUP");
  const text = `reopening log file '${proxy.logFile}' failed, ignored: Is a directory\n`;
  await eventuallyHolds(() => {
    expect(proxy.stderr).toBe(text);
    // The old log is still written to.
    expect(readFileSync(`${proxy.logFile}.1`, "utf8")).toEndWith(` worker.ts:8 ${text}`);
  });
  await (await proxy.connect()).expectOpen();
});

test("SIGINT ends at once with status 1, and cleans up", async () => {
  await using scene = await withRequestInFlight();
  const { proxy, client, socket } = scene;
  proxy.signal("SIGINT");
  expect(await proxy.ended()).toBe(1);
  await client.expectClosed();
  expect(proxy.log).toContain("] signal 2 (SIGINT) received, exiting\n");
  expect(proxy.log).not.toMatch(DONE);
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(false);
  expect(existsSync(socket)).toBe(false);
});

test("SIGTERM without clients ends at once with status 0, and cleans up", async () => {
  await using proxy = await start();
  proxy.signal("SIGTERM");
  expect(await proxy.ended()).toBe(0);
  expect(proxy.log).toMatch(DONE);
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(false);
});

test("SIGTERM lets a request in flight finish and accepts nobody", async () => {
  await using scene = await withRequestInFlight();
  const { proxy, client, peer } = scene;
  proxy.signal("SIGTERM");
  await eventually(() => proxy.log.includes("(SIGTERM) received, draining"));
  await eventually(() =>
    RawClient.connect(proxy.address()).then(
      () => false,
      () => true,
    ),
  );
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(true);
  expect(proxy.isRunning).toBe(true);
  peer.write("$5\r\nhello\r\n");
  expect(await client.readReply()).toBe("$5\r\nhello\r\n");
  await client.expectClosed();
  expect(await proxy.ended()).toBe(0);
  expect(proxy.log).toMatch(DONE);
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(false);
});

test("SIGTERM does not wait for ever", async () => {
  await using scene = await withRequestInFlight();
  const { proxy, client } = scene;
  proxy.signal("SIGTERM");
  expect(await proxy.ended(10_000)).toBe(0);
  await client.expectClosed();
  expect(proxy.log).toMatch(DONE);
}, 15_000);

test("the stats port answers while the proxy drains", async () => {
  await using scene = await withRequestInFlight();
  const { proxy, peer } = scene;
  proxy.signal("SIGTERM");
  await eventually(() => proxy.log.includes("(SIGTERM) received, draining"));
  expect((await proxy.poolStats())["client_connections"]).toBe(1);
  peer.write("$-1\r\n");
  expect(await proxy.ended()).toBe(0);
});

test.each(["SIGTERM", "SIGINT"] as const)("%s while draining ends at once", async (second) => {
  await using scene = await withRequestInFlight();
  const { proxy, client } = scene;
  proxy.signal("SIGTERM");
  await eventually(() => proxy.log.includes("(SIGTERM) received, draining"));
  proxy.signal(second);
  expect(await proxy.ended(3_000)).toBe(1);
  await client.expectClosed();
  expect(existsSync(join(proxy.folder, "n.pid"))).toBe(false);
});

test("no signal is in the table twice", () => {
  expect(new Set(SIGNAL_ROWS.map((row) => row.name)).size).toBe(SIGNAL_ROWS.length);
});

/** A proxy on a unix socket with one client whose request its server has, and does not answer. */
async function withRequestInFlight() {
  let answering: Peer | undefined;
  const server = ScriptedServer.start((peer) => (answering = peer));
  const socket = join(temporaryFolder("signals"), "pool.sock");
  const proxy = await start({ alpha: { listen: socket, servers: [`127.0.0.1:${server.port}:1`] } });
  const client = await proxy.connect();
  void client.request("GET", "key");
  const peer = await eventually(() => answering);
  const end = async () => {
    server.stop();
    await proxy[Symbol.asyncDispose]();
  };
  return { proxy, client, peer, socket, [Symbol.asyncDispose]: end };
}
