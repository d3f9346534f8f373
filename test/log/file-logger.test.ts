/**
 * Lines of the log: format, levels, length, and a file that is taken away.
 */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FileLogger, formatLocalTime } from "../../src/log/file-logger.ts";
import { LOG_LEVEL_MAX } from "../../src/log/log-level.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function open(level: number) {
  const path = join(temporaryFolder("log"), "nutcracker.log");
  const log = FileLogger.open(path, level);
  return { log, path, lines: () => readFileSync(path, "utf8").split("\n").slice(0, -1) };
}

test("a line is time, place and text", () => {
  const { log, lines } = open(5);
  log.always("worker.ts:2", "run, rabbit run");
  expect(lines()).toHaveLength(1);
  expect(lines()[0]).toMatch(
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] worker\.ts:2 run, rabbit run$/,
  );
});

test("the time is local", () => {
  const script = `
    import { formatLocalTime } from "${join(import.meta.dir, "../../src/log/file-logger.ts")}";
    console.log(formatLocalTime(1735689599007));`;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script], {
    env: { ...process.env, TZ: "Asia/Kolkata" },
  });
  expect(stdout.toString()).toBe("2025-01-01 05:29:59.007\n");
});

test("every number of the time has its full width", () => {
  const time = new Date(2026, 1, 3, 4, 5, 6, 7).getTime();
  expect(formatLocalTime(time)).toBe("2026-02-03 04:05:06.007");
});

test("each level shows what nutcracker shows at it", () => {
  const shownAt = (level: number) => {
    const { log, lines } = open(level);
    log.always("a:1", "always");
    log.error("a:2", "error");
    log.warn("a:3", "warn");
    log.notice("a:4", "notice");
    log.info("a:5", "info");
    log.debug("a:6", "debug");
    return lines().map((line) => line.split(" ").at(-1));
  };
  const all = ["always", "error", "warn", "notice", "info", "debug"];
  const counts = [1, 2, 2, 2, 3, 4, 5, 6, 6, 6, 6, 6];
  counts.forEach((count, level) =>
    expect([level, shownAt(level)]).toEqual([level, all.slice(0, count)]),
  );
});

test("a line has at most 256 bytes with its line feed", () => {
  const { log, path } = open(5);
  for (let length = 190; length < 260; length++) log.always("x.ts:1", "k".repeat(length));
  const lines = readFileSync(path, "latin1").split("\n").slice(0, -1);
  const prefix = "[2026-02-03 04:05:06.007] x.ts:1 ".length;
  expect(lines.map((line) => line.length)).toEqual(
    Array.from({ length: 70 }, (_, index) => Math.min(prefix + 190 + index, 255)),
  );
});

test("a cut line does not end inside a character", () => {
  const { log, path } = open(5);
  for (const shift of ["", "x", "xx", "xxx"]) log.always("x.ts:1", shift + "\u{1f600}".repeat(100));
  const lines = readFileSync(path).toString("latin1").split("\n").slice(0, -1);
  expect(lines).toHaveLength(4);
  for (const line of lines) {
    expect(line.length).toBeLessThanOrEqual(255);
    expect(line.length).toBeGreaterThan(251);
    new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(line, "latin1"));
  }
});

test("a text cannot begin a line of its own", () => {
  const { log, lines } = open(5);
  log.error("x.ts:1", "pool 'a\n[2026-01-01 00:00:00.000] x.ts:2 \0\x1b[31m' is missing\r\n");
  expect(lines()).toHaveLength(1);
  expect(lines()[0]).toEndWith("\\x00\\x1b[31m' is missing\\x0d\\x0a");
});

test("the level goes up and down between 0 and 11, and says so only when it moves", () => {
  const { log, lines } = open(10);
  const dots = "[.......................]";
  log.raiseLevel();
  log.raiseLevel();
  expect(log.level).toBe(LOG_LEVEL_MAX);
  expect(lines()).toEqual([`${dots} up log level to 11`]);
  for (let step = 0; step < 15; step++) log.lowerLevel();
  expect(log.level).toBe(0);
  expect(lines()).toHaveLength(12);
  expect(lines().at(-1)).toBe(`${dots} down log level to 0`);
});

test("a level above 11 counts as 11", () => {
  expect(open(2_147_483_647).log.level).toBe(11);
});

test("the file is appended to and has mode 0644", () => {
  const path = join(temporaryFolder("log"), "nutcracker.log");
  const umask = process.umask(0);
  try {
    FileLogger.open(path, 5).always("a:1", "first");
  } finally {
    process.umask(umask);
  }
  FileLogger.open(path, 5).always("a:1", "second");
  expect(readFileSync(path, "utf8")).toMatch(/ first\n.* second\n$/);
  expect(statSync(path).mode & 0o777).toBe(0o644);
});

test("after reopen() lines go to a new file of the same name", () => {
  const { log, path, lines } = open(5);
  log.always("a:1", "old");
  renameSync(path, `${path}.1`);
  log.always("a:1", "still old");
  expect(existsSync(path)).toBe(false);
  log.reopen();
  log.always("a:1", "new");
  expect(readFileSync(`${path}.1`, "utf8").split("\n")).toHaveLength(3);
  expect(lines()).toHaveLength(1);
});

test("when the file cannot be opened again, lines go on to the old one", () => {
  const { log, path } = open(5);
  renameSync(path, `${path}.1`);
  mkdirSync(path);
  expect(() => log.reopen()).toThrow(
    `reopening log file '${path}' failed, ignored: Is a directory`,
  );
  log.always("a:1", "not lost");
  expect(readFileSync(`${path}.1`, "utf8")).toEndWith(" not lost\n");
});

test("a file that cannot be opened is refused in nutcracker's words", () => {
  const folder = temporaryFolder("log");
  writeFileSync(join(folder, "file"), "");
  const refusal = (path: string) => () => FileLogger.open(path, 5);
  expect(refusal("/nonexistent/x.log")).toThrow(
    "opening log file '/nonexistent/x.log' failed: No such file or directory",
  );
  expect(refusal(join(folder, "file/x"))).toThrow("failed: Not a directory");
  expect(refusal(folder)).toThrow("failed: Is a directory");
  expect(refusal("x".repeat(300))).toThrow("failed: File name too long");
});

test("a full disk is not noticed", () => {
  const log = FileLogger.open("/dev/full", 5);
  for (let line = 0; line < 100; line++) log.always("a:1", "lost");
  log.close();
});
