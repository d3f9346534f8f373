/**
 * File descriptors by number: how many there are and may be, which one comes next, and what one
 * leads to. Bun opens sockets without telling their numbers, and cannot take back a connect.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { shutdownSocket, tcpState } from "./libc.ts";

/** Linux: TCP_SYN_SENT. */
const CONNECTING = 2;

/** The number that the next descriptor of this process will have; -1 if there is none left. */
export function nextDescriptor(): number {
  try {
    const descriptor = openSync("/dev/null", "r");
    closeSync(descriptor);
    return descriptor;
  } catch {
    return -1;
  }
}

/** How many descriptors this process has open. */
export function openDescriptors(): number {
  // The folder itself is open while it is read.
  return readdirSync("/proc/self/fd").length - 1;
}

/** How many it may have, or Infinity. Bun raises the soft limit to the hard one at start. */
export function descriptorsMax(): number {
  const limits = readFileSync("/proc/self/limits", "latin1");
  const files = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return files === undefined ? Infinity : Number(files);
}

/**
 * A socket that is connecting, known by its number and by what that leads to, so that a later file
 * with the same number is not taken for it.
 */
export class ConnectingSocket {
  private constructor(
    private readonly descriptor: number,
    private readonly link: string,
  ) {}

  /** The socket with this number, or null if that is no TCP socket, or no more connecting. */
  static at(descriptor: number): ConnectingSocket | null {
    if (tcpState(descriptor) !== CONNECTING) return null;
    return new ConnectingSocket(descriptor, linkOf(descriptor));
  }

  /** Ends the attempt: whoever waits for it hears of a reset connection. */
  abort(): void {
    const isThere = linkOf(this.descriptor) === this.link && this.link !== "";
    if (isThere && tcpState(this.descriptor) === CONNECTING) shutdownSocket(this.descriptor);
  }
}

function linkOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}
