/**
 * Temporary folders that vanish with the test process, whichever way it ends.
 *
 *   test process <--watches-- reaper (sh, own session): when it is gone, kills every process whose
 *                             working directory lies in our root, and removes the root
 *
 * Every process the tests start runs with its working directory inside the root, so the reaper
 * finds it without a list, even a daemon that left our session. The reaper is no child of ours:
 * `bun test` kills the children of a test that timed out.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** $0 is the root, $1 the test process. */
const REAPER = `
tail --pid="$1" -s 0.2 -f /dev/null
for process in /proc/[0-9]*; do
  case "$(readlink "$process/cwd" 2>/dev/null)/" in
    "$0"/*) kill -KILL "\${process#/proc/}" 2>/dev/null ;;
  esac
done
rm -rf "$0"
`;

let root: string | undefined;
let folderCount = 0;

function rootFolder(): string {
  if (root === undefined) {
    root = mkdtempSync(join(tmpdir(), "nutcracker-test-"));
    Bun.spawnSync(["setsid", "--fork", "sh", "-c", REAPER, root, String(process.pid)], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      cwd: "/",
    });
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
