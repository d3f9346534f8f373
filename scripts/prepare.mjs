/**
 * Gets a fresh machine ready for `npm run demo` and `npm test`.
 *
 *   servers (PATH, or apt-get) -> Bun (PATH, or npm) -> bun install -> dist/nutcracker
 *
 * Runs on Node.js alone, because nothing else is there yet, and never asks. What is already there
 * is left as it is. What cannot be had ends in a PrepareError whose message is one line that says
 * what to do by hand. Running the demo or the tests is demo.mjs and test.mjs.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT_FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));

/** Which Bun is fetched, and which ones are good enough when they are there already. */
const BUN_VERSION = "1.4.5";
const BUN_VERSION_ACCEPTED = /^1\.4\./;

/** Where Bun goes when the global folder of npm belongs to somebody else. Ignored by git. */
const TOOLS_FOLDER = join(PROJECT_FOLDER, "node_modules", ".tools");

/** Debian keeps servers in folders that are not on everybody's PATH. */
const SYSTEM_FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin"];

/** How long to wait for another apt-get to finish. */
const APT_LOCK_WAIT_SECONDS = 300;

/**
 * What comes from Debian. `without` says how to go on where it cannot be had; null: not at all. A
 * `probe` is a command that succeeds if the package is there, for one that brings no command.
 */
export const REDIS_SERVER = {
  label: "redis-server",
  command: "redis-server",
  package: "redis-server",
  without: null,
};
export const MEMCACHED = {
  label: "memcached",
  command: "memcached",
  package: "memcached",
  without: null,
};
/** The original, to compare with. */
export const DEBIAN_NUTCRACKER = {
  label: "oracle",
  command: "nutcracker",
  package: "nutcracker",
  without: "none, so the differential tests are skipped",
};

/** Client libraries of other languages and test tools, to connect with. */
export const CLIENT_LIBRARIES = [
  clientLibrary("python3-redis", ["/usr/bin/python3", "-c", "import redis"]),
  clientLibrary("python3-pymemcache", ["/usr/bin/python3", "-c", "import pymemcache"]),
  clientLibrary("python3-pylibmc", ["/usr/bin/python3", "-c", "import pylibmc"]),
  clientLibrary("libmemcached-tools", ["memccat", "--version"]),
  clientLibrary("php-redis", ["php", "-r", "exit(class_exists('Redis') ? 0 : 1);"], "php-cli"),
  clientLibrary("ruby-redis", ["ruby", "-e", "require 'redis'"]),
];

function clientLibrary(name, probe, ...more) {
  const without = "none, so its test is skipped";
  return { label: name, command: probe[0], probe, package: name, more, without };
}

/** Something that a person has to mend; the message is the one line to show. */
export class PrepareError extends Error {}

/**
 * Makes sure that everything needed is there, and says in single lines what it does.
 *
 * @param {{ packages: object[], build: boolean }} options packages are rows as REDIS_SERVER
 * @returns {{ bun: string, env: NodeJS.ProcessEnv }} the path of Bun, and the environment to run it
 *   in: its PATH leads to Bun and to the servers
 * @throws {PrepareError} where a part cannot be had
 */
export function prepare({ packages, build }) {
  for (const row of packages) prepareDebianPackage(row);
  const bun = prepareBun();
  const path = [process.env.PATH ?? "", ...SYSTEM_FOLDERS, "/sbin"].join(delimiter);
  const env = { ...process.env, PATH: dirname(bun) + delimiter + path };
  prepareDependencies(bun, env);
  if (build) prepareBuild(bun, env);
  return { bun, env };
}

// ---------------------------------------------------------------------------------------------
// Debian's packages

function prepareDebianPackage(row) {
  if (!isThere(row)) {
    const failure = installDebianPackage(row);
    if (failure !== null) return goWithout(row, failure);
    if (!row.probe) keepServiceOff(row.package);
  }
  const command = findCommand(row.command);
  if (!isThere(row)) {
    const found = row.probe ? "cannot be used" : `holds no ${row.command}`;
    return goWithout(row, `Debian's package ${row.package} ${found}`);
  }
  if (row.probe) return ready(row.label, `for ${command ?? row.command}`);
  ready(row.label, versionOf(command) + (row.label === row.command ? "" : `, ${command}`));
}

function isThere(row) {
  if (!row.probe) return findCommand(row.command) !== null;
  const [command, ...args] = row.probe;
  return run(command, args).status === 0;
}

/** Says what is missing: a line where we can do without, an error elsewhere. */
function goWithout(row, reason) {
  const remedy = `run: sudo apt-get install ${row.package}`;
  if (row.without === null) throw new PrepareError(`${row.label}: ${reason}; ${remedy}`);
  ready(row.label, `${row.without} (${reason}; ${remedy})`);
}

