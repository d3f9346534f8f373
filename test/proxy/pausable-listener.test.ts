/**
 * A listener that stops accepting and starts again: nobody is lost, and the path stays.
 *
 * Sockets of other tests may close meanwhile, so numbers of descriptors are upper limits.
 */
import { expect, test } from "bun:test";
import { existsSync, lstatSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PoolConfig } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/load.ts";
import { openDescriptors } from "../../src/lib/descriptors.ts";
import { PausableListener } from "../../src/proxy/pausable-listener.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { poolsToYaml } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const CLIENTS = 40;
const hasSs = Bun.which("ss") !== null;
const SS_ABSENT = hasSs ? "" : " (skipped: ss, which shows a backlog, is not installed)";

function configOf(listen: string, settings = {}): PoolConfig {
  const pools = { alpha: { listen, servers: ["127.0.0.1:1:1"], ...settings } };
  const pool = parseConfig(poolsToYaml(pools), "F").pools[0];
  if (pool === undefined) throw new Error("no pool");
  return pool;
}

/** Counts those that are accepted, and answers each. */
function greeter() {
  let accepted = 0;
  const handlers = {
    open(socket: Bun.Socket<undefined>) {
      accepted++;
      socket.write("+OK\r\n");
    },
    data() {},
  };
  return { handlers, count: () => accepted };
}

function targets(): [name: string, listen: string, address: RawClientAddress][] {
  const port = freePort();
  const path = join(temporaryFolder("pausable"), "n.sock");
  return [
    ["TCP", `127.0.0.1:${port}`, { port }],
    ["a unix socket", `${path} 0660`, { unix: path }],
  ];
}

type RawClientAddress = { readonly port: number } | { readonly unix: string };

test.each(targets())(
  "%s: who comes in a pause is accepted after it",
  async (_, listen, address) => {
    const { handlers, count } = greeter();
    const before = openDescriptors();
    const listener = await PausableListener.open(configOf(listen), handlers, null);
    expect(openDescriptors()).toBeLessThanOrEqual(before + 1);
    const clients: RawClient[] = [];
    for (let round = 1; round <= 3; round++) {
      expect(listener.pause()).toBe(true);
      expect(listener.pause()).toBe(true);
      expect(openDescriptors()).toBeLessThanOrEqual(before + 1 + 2 * clients.length);
      const waiting: RawClient[] = [];
      for (let i = 0; i < CLIENTS; i++) waiting.push(await RawClient.connect(address));
      expect(count()).toBe((round - 1) * CLIENTS);
      listener.resume();
      listener.resume();
      for (const client of waiting) expect(await client.readReply()).toBe("+OK\r\n");
      clients.push(...waiting);
    }
    listener.stop();
    expect("unix" in address && existsSync(address.unix)).toBe(false);
    for (const client of clients) client.close();
    await eventually(() => openDescriptors() <= before);
  },
);

test("a pause ends the accepting at once, even in the middle of a batch", async () => {
  const port = freePort();
  let accepted = 0;
  const open = () => {
    accepted++;
    listener.pause();
  };
  const config = configOf(`127.0.0.1:${port}`);
  const listener = await PausableListener.open(config, { open, data() {} }, null);
  listener.pause();
  const clients: RawClient[] = [];
  for (let i = 0; i < 10; i++) clients.push(await RawClient.connect(port));
  for (let i = 1; i <= 10; i++) {
    listener.resume();
    await eventually(() => accepted === i);
  }
  listener.stop();
  for (const client of clients) client.close();
});

test("the mode of a unix socket stays, and nothing is left beside it", async () => {
  const path = join(temporaryFolder("pausable"), "n.sock");
  const listener = await PausableListener.open(configOf(`${path} 0640`), { data() {} }, null);
  listener.pause();
  listener.resume();
  expect(lstatSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(dirname(path))).toEqual(["n.sock"]);
  listener.stop();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test("the longest path that a unix socket can have", async () => {
  const folder = temporaryFolder("pausable");
  const path = join(folder, "n".repeat(107 - folder.length - 1));
  const { handlers } = greeter();
  const listener = await PausableListener.open(configOf(path), handlers, null);
  expect(listener.pause()).toBe(true);
  const client = await RawClient.connect({ unix: path });
  listener.resume();
  expect(await client.readReply()).toBe("+OK\r\n");
  listener.stop();
  expect(readdirSync(folder)).toEqual([]);
  client.close();
});

test("stopped in a pause: nobody can connect", async () => {
  const path = join(temporaryFolder("pausable"), "n.sock");
  const before = openDescriptors();
  const listener = await PausableListener.open(configOf(path), { data() {} }, null);
  listener.pause();
  listener.stop();
  listener.resume();
  expect(existsSync(path)).toBe(false);
  expect(openDescriptors()).toBeLessThanOrEqual(before);
});

test("what another has put at the path is left alone", async () => {
  const path = join(temporaryFolder("pausable"), "n.sock");
  const listener = await PausableListener.open(configOf(path), { data() {} }, null);
  unlinkSync(path);
  writeFileSync(path, "precious");
  listener.stop();
  expect(existsSync(path)).toBe(true);
});

test.skipIf(!hasSs)(`backlog is the same after a pause${SS_ABSENT}`, async () => {
  const port = freePort();
  const config = configOf(`127.0.0.1:${port}`, { backlog: 77 });
  const backlog = () => {
    const { stdout } = Bun.spawnSync(["ss", "-Hltn", `sport = :${port}`]);
    return Number(stdout.toString().trim().split(/\s+/)[2]);
  };
  const listener = await PausableListener.open(config, { data() {} }, null);
  expect(backlog()).toBe(77);
  listener.pause();
  expect(backlog()).toBe(77);
  listener.resume();
  expect(backlog()).toBe(77);
  listener.stop();
});
