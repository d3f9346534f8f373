/**
 * How many file descriptors the data plane has, and who may have the next one.
 *
 *   limit of the process
 *   = what was open at start + listeners | spare | servers: open, and kept for them
 *     | connections to servers that are lent to one client (lent) | clients
 *
 * Running out is worse than any refusal: Bun's loop then spins on a client that it cannot accept.
 * So with no room for another client the listeners stop accepting, and clients wait in the kernel's
 * queues; with no room for a server its requests get an error.
 *
 * An attempt to connect that was given up is ended; where that is not possible (a host name) it
 * keeps its descriptor for some minutes, and counts as neither: servers that swallow everything
 * cost clients, not the other servers, and only so many.
 */
import type { ConnectingSocket } from "../lib/descriptors.ts";
import type { Logger } from "../log/logger.ts";

/** Where clients come from. */
export interface Gate {
  /** Accepts no more for now. */
  close(): void;
  open(): void;
}

export interface BudgetOptions {
  /** Descriptors for clients and servers together; Infinity = no limit. */
  readonly max: number;
  /** Of these, so many are for servers only. */
  readonly keptForServers: number;
  readonly log: Logger;
}

/** Given-up attempts of one server that go on: so large a part of all descriptors, ... */
const ABANDONED_SHARE = 16;
/** ... but at least and at most so many. */
const ABANDONED_MIN = 4;
const ABANDONED_MAX = 64;

/** So large a part must be free again before running out is news. */
const CALM_SHARE = 16;

export class DescriptorBudget {
  clients = 0;
  servers = 0;
  /** Connections to servers that are lent to one client: they come out of the clients' part. */
  lent = 0;
  /** Attempts to connect that were given up, and are not over. */
  abandoned = 0;
  /** Of one server; with so many there is no use in another attempt. */
  readonly abandonedMax: number;
  private readonly gates: Gate[] = [];
  private isClosed = false;
  private isLogged = false;
  private isOpeningScheduled = false;

  constructor(private readonly options: BudgetOptions) {
    const share = Math.floor(options.max / ABANDONED_SHARE);
    this.abandonedMax = Math.max(ABANDONED_MIN, Math.min(ABANDONED_MAX, share));
  }

  /** The gate is closed and opened from now on. */
  guard(gate: Gate): void {
    this.gates.push(gate);
    if (this.isClosed) gate.close();
  }

  /** Descriptors of clients and servers. */
  get inUse(): number {
    return this.clients + this.lent + this.abandoned + this.servers;
  }

  /** Has the next client a descriptor that nobody else needs? */
  get hasRoomForClient(): boolean {
    return this.freeForClients > 0;
  }

  get hasRoomForServer(): boolean {
    return this.inUse < this.options.max;
  }

  clientOpened(): void {
    this.clients++;
    this.taken();
  }

  clientClosed(): void {
    this.clients--;
    this.released();
  }

  serverOpened(isLent = false): void {
    this.countServer(isLent, 1);
    this.taken();
  }

  serverClosed(isLent = false): void {
    this.countServer(isLent, -1);
    this.released();
  }

  connectAbandoned(isLent = false): void {
    this.countServer(isLent, -1);
    this.abandoned++;
    this.taken();
  }

  abandonedClosed(): void {
    this.abandoned--;
    this.released();
  }

  private get freeForClients(): number {
    const { max, keptForServers } = this.options;
    const forServers = Math.max(this.servers, keptForServers);
    return max - this.clients - this.lent - this.abandoned - forServers;
  }

  private countServer(isLent: boolean, change: number): void {
    if (isLent) this.lent += change;
    else this.servers += change;
  }

  private taken(): void {
    if (this.isClosed || this.hasRoomForClient) return;
    this.isClosed = true;
    for (const gate of this.gates) gate.close();
    if (this.isLogged) return;
    this.isLogged = true;
    const { log, max } = this.options;
    const use =
      `clients ${this.clients}, servers ${this.servers}, lent ${this.lent}, ` +
      `given up ${this.abandoned}`;
    log.warn(
      "descriptor-budget.ts:1",
      `no file descriptor left for another client (${use}, of ${max}): new ones wait until one ` +
        "leaves; raise the limit (ulimit -n, LimitNOFILE)",
    );
  }

  private released(): void {
    if (this.isLogged && this.freeForClients > 1 + this.options.max / CALM_SHARE) {
      this.isLogged = false;
      this.options.log.notice("descriptor-budget.ts:2", "file descriptors for clients are free");
    }
    if (!this.isClosed || this.isOpeningScheduled || !this.hasRoomForClient) return;
    // Not at once: those that leave in the same turn make room together.
    this.isOpeningScheduled = true;
    setImmediate(this.reopen);
  }

  private readonly reopen = (): void => {
    this.isOpeningScheduled = false;
    if (!this.isClosed || !this.hasRoomForClient) return;
    this.isClosed = false;
    for (const gate of this.gates) gate.open();
  };
}

/** A server, as far as it matters here. */
export interface Connectable {
  /** Attempts to connect to it that were given up, and are not over. */
  abandonedConnects: number;
}

/** One descriptor towards a server: from the attempt to connect until its socket is closed. */
export class ServerDescriptor {
  /** The attempt to connect, where it can be ended before its time. */
  attempt: ConnectingSocket | null = null;
  private isHeld = true;
  private isAbandoned = false;

  constructor(
    private readonly budget: DescriptorBudget,
    private readonly server: Connectable,
    private readonly isLent = false,
  ) {
    budget.serverOpened(isLent);
  }

  /** Nobody waits for the connection any more. Bun itself cannot take a connect back. */
  abandon(): void {
    if (!this.isHeld || this.isAbandoned) return;
    this.isAbandoned = true;
    this.server.abandonedConnects++;
    this.budget.connectAbandoned(this.isLent);
    this.attempt?.abort();
    this.attempt = null;
  }

  /** The socket is closed. */
  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    if (!this.isAbandoned) {
      this.budget.serverClosed(this.isLent);
      return;
    }
    this.server.abandonedConnects--;
    this.budget.abandonedClosed();
  }
}
