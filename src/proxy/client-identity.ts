/**
 * Who a client is: where it comes from, and what it says about itself.
 */
import type { Socket } from "bun";
import { nowMs } from "../lib/clock.ts";
import type { ClientIdentity } from "../protocol/protocol.ts";

/** What Bun tells of the two ends of a connection; nothing for a unix socket. */
type Ends = Pick<Socket<unknown>, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

const MS_PER_SECOND = 1000;

let nextId = 1;
let idStep = 1;

/**
 * Gives the clients of each worker numbers of their own: worker 2 of 3 has 2, 5, 8, ...
 *
 * @param worker from 1 on
 */
export function shareClientIds(worker: number, workerCount: number): void {
  nextId = worker;
  idStep = workerCount;
}

function takeId(): number {
  const id = nextId;
  nextId += idStep;
  return id;
}

export class SocketIdentity implements ClientIdentity {
  /** Rises in the order of coming; no two clients that are there at once have the same. */
  readonly id = takeId();
  name = "";
  libraryName = "";
  libraryVersion = "";
  private readonly acceptedAtMs = nowMs();

  /** @param path of the unix socket that the client came through; "" for TCP */
  constructor(
    private readonly ends: Ends,
    private readonly path: string,
  ) {}

  get address(): string {
    return this.addressOf(this.ends.remoteAddress, this.ends.remotePort);
  }

  get localAddress(): string {
    return this.addressOf(this.ends.localAddress, this.ends.localPort);
  }

  get ageSeconds(): number {
    return Math.floor((nowMs() - this.acceptedAtMs) / MS_PER_SECOND);
  }

  /** As Redis writes it: a path has the port 0, an IPv6 address stands in brackets. */
  private addressOf(host: string | undefined, port: number | undefined): string {
    if (this.path !== "") return `${this.path}:0`;
    if (host === undefined || port === undefined) return "?:0";
    return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  }
}
