/** Addresses that cannot be listened on: status 1, a line that says which and why, nothing left. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ChildProcess } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { ourProgram } from "../support/run-proxy.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const FIRST_FREE_PORT = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
const PRIVILEGED_PORT = 81;
const canDrop = Bun.which("setpriv") !== null && process.getuid?.() === 0;
const hasPrivileges =
  existsSync(FIRST_FREE_PORT) && Number(readFileSync(FIRST_FREE_PORT)) > PRIVILEGED_PORT;
const NOT_ROOT = canDrop ? "" : " (skipped: only root with setpriv can give up a power)";
const UNPRIVILEGED = hasPrivileges ? NOT_ROOT : " (skipped: anybody may listen on low ports here)";

/** Root's own powers, but for one. */
function without(capability: string): string[] {
  return ["setpriv", `--bounding-set=-${capability}`, `--inh-caps=-${capability}`];
}

/** Starts with one pool that listens there; returns the log. */
async function failedStart(listen: string, prefix: readonly string[] = []): Promise<string> {
  const folder = temporaryFolder("listen");
  writeFileSync(
    join(folder, "n.yml"),
    `alpha:\n  listen: "${listen}"\n  redis: true\n  servers:\n    - 127.0.0.1:1:1\n`,
  );
  const words = ["-c", "n.yml", "-s", `${freePort()}`, "-a", "127.0.0.1", "-o", "n.log"];
  for (const workers of ["1", "2"]) {
    const command = [...prefix, ...ourProgram(), ...words, "-w", workers];
    const child = new ChildProcess({ command, folder });
    expect(await child.ended()).toBe(1);
  }
  return readFileSync(join(folder, "n.log"), "utf8");
}

/** The reason, from each of the two starts. */
function expectReason(log: string, listen: string, reason: string): void {
  const lines = log.split("\n").filter((line) => line.includes("worker.ts:5"));
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    expect(line.replace(/ on p \d+ /, " ")).toEndWith(`bind to addr '${listen}' failed: ${reason}`);
  }
}

test("an address of another machine", async () => {
  const listen = `192.0.2.1:${freePort()}`;
  expectReason(await failedStart(listen), listen, "Cannot assign requested address");
});

test("a unix socket in a folder that is not there", async () => {
  const listen = join(temporaryFolder("listen"), "missing/n.sock");
  expectReason(await failedStart(listen), listen, "No such file or directory");
});

test("a folder at the path", async () => {
  const listen = temporaryFolder("listen");
  const reason = "Address already in use (something that is no socket lies there)";
  expectReason(await failedStart(listen), listen, reason);
});

test("a path below a file", async () => {
  const file = join(temporaryFolder("listen"), "file");
  writeFileSync(file, "precious");
  expectReason(await failedStart(`${file}/n.sock`), `${file}/n.sock`, "Not a directory");
});

test("a path that is too long is a mistake in the configuration", async () => {
  const listen = `/tmp/${"x".repeat(103)}`;
  const text = `listen: found "${listen}", allowed: the path of a unix socket of at most 107 bytes`;
  expect((await failedStart(listen)).replace(/\n\[[^\]]*\] worker\.ts:4 +/g, " ")).toContain(text);
});

test("the longest path that can be is none", async () => {
  const folder = temporaryFolder("listen");
  const path = join(folder, "x".repeat(107 - folder.length - 1));
  writeFileSync(path, "precious");
  expect(await failedStart(path)).toContain("something that is no socket lies there");
});

test.skipIf(!canDrop)(`a folder in which we may not write${NOT_ROOT}`, async () => {
  const folder = join(temporaryFolder("listen"), "closed");
  mkdirSync(folder);
  chmodSync(folder, 0o555);
  const listen = join(folder, "n.sock");
  const log = await failedStart(listen, without("dac_override"));
  expectReason(log, listen, "Permission denied");
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(!canDrop || !hasPrivileges)(`a port that needs privileges${UNPRIVILEGED}`, async () => {
  const listen = `127.0.0.1:${PRIVILEGED_PORT}`;
  const log = await failedStart(listen, without("net_bind_service"));
  expectReason(log, listen, "Permission denied");
});
