/**
 * `npm test` itself, with a Bun that only pretends: order, last line, exit status.
 */
import { describe, expect, test } from "bun:test";
import { FakeMachine, GOOD_BUN, type Outcome } from "./fake-machine.ts";

/** All servers are on the machine, and what else is missing cannot be installed. */
function preparedMachine(bun: string = GOOD_BUN): FakeMachine {
  const machine = new FakeMachine();
  machine.command("bun", bun);
  machine.command("redis-server", 'echo "Redis server v=7.0.15"');
  machine.command("memcached", "echo memcached 1.6.18");
  machine.command("nutcracker", 'echo "This is nutcracker-0.5.0" >&2');
  machine.command("apt-get", "exit 100");
  return machine;
}

const run = (machine: FakeMachine, ...args: string[]) =>
  machine.node(["scripts/test.mjs", ...args]);
const lastLine = ({ stdout }: Outcome) => stdout.trimEnd().split("\n").at(-1);
const bunCalls = ({ calls }: Outcome) => calls.filter((line) => line.startsWith("bun "));

describe("npm test", () => {
  test("runs every check and ends with the sum", async () => {
    const outcome = await run(preparedMachine());
    expect(lastLine(outcome)).toBe("8 passed, 0 failed");
    expect(outcome.status).toBe(0);
    expect(bunCalls(outcome).filter((line) => !line.includes("--version"))).toEqual([
      "bun install --frozen-lockfile",
      "bun run build",
      "bun check",
      "bun fmt --check",
      expect.stringMatching(/^bun test .*\.\/test\/tidy\.test\.ts$/),
      expect.stringMatching(/^bun test .*--path-ignore-patterns=test\/tidy\.test\.ts/),
    ]);
  });

  test("hands words on to bun test", async () => {
    const outcome = await run(preparedMachine(), "test/lib", "-t", "queue");
    expect(outcome.status).toBe(0);
    expect(lastLine(outcome)).toBe("5 passed, 0 failed");
    expect(bunCalls(outcome).at(-1)).toMatch(/^bun test .*test\/lib -t queue$/);
  });

  const failing = (what: string, then: string) =>
    `case "$*" in ${what}) ${then} ;; esac\n${GOOD_BUN}`;

  test("counts a type error, shows it, and still runs the tests", async () => {
    const outcome = await run(preparedMachine(failing("check", "echo 'a.ts: wrong type'; exit 1")));
    expect(outcome.status).toBe(1);
    expect(outcome.stdout).toContain("a.ts: wrong type");
    expect(lastLine(outcome)).toBe("7 passed, 1 failed");
  });

  test("counts a file that is not formatted", async () => {
    const outcome = await run(preparedMachine(failing("fmt*", "echo 'b.ts' >&2; exit 1")));
    expect(outcome.status).toBe(1);
    expect(outcome.stdout).toContain("b.ts");
    expect(lastLine(outcome)).toBe("7 passed, 1 failed");
  });

  test("counts failed tests, and shows what they print", async () => {
    const summary =
      "printf '(fail) c\\n 5 pass\\n 1 skip\\n 2 fail\\nRan 8 tests across 1 file. [1ms]\\n' >&2";
    const outcome = await run(preparedMachine(failing("*--path-ignore*", `${summary}; exit 1`)));
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("(fail) c");
    expect(outcome.stdout).toContain("\n(fail) c\n\n1 skipped, ");
    expect(lastLine(outcome)).toBe("10 passed, 2 failed");
  });

  test("counts a run that broke off", async () => {
    const outcome = await run(preparedMachine(failing("*--path-ignore*", "kill -9 $$")));
    expect(outcome.status).toBe(1);
    expect(lastLine(outcome)).toBe("5 passed, 1 failed");
  });

  test("fails where it cannot be prepared", async () => {
    const outcome = await run(
      preparedMachine(failing("install*", "echo 'error: no network'; exit 1")),
    );
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain(
      "test: packages: bun install --frozen-lockfile failed (no network)\n",
    );
    expect(lastLine(outcome)).toBe("0 passed, 1 failed");
  });
});
