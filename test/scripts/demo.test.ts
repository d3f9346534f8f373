/**
 * The demo as a user runs it: what it shows, what it says when something is wrong, and that it
 * leaves nothing behind, however it ends.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "../support/child-process.ts";
import { eventually } from "../support/eventually.ts";
import { ourProgram } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROJECT = join(import.meta.dir, "../..");
const DEADLINE_MS = 30_000;

/** Makes an executable that runs our proxy, after the given line of shell. */
function proxyAfter(shell: string): string {
  const path = join(temporaryFolder("proxy"), "nutcracker");
  const program = ourProgram().map((word) => `'${word}'`);
  writeFileSync(path, `#!/bin/sh\n${shell}\nexec ${program.join(" ")} "$@"\n`, { mode: 0o755 });
  return path;
}

/** Starts the demo with a folder for temporary files that is its own. */
function startDemo(args: string[], binary: string = proxyAfter(":")) {
  const folder = temporaryFolder("demo");
  const temporary = join(folder, "tmp");
  const child = new ChildProcess({
    command: ["sh", "-c", `mkdir tmp; exec node ${PROJECT}/scripts/demo.mjs "$@"`, "sh", ...args],
    folder,
    environment: { TMPDIR: temporary, NUTCRACKER_BINARY: binary },
  });
  return { child, temporary };
}

/** The processes whose working directory lies in a folder. */
function processesIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readlinkSync(`/proc/${name}/cwd`).startsWith(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** What a server says to the output of a command, until it closes the connection. */
async function answerTo(command: string, port: number): Promise<string> {
  const input = Bun.spawnSync(["sh", "-c", command]).stdout;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let answer = "";
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(input),
      data: (_socket, bytes) => void (answer += bytes.toString()),
      close: () => resolve(),
      error: (_socket, error) => reject(error),
    },
  });
  await promise;
  return answer;
}

function expectNothingLeft(temporary: string): void {
  expect(processesIn(temporary)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
}

describe("npm run demo", () => {
  test(
    "-- --once shows everything, ends with 0 and leaves nothing",
    async () => {
      const { child, temporary } = startDemo(["--once"]);
      expect(await child.ended(DEADLINE_MS)).toBe(0);
      const text = child.stdout;
      expect(text.match(/^ *\d+ .*$/gm)?.map((line) => line.replace(/^ *\d+ /, ""))).toEqual([
        "30,000 keys, written and read back",
        "How they spread over the servers",
        "Where user:1000 lives",
        "One command, several servers",
        "redis-a stops",
        "redis-a comes back",
        "memcached, through the same nutcracker",
        "What nutcracker counted",
      ]);
      expect(text).toContain("30,000 of 30,000");
      expect(text).toContain("MGET of the 6 keys       → Paris Accra Tokyo Nairobi Oslo Lima");
      expect(text).toContain("-ERR Connection refused");
      expect(text).toContain("10,000 of 10,000");
      expect(text).toMatch(/nutcracker +mg page:1000 s v  VA \d+ s\d+ value-/);
      expect(text).toMatch(/server_ejects +0 → 1/);
      expect(text).toMatch(/\n +cache +cache-a +cache-b\n/);
      expect(text).toMatch(/Counted: 10,\d{3} requests to memcached, no error\./);
      expect(text).not.toContain("✗");
      expect(text).not.toContain("\x1b");
      expect(child.stderr).toBe("");
      for (const line of text.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
      expectNothingLeft(temporary);
    },
    DEADLINE_MS,
  );

  test(
    "stays up, and Ctrl-C leaves nothing",
    async () => {
      const { child, temporary } = startDemo([]);
      await eventually(() => child.stdout.includes("Ctrl-C"), { deadlineMs: DEADLINE_MS });
      expect(child.stdout).toMatch(/redis-cli -p \d+/);
      expect(processesIn(temporary)).toHaveLength(6);
      const [, command = ""] = /^ +(printf .+) \| nc /m.exec(child.stdout) ?? [];
      const port = Number(/nc 127\.0\.0\.1 (\d+)$/m.exec(child.stdout)?.[1]);
      expect(await answerTo(command, port)).toMatch(
        /^VALUE page:1000 0 \d+\r\nvalue-\w+\r\nEND\r\n$/,
      );
      child.signal("SIGINT");
      expect(await child.ended()).toBe(0);
      expectNothingLeft(temporary);
    },
    DEADLINE_MS,
  );

  for (const [signal, status, moment] of [
    ["SIGINT", 130, "clients ──"],
    ["SIGTERM", 143, "written and read back"],
    ["SIGHUP", 129, "stops"],
  ] as const) {
    test(
      `leaves nothing when ${signal} comes in the middle`,
      async () => {
        const { child, temporary } = startDemo([]);
        await eventually(() => child.stdout.includes(moment), { deadlineMs: DEADLINE_MS });
        child.signal(signal);
        expect(await child.ended()).toBe(status);
        expect(child.stdout).not.toContain("✗");
        expectNothingLeft(temporary);
      },
      DEADLINE_MS,
    );
  }

  test(
    "leaves nothing when it is killed",
    async () => {
      const { child, temporary } = startDemo([]);
      await eventually(() => child.stdout.includes("clients ──"), { deadlineMs: DEADLINE_MS });
      const children = `/proc/${child.pid}/task/${child.pid}/children`;
      process.kill(Number(readFileSync(children, "utf8").trim()), "SIGKILL");
      expect(await child.ended()).toBe(137);
      await eventually(() => processesIn(temporary).length === 0);
      expectNothingLeft(temporary);
    },
    DEADLINE_MS,
  );
});

describe("npm run demo, with a proxy that is not as it should be", () => {
  for (const [what, shell, sentence] of [
    ["knows one server only", `sed -i '/redis-[bc]$/d' nutcracker.yml`, "Each server has the keys"],
    ["spreads keys in another way", "sed -i s/ketama/modula/ nutcracker.yml", "Each server has"],
    [
      "takes the cache for Redis",
      `sed -i '/^cache:/a\\  redis: true' nutcracker.yml`,
      "set page:0 answers",
    ],
    ["knows one memcached only", "sed -i /cache-b$/d nutcracker.yml", "cache-a and cache-b have"],
    ["does not start", "echo no such thing; exit 1", "The demo runs to its end."],
  ] as const) {
    test(
      `says so: it ${what}`,
      async () => {
        const { child, temporary } = startDemo(["--once"], proxyAfter(shell));
        expect(await child.ended(DEADLINE_MS)).toBe(1);
        expect(child.stdout).toContain(`✗ ${sentence}`);
        expectNothingLeft(temporary);
      },
      DEADLINE_MS,
    );
  }
});

test("npm run demo refuses options that it does not know", async () => {
  const { child, temporary } = startDemo(["--twice"]);
  expect(await child.ended(DEADLINE_MS)).toBe(2);
  expect(child.stderr).toBe("demo: unknown option --twice; the only one is --once\n");
  expect(existsSync(temporary) ? readdirSync(temporary) : []).toEqual([]);
});
