/**
 * The pid file: what is in it, and when it is removed.
 */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FileLogger } from "../../src/log/file-logger.ts";
import { PidFile } from "../../src/process/pid-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function setUp() {
  const folder = temporaryFolder("pid-file");
  const logFile = join(folder, "log");
  const log = FileLogger.open(logFile, 5);
  return { path: join(folder, "pid"), log, logText: () => readFileSync(logFile, "utf8") };
}

test("it holds the decimal pid without a line feed and has mode 0644", () => {
  const { path, log } = setUp();
  const umask = process.umask(0);
  try {
    PidFile.create(path, log);
  } finally {
    process.umask(umask);
  }
  expect(readFileSync(path, "latin1")).toBe(String(process.pid));
  expect(statSync(path).mode & 0o777).toBe(0o644);
});

test("what was in the file is replaced", () => {
  const { path, log } = setUp();
  writeFileSync(path, "4294967296 and more");
  PidFile.create(path, log).remove();
  expect(existsSync(path)).toBe(false);
});

test("the file of another process stays", () => {
  const { path, log, logText } = setUp();
  const pidFile = PidFile.create(path, log);
  writeFileSync(path, String(process.pid + 1));
  pidFile.remove();
  expect(readFileSync(path, "latin1")).toBe(String(process.pid + 1));
  expect(logText()).toContain(`pid file '${path}' is of another process, kept`);
});

test("a file that is gone already is logged and otherwise ignored", () => {
  const { path, log, logText } = setUp();
  const pidFile = PidFile.create(path, log);
  unlinkSync(path);
  pidFile.remove();
  const text = `unlink of pid file '${path}' failed, ignored: No such file or directory\n`;
  expect(logText()).toEndWith(text);
});

test("a file that cannot be made is refused in nutcracker's words", () => {
  const { path, log } = setUp();
  const refusal = (file: string, text: string) =>
    expect(() => PidFile.create(file, log)).toThrow(expect.objectContaining({ message: text }));
  refusal("/nonexistent/x", "opening pid file '/nonexistent/x' failed: No such file or directory");
  refusal("", "opening pid file '' failed: No such file or directory");
  refusal("/dev/full", "write to pid file '/dev/full' failed: No space left on device");
  mkdirSync(path);
  refusal(path, `opening pid file '${path}' failed: Is a directory`);
});
