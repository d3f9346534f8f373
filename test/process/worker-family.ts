/**
 * A supervisor and its workers as the system shows them: who is there, what they have open.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The workers of a supervisor, oldest first. */
export function workersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  return children.split(" ").filter(Boolean).map(Number).filter(isAlive);
}

/** A process that ended and was not collected by its parent counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** What the descriptors of a process lead to. */
export function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      return [];
    }
  });
}

/** How many sockets a process has. */
export function socketCount(pid: number): number {
  return openFiles(pid).filter((file) => file.startsWith("socket:")).length;
}
