/** The limit of control groups, in a tree of files like the system's. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { usableMemoryBytes } from "../../src/lib/machine-memory.ts";
import { removeFolder, temporaryFolder } from "../support/temporary-folder.ts";

const MB = 1024 * 1024;

test.each<[name: string, expectedMb: number | null, files: Record<string, string>]>([
  ["nothing is known", null, {}],
  ["version 2, in a container", 64, { "0::/": "", "memory.max": `${64 * MB}\n` }],
  ["version 2, no limit", null, { "0::/": "", "memory.max": "max\n" }],
  ["version 2, a unit", 32, { "0::/a/b": "", "a/b/memory.max": `${32 * MB}`, "memory.max": "max" }],
  ["version 2, a group above", 16, { "0::/a/b": "", "a/memory.max": `${16 * MB}` }],
  ["version 1", 48, { "4:cpu,memory:/a": "", "memory/a/memory.limit_in_bytes": `${48 * MB}` }],
  [
    "version 1, no limit",
    null,
    { "4:memory:/": "", "memory/memory.limit_in_bytes": "9".repeat(19) },
  ],
  ["version 1, another controller", null, { "4:cpu:/": "", "memory.max": `${MB}` }],
])("%s", (_name, expectedMb, files) => {
  const root = temporaryFolder("memory");
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [name, text] of Object.entries(files)) {
    if (name.includes(":")) put("proc/self/cgroup", `${name}\n`);
    else put(`sys/fs/cgroup/${name}`, text);
  }
  expect(usableMemoryBytes(root)).toBe(expectedMb === null ? totalmem() : expectedMb * MB);
  removeFolder(root);
});

test("of this machine", () => {
  expect(usableMemoryBytes()).toBeGreaterThan(16 * MB);
  expect(usableMemoryBytes()).toBeLessThanOrEqual(totalmem());
});
