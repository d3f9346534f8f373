/**
 * Temporary folders that vanish with the test process, whichever way it ends.
 *
 *   test process --pipe--> reaper (sh, own session): waits for the end of the pipe, then kills every
 *                          process whose working directory lies in our root, and removes the root
 *
 * Every process the tests start runs with its working directory inside the root, so the reaper finds
 * it without a list, even a daemon that left our session.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const REAPER = `
cat >/dev/null
for process in /proc/[0-9]*; do
  case "$(readlink "$process/cwd" 2>/dev/null)/" in
    "$0"/*) [ "$process" = "/proc/$$" ] || kill -KILL "\${process#/proc/}" 2>/dev/null ;;
  esac
done
rm -rf "$0"
`;

let root: string | undefined;
let folderCount = 0;

function rootFolder(): string {
  if (root === undefined) {
    root = mkdtempSync(join(tmpdir(), "nutcracker-test-"));
    const reaper = Bun.spawn(["sh", "-c", REAPER, root], {
      stdin: "pipe",
      stdout: "ignore",
      stderr: "ignore",
      cwd: "/",
      detached: true,
    });
    // Neither the reaper nor the pipe to it may keep this process alive.
    reaper.unref();
    reaper.stdin.unref();
  }
  return root;
}

/** Makes a fresh folder below the root of this test process. */
export function temporaryFolder(purpose: string): string {
  folderCount++;
  const folder = join(rootFolder(), `${purpose}-${folderCount}`);
  mkdirSync(folder);
  return folder;
}

/** Removes a folder early; the reaper would do it at the end anyway. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
