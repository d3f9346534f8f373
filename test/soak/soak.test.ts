/**
 * A soak of a few seconds; and that each of its checks can fail.
 */
import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { nowMs } from "../../src/lib/clock.ts";
import { ChildProcess } from "../support/child-process.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { ScriptedServer } from "../support/scripted-server.ts";
import type { Script } from "../support/scripted-server.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { Conversation } from "./conversation.ts";
import type { SoakContext } from "./conversation.ts";
import { ALL_KEYS, valueOf } from "./dialect.ts";
import { FaultDiary } from "./fault-diary.ts";
import { memcachedDialect } from "./memcached-dialect.ts";
import { redisDialect } from "./redis-dialect.ts";
import { growthTrouble, restTrouble } from "./report.ts";
import { readSettings } from "./settings.ts";
import { Tally } from "./tally.ts";

const KEY = "p1";
const RIGHT = `$${valueOf(KEY).length}\r\n${valueOf(KEY)}\r\n`;
const REFUSED = "-ERR Connection refused\r\n";

function soak(...args: string[]): ChildProcess {
  const isBuilt = (process.env["NUTCRACKER_BINARY"] ?? "") !== "";
  const command = [process.execPath, join(import.meta.dir, "soak.ts"), ...args];
  const folder = temporaryFolder("soak-run");
  return new ChildProcess({
    command: isBuilt ? command : [...command, "--source"],
    folder,
    environment: { TMPDIR: folder },
  });
}

test("five seconds with faults: every reply is right or an error of a faulty server", async () => {
  const run = soak("--seconds", "5", "--clients", "8");
  const status = await run.ended(50_000);
  if (status !== 0) throw new Error(`the soak ended with ${status}:\n${run.stdout}${run.stderr}`);
  expect(run.stdout).toMatch(/^soak: fine: \d+ replies checked/m);
}, 60_000);

/** Working directories of the processes that a soak has started. */
function workingFolders({ folder }: ChildProcess): string[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      const found = /^\d+$/.test(entry) ? readlinkSync(`/proc/${entry}/cwd`) : "";
      return found.startsWith(`${folder}/`) ? [found] : [];
    } catch {
      return [];
    }
  });
}

test("an interruption ends it with the summary, and no child survives", async () => {
  const run = soak("--minutes", "5", "--clients", "4");
  await eventually(() => run.stdout.includes("soak: started"), { deadlineMs: 20_000 });
  expect(workingFolders(run)).toContainEqual(expect.stringMatching(/redis-server-\d+$/));
  run.signal("SIGINT");
  const status = await run.ended(30_000);
  if (status !== 0) throw new Error(`the soak ended with ${status}:\n${run.stdout}${run.stderr}`);
  expect(run.stdout).toMatch(/^ {2}time .*interrupted$/m);
  await eventually(() => workingFolders(run).length === 0);
}, 60_000);

interface Seen {
  readonly tally: Tally;
  readonly isFine: boolean;
}

/** For a reply that does come, on a busy machine too; and for one that never does. */
const PATIENT_MS = 10_000;
const SHORT_MS = 200;

function contextOf(
  port: number,
  diary = new FaultDiary(),
  deadlineMs: number = PATIENT_MS,
): SoakContext {
  return {
    pool: {
      name: "scripted",
      dialect: redisDialect,
      address: { port },
      weight: 1,
      graceMs: 1000,
      ejectedMs: 0,
      homes: new Map(ALL_KEYS.map((key) => [key, key === KEY ? "s1" : "s2"])),
      largeKeys: [],
    },
    random: new SeededRandom(1),
    diary,
    tally: new Tally(),
    deadlineMs,
  };
}

/** What a client counts that asks for KEY on a server which answers by a script. */
async function seenWith(script: Script, diary?: FaultDiary, deadlineMs?: number): Promise<Seen> {
  using server = ScriptedServer.start(script);
  const context = contextOf(server.port, diary, deadlineMs);
  const conversation = await Conversation.open(context, "client");
  const isFine = (await conversation?.exchange([redisDialect.get(KEY)])) ?? false;
  conversation?.client.close();
  return { tally: context.tally, isFine };
}

const NONE_WRONG = { stray: 0, mismatch: 0, lost: 0 };

test("a right reply is counted as one", async () => {
  const { tally, isFine } = await seenWith((peer) => peer.write(RIGHT));
  expect([isFine, tally.requests, tally.values, tally.errors]).toEqual([true, 1, 1, 0]);
  expect(tally.wrongs).toEqual(NONE_WRONG);
});

for (const [what, reply] of [
  ["the value of another key", `$${valueOf("p2").length}\r\n${valueOf("p2")}\r\n`],
  ["a reply of another kind", "+OK\r\n"],
  ["an error that has nothing to do with servers", "-ERR wrong number of arguments\r\n"],
  ["what is no reply", "nothing\r\n"],
] as const) {
  test(`${what} is a mismatch`, async () => {
    const { tally } = await seenWith((peer) => peer.write(reply));
    expect(tally.wrongs).toEqual({ ...NONE_WRONG, mismatch: 1 });
  });
}

