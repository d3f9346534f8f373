/**
 * The program as a script calls it: what it prints where, and its exit status.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { ourProgram, type ProxyProgram } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const GOOD = "alpha:\n  listen: 127.0.0.1:22121\n  redis: true\n  servers:\n    - 127.0.0.1:1:1\n";
const BAD = "alpha:\n  hash: sha1\n  listen: nowhere\n  servers:\n    - 127.0.0.1:1\n";

function run(words: readonly string[], program: ProxyProgram = ourProgram()) {
  const folder = temporaryFolder("cli");
  writeFileSync(join(folder, "good.yml"), GOOD);
  writeFileSync(join(folder, "bad.yml"), BAD);
  writeFileSync(join(folder, "name.yml"), GOOD.replace("127.0.0.1:22121", "no.host.invalid:1"));
  const result = Bun.spawnSync([...program, ...words], { cwd: folder, stdin: "ignore" });
  const [stdout, stderr] = [result.stdout.toString(), result.stderr.toString()];
  return { status: result.exitCode, stdout, stderr };
}

const SAME = ["-V", "-t -c good.yml", "-tdv 99 -c good.yml", "-c good.yml --test extra"];

test.skipIf(nutcracker === null).each(SAME)(
  `%s is answered as by nutcracker${ORACLE_ABSENT}`,
  (line) => {
    expect(run(line.split(" "))).toEqual(run(line.split(" "), nutcracker ?? []));
  },
);

test.skipIf(nutcracker === null)(`-D says what nutcracker says, and more${ORACLE_ABSENT}`, () => {
  const [ours, theirs] = [run(["-D"]), run(["-D"], nutcracker ?? [])];
  const lines = ours.stderr.split("\n").filter((line) => !/^ +server_state +"/.test(line));
  expect(lines.length).toBe(ours.stderr.split("\n").length - 1);
  expect({ ...ours, stderr: lines.join("\n") }).toEqual(theirs);
});

test.skipIf(nutcracker === null).each(["bad.yml", "none.yml", "name.yml"])(
  `-t with %s: nutcracker's first line and status, then every reason${ORACLE_ABSENT}`,
  (file) => {
    const ours = run(["-t", "-c", file]);
    const theirs = run(["-t", "-c", file], nutcracker ?? []);
    const [first, ...reasons] = ours.stderr.trimEnd().split("\n");
    expect(first).toBe(theirs.stderr.split("\n")[0] ?? "");
    expect([ours.status, ours.stdout]).toEqual([theirs.status, theirs.stdout]);
    expect(reasons.length).toBe(file === "bad.yml" ? 3 : 1);
    for (const reason of reasons) expect(reason).toMatch(/^\w+\.yml.*: found .*, allowed: ./);
  },
);

test("a bad option: its text and the usage on stderr, status 1", () => {
  const { status, stdout, stderr } = run(["-s", "70000", "-V"]);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toStartWith("nutcracker: option -s value 70000 is not a valid port\nUsage: ");
  expect(stderr).toEndWith("worker processes, or auto (default: 1)\r\n\n");
});

test("a log that cannot be opened: one line on stderr, status 1", () => {
  expect(run(["-c", "good.yml", "-o", "/nonexistent/x"])).toEqual({
    status: 1,
    stdout: "",
    stderr: "opening log file '/nonexistent/x' failed: No such file or directory\n",
  });
});

test("without -c the configuration is conf/nutcracker.yml in the working folder", () => {
  expect(run(["-t"]).stderr).toStartWith(
    "nutcracker: configuration file 'conf/nutcracker.yml' syntax is invalid\n",
  );
});
