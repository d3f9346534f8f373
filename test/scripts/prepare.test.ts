/**
 * The preparation of a machine, with commands that only pretend to install something.
 */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FakeMachine, GOOD_BUN } from "./fake-machine.ts";

/** A command that no machine has, from a package of the same kind. */
const NEEDED = {
  label: "thing",
  command: "thing-server-of-a-test",
  package: "thing",
  without: null,
};
const OPTIONAL = { ...NEEDED, without: "the thing is left out" };

const MAKE_THING = `
  thing="$BIN/${NEEDED.command}"
  printf '#!/bin/sh\\necho 2.3.4\\n' > "$thing"
  chmod +x "$thing"`;
const APT_GET = `[ "$1" = install ] && { ${MAKE_THING}; }; true`;

interface Options {
  readonly packages?: object[];
  readonly build?: boolean;
  readonly userId?: number;
  readonly environment?: Record<string, string>;
}

/** Runs prepare() and prints the path of Bun, or the error as the demo would. */
function prepare(machine: FakeMachine, options: Options = {}) {
  const { packages = [], build = false, userId = 0, environment = {} } = options;
  const script = `
    process.getuid = () => ${userId};
    const { prepare, PrepareError } = await import("./scripts/prepare.mjs");
    try {
      const { bun, env } = prepare(${JSON.stringify({ packages, build })});
      console.log("bun is " + bun + ", path " + env.PATH);
    } catch (error) {
      if (!(error instanceof PrepareError)) throw error;
      console.error("ERROR " + error.message);
      process.exitCode = 1;
    }`;
  return machine.node(["--input-type=module", "--eval", script], environment);
}

describe("a machine where everything is there", () => {
  test("is left as it is", async () => {
    const machine = new FakeMachine();
    machine.command(NEEDED.command, "echo 2.3.4");
    const { status, stdout, calls } = await prepare(machine, { packages: [NEEDED], build: true });
    expect(status).toBe(0);
    expect(stdout).toContain(`bun is ${machine.bin}/bun, path ${machine.bin}:`);
    expect(calls.filter((call) => !call.endsWith("--version"))).toEqual([
      "bun install --frozen-lockfile",
      "bun run build",
    ]);
  });
});

describe("Bun of another version", () => {
  const npm = (shell: string) => {
    const machine = new FakeMachine();
    machine.command("bun", "echo 1.3.9");
    machine.command("npm", `case "$1" in prefix) echo "$BIN/global" ;; install) ${shell} ;; esac`);
    return machine;
  };
  const folderOf = (machine: FakeMachine) =>
    join(machine.project, "node_modules/.tools/node_modules");

  test("stays, and ours goes into the project", async () => {
    const machine = npm(":");
    const tools = folderOf(machine);
    machine.command("bun", GOOD_BUN, join(machine.folder, "new-bun"));
    const link = `mkdir -p "${tools}/.bin"; ln -s "${machine.folder}/new-bun" "${tools}/.bin/bun"`;
    machine.command("npm", `case "$1" in prefix) echo "$BIN/global" ;; install) ${link} ;; esac`);
    const { status, stdout, calls } = await prepare(machine);
    expect(status).toBe(0);
    expect(stdout).toContain(
      `${machine.bin}/bun is 1.3.9; installing 1.4.5 with npm into node_modules`,
    );
    expect(stdout).toContain(`bun is ${tools}/.bin/bun, path ${tools}/.bin:`);
    const install = calls.find((call) => call.startsWith("npm install"));
    expect(install).toMatch(/--prefix \S+\/node_modules\/\.tools --no-save .*bun@1\.4\.5$/);

    const again = await prepare(machine);
    expect(again.calls.filter((call) => call.startsWith("npm install"))).toHaveLength(1);
  });

  test("is finished by us where npm does not run scripts of packages", async () => {
    const machine = npm(":");
    const tools = folderOf(machine);
    machine.command("bun", GOOD_BUN, join(machine.folder, "new-bun"));
    mkdirSync(join(tools, "bun/bin"), { recursive: true });
    mkdirSync(join(tools, ".bin"));
    machine.command("unfinished", "exit 1", join(tools, "bun/bin/bun.exe"));
    const finish = `require("node:fs").copyFileSync("${machine.folder}/new-bun", "bin/bun.exe");`;
    writeFileSync(join(tools, "bun/install.js"), finish);
    machine.command("npm", `[ "$1" = prefix ] || ln -sf ../bun/bin/bun.exe "${tools}/.bin/bun"`);
    const { status, stdout } = await prepare(machine);
    expect(status).toBe(0);
    expect(stdout).toContain(`bun is ${tools}/.bin/bun`);
  });

  test("and no network: one line", async () => {
    const said =
      "npm error code ENOTFOUND\\nnpm error syscall getaddrinfo\\nnpm error network no name\\n";
    const { status, stderr } = await prepare(npm(`printf '${said}' >&2; exit 1`));
    expect(status).toBe(1);
    expect(stderr).toBe(
      "ERROR bun: npm could not install 1.4.5 (ENOTFOUND: network no name); run: npm install --global bun@1.4.5\n",
    );
  });

  test("and one from npm that does not start: one line", async () => {
    const { status, stderr } = await prepare(npm(":"));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERROR bun: npm installed \S+, which does not work: .+\n$/);
  });
});