test("an error of a server without a fault is stray, and one of a faulty server is not", async () => {
  const script: Script = (peer) => peer.write(REFUSED);
  expect((await seenWith(script)).tally.wrongs).toEqual({ ...NONE_WRONG, stray: 1 });
  const other = new FaultDiary();
  other.begin("s2", "kill -9");
  expect((await seenWith(script, other)).tally.wrongs).toEqual({ ...NONE_WRONG, stray: 1 });
  const own = new FaultDiary();
  own.begin("s1", "kill -9");
  const { tally } = await seenWith(script, own);
  expect(tally.wrongs).toEqual(NONE_WRONG);
  expect([...tally.errorsByReason]).toEqual([["Connection refused", 1]]);
});

test("a reply that does not come, or not whole, is lost", async () => {
  for (const [script, deadlineMs] of [
    [() => {}, SHORT_MS],
    [(peer) => peer.finish(), PATIENT_MS],
    [
      (peer) => {
        peer.write(RIGHT.slice(0, 6));
        peer.finish();
      },
      PATIENT_MS,
    ],
  ] as [Script, number][]) {
    const { tally, isFine } = await seenWith(script, undefined, deadlineMs);
    expect([isFine, tally.wrongs]).toEqual([false, { ...NONE_WRONG, lost: 1 }]);
  }
});

test("a connection that nobody accepts is lost", async () => {
  const context = contextOf(freePort());
  expect(await Conversation.open(context, "client")).toBeNull();
  expect(context.tally.wrongs).toEqual({ ...NONE_WRONG, lost: 1 });
});

test("a fault counts from its beginning until its grace is over", () => {
  const diary = new FaultDiary();
  const end = diary.begin("s1", "freeze");
  const now = nowMs();
  expect(diary.current).toEqual(["s1"]);
  expect(diary.wasFaulty(["s2", "s1"], now, now + 1, 0)).toBe(true);
  expect(diary.wasFaulty(["s2"], now, now + 1, 0)).toBe(false);
  expect(diary.wasFaulty(["s1"], now - 20_000, now - 10_000, 0)).toBe(false);
  end();
  const ended = nowMs();
  expect(diary.current).toEqual([]);
  expect(diary.wasFaulty(["s1"], ended + 50_000, ended + 60_000, 60_000)).toBe(true);
  expect(diary.wasFaulty(["s1"], ended + 50_000, ended + 60_000, 40_000)).toBe(false);
});

test("memcached: each request takes its own reply and no other", () => {
  const random = new SeededRandom(5);
  const requests = Array.from({ length: 400 }, () => memcachedDialect.random(random));
  const value = (key: string) => `VALUE ${key} 2 ${valueOf(key).length}\r\n${valueOf(key)}\r\n`;
  const get = memcachedDialect.get("p2");
  expect(get.isRight(`${value("p2")}END\r\n`)).toBe(true);
  expect(get.isRight("END\r\n")).toBe(true);
  expect(get.isRight(`${value("p2")}${value("p2")}END\r\n`)).toBe(false);
  expect(get.isRight(`${value("p2").replaceAll("p2", "p3")}END\r\n`)).toBe(false);
  expect(get.isRight(`${value("p2").replace(" 2 ", " 3 ")}END\r\n`)).toBe(false);
  expect(get.isRight(`${value("p2")}END\r\nEND\r\n`)).toBe(false);
  for (const request of requests) expect(request.isRight("OK\r\n")).toBe(false);
});

test("memory that grows is told, if the run is long enough", () => {
  const grown = { firstMb: 100, lastMb: 150, mostMb: 400 };
  expect(growthTrouble(grown, 600_000)).toContain("grew from 100 to 150 MB");
  expect(growthTrouble(grown, 30_000)).toBeNull();
  expect(growthTrouble({ ...grown, lastMb: 139 }, 600_000)).toBeNull();
  expect(restTrouble(50, 91, 600_000)).toContain("at rest is 91 MB, and was 50 MB");
  expect(restTrouble(50, 90, 600_000)).toBeNull();
  expect(restTrouble(50, 91, 30_000)).toBeNull();
});

test("the command line", () => {
  expect(readSettings(["--minutes", "3", "--seed", "7"])).toMatchObject({
    runMs: 180_000,
    seed: 7,
    workers: 1,
  });
  expect(readSettings(["--seconds", "5"])).toMatchObject({ runMs: 5000 });
  expect(readSettings(["--help"])).toBeNull();
  expect(() => readSettings(["--minutes", "many"])).toThrow("--minutes is a number");
  expect(() => readSettings(["--hours", "1"])).toThrow();
});