/** The lists are read anew once at most: what is missing then is missing for all packages. */
let isAptUpdated = false;

/** @returns {string | null} why it could not be installed, or null */
function installDebianPackage(row) {
  if (!findCommand("apt-get")) return "there is no apt-get here";
  const rights = rootRights();
  if (rights === null) return "it is not installed, and only root may install it";
  working(row.label, `installing Debian's package ${row.package} with apt-get`);
  const options = ["-y", "-q", "-o", `DPkg::Lock::Timeout=${APT_LOCK_WAIT_SECONDS}`];
  const packages = [row.package, ...(row.more ?? [])];
  const install = ["install", ...options, "--no-install-recommends", ...packages];
  // A fresh machine has no lists, and old lists name files that are gone.
  let result = hasAptLists() ? runApt(rights, install) : null;
  if (result?.status !== 0 && !isAptUpdated) {
    isAptUpdated = true;
    runApt(rights, ["update", "-q"]);
    result = null;
  }
  result ??= runApt(rights, install);
  if (result.status === 0) return null;
  return `apt-get could not install it (${errorLine(result.output)})`;
}

/** How to run a command as root without being asked for a password, or null. */
function rootRights() {
  if (process.getuid?.() === 0) return [];
  if (!findCommand("sudo")) return null;
  return run("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n"] : null;
}

/** Runs apt-get, again and again as long as another one holds a lock that it does not wait for. */
function runApt(rights, args) {
  // Runlevel 1 keeps the services of new packages from starting where systemd does not run.
  const env = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "LC_ALL=C"];
  const [command, ...rest] = [...rights, ...env, "apt-get", ...args];
  const deadlineMs = Date.now() + APT_LOCK_WAIT_SECONDS * 1000;
  for (;;) {
    const result = run(command, rest);
    const isLocked = /Could not get lock|Unable to acquire|is another process/.test(result.output);
    if (result.status === 0 || !isLocked || Date.now() > deadlineMs) return result;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
  }
}

function hasAptLists() {
  try {
    return readdirSync("/var/lib/apt/lists").some((name) => name.includes("_Packages"));
  } catch {
    return false;
  }
}

/** Stops the service that came with a package we have just installed: nobody asked for it. */
function keepServiceOff(name) {
  const rights = rootRights() ?? [];
  const isSystemd = existsSync("/run/systemd/system");
  const stop = isSystemd ? ["systemctl", "disable", "--now", name] : ["service", name, "stop"];
  const [command, ...rest] = [...rights, ...stop];
  run(command, rest);
}

// ---------------------------------------------------------------------------------------------
// Bun

function prepareBun() {
  const found = findCommand("bun");
  if (found && isAcceptedBun(found)) return bunIsReady(found, "");
  const global = globalPrefix();
  const candidates = [join(TOOLS_FOLDER, "node_modules/.bin/bun"), join(global, "bin/bun")];
  const other = candidates.find((path) => isAcceptedBun(path));
  if (other) return bunIsReady(other, "");

  // A Bun of another version belongs to somebody: it stays, and ours goes into the project.
  const isGlobal =
    !found && isWritable(join(global, "lib/node_modules")) && isWritable(candidates[1]);
  const place = isGlobal ? ["--global"] : ["--prefix", TOOLS_FOLDER, "--no-save"];
  const where = isGlobal ? "globally" : "into node_modules/.tools";
  const why = found ? `${found} is ${versionOf(found) || "broken"}` : "not found";
  working("bun", `${why}; installing ${BUN_VERSION} with npm ${where}`);
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--no-update-notifier"];
  const network = ["--prefer-offline", "--fetch-retries=2", "--fetch-retry-mintimeout=1000"];
  const result = runNpm(["install", ...place, ...quiet, ...network, `bun@${BUN_VERSION}`]);
  if (result.status !== 0) {
    const reason = npmReason(result.output);
    const remedy = `run: npm install --global bun@${BUN_VERSION}`;
    throw new PrepareError(`bun: npm could not install ${BUN_VERSION} (${reason}); ${remedy}`);
  }
  const installed = candidates[isGlobal ? 1 : 0];
  if (!isAcceptedBun(installed)) finishBunInstall(installed);
  if (!isAcceptedBun(installed)) {
    const said = firstLine(run(installed, ["--version"]).output) || "it does not start";
    throw new PrepareError(`bun: npm installed ${installed}, which does not work: ${said}`);
  }
  return bunIsReady(installed, ", installed with npm");
}

function bunIsReady(path, note) {
  ready("bun", versionOf(path) + note);
  return path;
}

