/**
 * The log on stderr, whatever stderr is: the program never waits for a reader and never fails.
 */
import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { within } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = [process.execPath, join(import.meta.dir, "log-to-stderr.ts")];
const DEADLINE_MS = 10_000;

async function statusWith(stderr: number | "pipe", lines = 5000): Promise<number> {
  const child = Bun.spawn([...PROGRAM, String(lines)], {
    cwd: temporaryFolder("log"),
    stdio: ["ignore", "ignore", stderr],
  });
  try {
    return await within(child.exited, DEADLINE_MS, "the end of a program that nobody reads");
  } finally {
    child.kill("SIGKILL");
  }
}

test("a socket that nobody reads", async () => {
  expect(await statusWith("pipe")).toBe(7);
});

test("a pipe that nobody reads; its blocking mode is left alone", async () => {
  const fifo = join(temporaryFolder("log"), "fifo");
  expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
  const descriptor = openSync(fifo, constants.O_RDWR);
  expect(await statusWith(descriptor)).toBe(7);
  const flags = readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8").match(
    /flags:\s+(\d+)/,
  )?.[1];
  expect(Number.parseInt(flags ?? "", 8) & constants.O_NONBLOCK).toBe(0);
  closeSync(descriptor);
});

test("a full disk", async () => {
  expect(await statusWith(openSync("/dev/full", "w"))).toBe(7);
});

test("a closed stderr", async () => {
  const child = Bun.spawn(["sh", "-c", '"$@" 2>&-', "sh", ...PROGRAM], {
    cwd: temporaryFolder("log"),
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(await within(child.exited, DEADLINE_MS, "the end")).toBe(7);
});

test("a pipe whose reader has left", () => {
  const status = join(temporaryFolder("log"), "status");
  const script = '{ "$@" 2>&1 >/dev/null; echo $? >"$0"; } | true';
  Bun.spawnSync(["sh", "-c", script, status, ...PROGRAM]);
  expect(readFileSync(status, "utf8")).toBe("7\n");
});

test("a file keeps what was in it and what others write between our lines", async () => {
  const file = join(temporaryFolder("log"), "stderr.txt");
  writeFileSync(file, "before\n");
  const child = Bun.spawnSync(["sh", "-c", '"$@" 2 2>>"$0"; echo after >>"$0"', file, ...PROGRAM]);
  expect(child.exitCode).toBe(0);
  const words = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.split(" ").at(-1));
  const filler = "x".repeat(220);
  expect(words).toEqual(["before", filler, filler, "log", "last", "after", ""]);
});

test("a file that was opened without append", async () => {
  const file = join(temporaryFolder("log"), "stderr.txt");
  const script = '{ echo before >&2; "$@" 2; echo after >&2; } 2>"$0"';
  Bun.spawnSync(["sh", "-c", script, file, ...PROGRAM]);
  const words = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.split(" ").at(-1));
  const filler = "x".repeat(220);
  expect(words).toEqual(["before", filler, filler, "log", "last", "after", ""]);
});
