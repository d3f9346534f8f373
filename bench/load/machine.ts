/**
 * What a figure is worth nothing without: the machine it comes from, and the versions of all that
 * took part.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { basename, join, relative } from "node:path";
import type { Peer } from "./peers.ts";
import { descriptorsMax } from "./run.ts";

const PROJECT = join(import.meta.dir, "../..");

/** Facts by name, in the order in which they are told. */
export type Facts = Readonly<Record<string, string>>;

export function machineFacts(): Facts {
  return {
    processor: `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GB`,
    system: `${distribution()}, Linux ${release()}`,
    "file descriptors": String(descriptorsMax()),
    "load before": loadavg()
      .map((load) => load.toFixed(2))
      .join(" "),
  };
}

/** Versions of the proxies and of what drives and serves them; asks each program. */
export function versionFacts(peers: readonly Peer[]): Facts {
  return {
    ...Object.fromEntries(peers.map((peer) => [peer.name, programOf(peer)])),
    "source tree": sourceTree(),
    bun: Bun.version,
    "redis-server": firstLineOf(["redis-server", "--version"]),
    "redis-benchmark": firstLineOf(["redis-benchmark", "--version"]),
    memcached: firstLineOf(["memcached", "--version"]),
  };
}

function distribution(): string {
  try {
    const text = readFileSync("/etc/os-release", "utf8");
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}

/** Its path within the project, else its name, and its version: two may say the same version. */
function programOf({ path, versionWord }: Peer): string {
  const place = relative(PROJECT, path);
  const name = place.startsWith("..") ? basename(path) : place;
  return `${name}: ${firstLineOf([path, versionWord])}`;
}

/** The commit, and whether files differ from it. */
function sourceTree(): string {
  const commit = firstLineOf(["git", "rev-parse", "--short", "HEAD"]);
  const isChanged = firstLineOf(["git", "status", "--porcelain"]) !== "";
  return isChanged ? `${commit}, with changes` : commit;
}

/** The first line that a command prints, on either output. */
function firstLineOf(command: readonly string[]): string {
  try {
    const { stdout, stderr } = Bun.spawnSync([...command], { cwd: import.meta.dir });
    return `${stdout}${stderr}`.trim().split("\n")[0] ?? "";
  } catch {
    return "unknown";
  }
}
