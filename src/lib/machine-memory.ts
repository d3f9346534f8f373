/**
 * How much memory this process may use: that of the machine, or of its control group if that is
 * less (a container, a unit with MemoryMax). Never on the hot path.
 *
 *   /proc/self/cgroup   "0::/a/b"        -> /sys/fs/cgroup/a/b/memory.max, /a, / (version 2)
 *                       "4:memory:/a"    -> /sys/fs/cgroup/memory/a/memory.limit_in_bytes, / (1)
 */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";

/** @param root where /proc and /sys are */
export function usableMemoryBytes(root = "/"): number {
  let leastBytes = totalmem();
  for (const line of readText(join(root, "proc/self/cgroup")).split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers === "") {
      leastBytes = Math.min(
        leastBytes,
        leastLimit(join(root, "sys/fs/cgroup"), path, "memory.max"),
      );
    } else if (controllers?.split(",").includes("memory")) {
      const mount = join(root, "sys/fs/cgroup/memory");
      leastBytes = Math.min(leastBytes, leastLimit(mount, path, "memory.limit_in_bytes"));
    }
  }
  return leastBytes;
}

/** The least limit of a group and those it is in. A container may not see its own path: "/" is. */
function leastLimit(mount: string, path: string, file: string): number {
  let leastBytes = Infinity;
  for (let group = path; ; group = dirname(group)) {
    const text = readText(join(mount, group, file)).trim();
    if (/^[0-9]+$/.test(text)) leastBytes = Math.min(leastBytes, Number(text));
    if (group === "/") return leastBytes;
  }
}

/** Empty if it cannot be read. */
function readText(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