/** Runs Bun's own last step of the installation, for an npm that does not run such scripts. */
function finishBunInstall(path) {
  if (!existsSync(path)) return;
  const folder = dirname(dirname(realpathSync(path)));
  run(process.execPath, ["install.js"], { cwd: folder });
}

function isAcceptedBun(path) {
  return existsSync(path) && BUN_VERSION_ACCEPTED.test(versionOf(path));
}

function versionOf(command) {
  const result = run(command, ["--version"]);
  if (result.status !== 0) return "";
  return /\d+\.\d+\.\d+/.exec(result.output)?.[0] ?? "";
}

/** Where npm puts global packages. npm tells it to the scripts it runs; else it is asked. */
function globalPrefix() {
  const told = process.env.npm_config_global_prefix;
  return told || runNpm(["prefix", "--global", "--loglevel=error"]).output.trim();
}

function runNpm(args) {
  const script = process.env.npm_execpath ?? "";
  const isNpm = script.endsWith("npm-cli.js") && existsSync(script);
  return isNpm ? run(process.execPath, [script, ...args]) : run("npm", args);
}

/** What npm gives as its reason, in one line: its code, and its first sentence. */
function npmReason(output) {
  const lines = [...output.matchAll(/^npm (?:error|ERR!) (.+)$/gm)].map((match) => match[1].trim());
  const code = lines.find((line) => line.startsWith("code "))?.slice(5);
  const sentence = lines.find((line) => !/^(code|errno|syscall|path|A complete log) ?/.test(line));
  return [code, sentence].filter(Boolean).join(": ") || firstLine(output) || "npm does not start";
}

// ---------------------------------------------------------------------------------------------
// Packages and build

function prepareDependencies(bun, env) {
  const isFirstTime = !existsSync(join(PROJECT_FOLDER, "node_modules", "yaml"));
  if (isFirstTime) working("packages", "installing what bun.lock names");
  const result = run(bun, ["install", "--frozen-lockfile"], { cwd: PROJECT_FOLDER, env });
  if (result.status !== 0) {
    const reason = errorLine(result.output);
    throw new PrepareError(`packages: bun install --frozen-lockfile failed (${reason})`);
  }
  ready("packages", isFirstTime ? "installed in node_modules" : "as in bun.lock");
}

function prepareBuild(bun, env) {
  const result = run(bun, ["run", "build"], { cwd: PROJECT_FOLDER, env });
  const binary = join(PROJECT_FOLDER, "dist", "nutcracker");
  if (result.status !== 0 || !existsSync(binary)) {
    process.stderr.write(result.output);
    throw new PrepareError("build: bun run build failed, see the lines above");
  }
  ready("build", `dist/nutcracker, ${Math.round(statSync(binary).size / 1e6)} MB`);
}

// ---------------------------------------------------------------------------------------------
// Small things

/** Runs a command to its end. @returns what it printed on both streams, and its status */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  const output = (result.stdout ?? "") + (result.stderr ?? "");
  return {
    status: result.error ? -1 : result.status,
    output: output || (result.error?.message ?? ""),
  };
}

/** The full path of a command on the PATH or in the system's folders, or null. */
function findCommand(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  for (const folder of folders.filter((folder) => folder.startsWith("/"))) {
    const path = join(folder, name);
    if (isAllowed(path, constants.X_OK) && statSync(path).isFile()) return path;
  }
  return null;
}

/** Whether a file or folder may be written or, where it does not exist yet, may be made. */
function isWritable(path) {
  if (existsSync(path)) return isAllowed(path, constants.W_OK);
  return dirname(path) !== path && isWritable(dirname(path));
}

function isAllowed(path, mode) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function firstLine(text) {
  return text.trim().split("\n")[0] ?? "";
}

/** The line that tells what went wrong: the last one marked as an error, else the last one. */
function errorLine(text) {
  const lines = text.trim().split("\n");
  const marked = lines.filter((line) => /^(E:|error[:\s])/i.test(line));
  return (
    (marked.at(-1) ?? lines.at(-1) ?? "").replace(/^(E|error):\s*/, "").trim() || "no reason given"
  );
}

/** Says that something slow has begun; on a terminal, ready() takes the place of this line. */
function working(label, text) {
  const line = `  ${label.padEnd(20)}${text} ...`;
  const { isTTY, columns = 80 } = process.stdout;
  process.stdout.write(isTTY ? line.slice(0, columns - 1) : `${line}\n`);
}

function ready(label, text) {
  const clear = process.stdout.isTTY ? "\r\x1b[K" : "";
  process.stdout.write(`${clear}  ${label.padEnd(20)}${text}\n`);
}