describe("a missing package", () => {
  const machineWith = (commands: Record<string, string>) => {
    const machine = new FakeMachine();
    const noServices = { systemctl: ":", service: ":" };
    for (const [name, shell] of Object.entries({ ...noServices, ...commands })) {
      machine.command(name, shell);
    }
    return machine;
  };
  const aptCalls = (calls: string[]) => calls.filter((call) => /^(apt-get|sudo) /.test(call));

  test("is installed by root, and its service is stopped", async () => {
    const machine = machineWith({ "apt-get": APT_GET });
    const { status, stdout, calls } = await prepare(machine, { packages: [NEEDED] });
    expect(status).toBe(0);
    expect(stdout).toContain("thing               2.3.4");
    expect(aptCalls(calls).at(-1)).toMatch(/^apt-get install -y .*--no-install-recommends thing$/);
    expect(calls).toContainEqual(
      expect.stringMatching(/^(systemctl disable --now thing|service thing stop)$/),
    );
    const again = await prepare(machine, { packages: [NEEDED] });
    expect(aptCalls(again.calls)).toEqual(aptCalls(calls));
  });

  test("is looked for in fresh lists if need be", async () => {
    const isFresh = `[ -f "$BIN/fresh" ] || exit 100`;
    const install = `install) ${isFresh}; ${MAKE_THING} ;;`;
    const apt = `case "$1" in update) touch "$BIN/fresh" ;; ${install} esac`;
    const { status, calls } = await prepare(machineWith({ "apt-get": apt }), {
      packages: [NEEDED],
    });
    expect(status).toBe(0);
    const verbs = aptCalls(calls).map((call) => call.split(" ")[1]);
    expect(verbs.slice(-2)).toEqual(["update", "install"]);
  });

  test("is installed with sudo, if it does not ask", async () => {
    const sudo = `[ "$1" = -n ] && shift; [ "$1" = true ] || exec "$@"`;
    const machine = machineWith({ "apt-get": APT_GET, sudo });
    const { status, calls } = await prepare(machine, { packages: [NEEDED], userId: 1000 });
    expect(status).toBe(0);
    expect(calls).toContainEqual(expect.stringMatching(/^sudo -n env .* apt-get install /));
  });

  test("is named in one line where only root could install it", async () => {
    const machine = machineWith({ "apt-get": APT_GET, sudo: "exit 1" });
    const options = { packages: [NEEDED], userId: 1000 };
    const { status, stderr, calls } = await prepare(machine, options);
    expect(status).toBe(1);
    expect(stderr).toBe(
      "ERROR thing: it is not installed, and only root may install it; run: sudo apt-get install thing\n",
    );
    expect(aptCalls(calls)).toEqual(["sudo -n true"]);
  });

  test("is named in one line where apt-get fails", async () => {
    const apt = "echo 'Err:1 somewhere'; echo 'E: Unable to fetch some archives' >&2; exit 100";
    const { status, stderr } = await prepare(machineWith({ "apt-get": apt }), {
      packages: [NEEDED],
    });
    expect(status).toBe(1);
    expect(stderr).toBe(
      "ERROR thing: apt-get could not install it (Unable to fetch some archives); run: sudo apt-get install thing\n",
    );
  });

  test("is done without where that is possible", async () => {
    const machine = machineWith({ "apt-get": "echo 'E: no such package' >&2; exit 100" });
    const { status, stdout } = await prepare(machine, { packages: [OPTIONAL] });
    expect(status).toBe(0);
    expect(stdout).toContain(
      "thing               the thing is left out (apt-get could not install it (no such package)",
    );
  });

  test("that brings no command is looked for with a probe", async () => {
    const library = { ...OPTIONAL, command: "sh", more: ["other"] };
    const probe = (file: string) => ({ ...library, probe: ["sh", "-c", `test -e ${file}`] });
    const machine = machineWith({ "apt-get": `[ "$1" = install ] && touch "$BIN/there"; true` });
    const packages = [probe(join(machine.bin, "there"))];
    const { stdout, calls } = await prepare(machine, { packages });
    expect(stdout).toMatch(/thing {15}for \/\S+\/sh\n/);
    expect(aptCalls(calls).at(-1)).toEndWith("--no-install-recommends thing other");
    expect(calls.some((call) => /^(systemctl|service)/.test(call))).toBe(false);
    const again = await prepare(machine, { packages });
    expect(aptCalls(again.calls)).toEqual(aptCalls(calls));
    const { stdout: without } = await prepare(machine, { packages: [probe("/none/such")] });
    expect(without).toContain("the thing is left out (Debian's package thing cannot be used");
  });

  test("makes the lists be read once, however many are missing", async () => {
    const machine = machineWith({ "apt-get": "echo 'E: no network' >&2; exit 100" });
    const other = { ...OPTIONAL, command: "other-thing-of-a-test", package: "other" };
    const { calls } = await prepare(machine, { packages: [OPTIONAL, other] });
    const updates = aptCalls(calls).filter((call) => call.startsWith("apt-get update"));
    expect(updates).toHaveLength(1);
  });

  test("waits for another apt-get to finish", async () => {
    const locked = `[ -f "$BIN/tried" ] || { touch "$BIN/tried"; echo 'E: Could not get lock /lists' >&2; exit 100; }`;
    const machine = machineWith({ "apt-get": `${locked}; ${APT_GET}` });
    const { status } = await prepare(machine, { packages: [NEEDED] });
    expect(status).toBe(0);
  });
});

test("a build that fails shows why", async () => {
  const machine = new FakeMachine();
  machine.command("bun", `[ "$1" = run ] && { echo 'error: no main.ts'; exit 1; }; ${GOOD_BUN}`);
  const { status, stderr } = await prepare(machine, { build: true });
  expect(status).toBe(1);
  expect(stderr).toContain("error: no main.ts\nERROR build: bun run build failed");
});
