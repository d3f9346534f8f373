/**
 * Accepts the clients of one pool, within its limit, and knows those that are there.
 *
 *   listening socket -> open: below the limit? ClientConnection : error reply and close
 *
 * The descriptor budget closes and opens it: with none left for another client, clients wait in the
 * kernel's queue. Does not read from clients, and does not bind (listening-socket.ts).
 */
import type { Socket, SocketHandler } from "bun";
import { ClientConnection, type ClientOwner } from "./client-connection.ts";
import type { Gate } from "./descriptor-budget.ts";
import { IdleSweep, Silence } from "./idle-sweep.ts";
import { REQUEST_STALL_MS } from "./limits.ts";
import { PausableListener } from "./pausable-listener.ts";
import type { ServerPool } from "./server-pool.ts";

export class Listener implements ClientOwner, Gate {
  readonly clients = new Set<ClientConnection>();
  private socket: PausableListener<ClientConnection> | null = null;
  private readonly sweep: IdleSweep<ClientConnection>;
  private onEmpty: (() => void) | null = null;

  constructor(
    private readonly pool: ServerPool,
    /** A listening socket that came with the start of this process; null = bind one. */
    private readonly descriptor: number | null = null,
    requestStallMs = REQUEST_STALL_MS,
  ) {
    const limits = { idleMs: pool.config.clientIdleTimeoutMs, unfinishedMs: requestStallMs };
    this.sweep = new IdleSweep(this.clients, limits, (client, silence, silentMs) =>
      this.endSilent(client, silence, silentMs),
    );
  }

  /** @throws ProxyError if the address cannot be listened on */
  async listen(): Promise<void> {
    const { config, log, connections, descriptors } = this.pool;
    this.socket = await PausableListener.open(config, this.handlers(), this.descriptor);
    descriptors.guard(this);
    connections.total++;
    connections.current++;
    const protocol = config.isRedis ? "redis" : "memcache";
    log.notice(
      "listener.ts:1",
      `listening on '${config.listen.text}' in ${protocol} pool '${config.name}' with ` +
        `${config.servers.length} servers`,
    );
  }

  /** Accepts no more; clients that are there stay. */
  stop(): void {
    if (this.socket === null) return;
    this.socket.stop();
    this.socket = null;
    this.pool.connections.current--;
  }

  close(): void {
    this.socket?.pause();
  }

  open(): void {
    try {
      this.socket?.resume();
    } catch (error) {
      this.pool.log.error("listener.ts:4", (error as Error).message);
    }
  }

  clientClosed(client: ClientConnection): void {
    if (!this.clients.delete(client)) return;
    this.pool.counters.clientConnections--;
    this.pool.connections.current--;
    if (this.clients.size > 0) return;
    this.sweep.stop();
    this.onEmpty?.();
  }

  /** Lets every client have its replies; resolves when all are gone. */
  async drain(): Promise<void> {
    for (const client of [...this.clients]) client.finish();
    if (this.clients.size === 0) return;
    await new Promise<void>((done) => (this.onEmpty = done));
  }

  closeClients(): void {
    for (const client of [...this.clients]) client.terminate();
  }

  private handlers(): SocketHandler<ClientConnection> {
    return {
      open: (socket) => this.accepted(socket),
      data: (socket, chunk) => socket.data?.received(chunk),
      drain: (socket) => socket.data?.drained(),
      end: (socket) => socket.data?.ended(),
      close: (socket) => {
        this.pool.descriptors.clientClosed();
        socket.data?.closed();
      },
      error: (socket, error) => {
        this.pool.log.error("listener.ts:2", `a client's handler failed: ${error.stack}`);
        if (socket.data) socket.data.terminate();
        else socket.terminate();
      },
    };
  }

  private accepted(socket: Socket<ClientConnection>): void {
    const { pool } = this;
    const { clientConnections, tcpKeepalive } = pool.config;
    const { descriptors } = pool;
    pool.connections.total++;
    const isOverPool = clientConnections > 0 && this.clients.size >= clientConnections;
    // Not only when accepting cannot be stopped: the kernel may hand over one more.
    if (isOverPool || !descriptors.hasRoomForClient) {
      descriptors.clientOpened();
      this.refuse(socket, isOverPool ? `${clientConnections}` : "of file descriptors");
      return;
    }
    descriptors.clientOpened();
    if (tcpKeepalive) socket.setKeepAlive(true);
    const client = new ClientConnection(pool, socket, this);
    socket.data = client;
    this.clients.add(client);
    this.sweep.clientAdded(pool.turn.now());
    pool.counters.clientConnections++;
    pool.connections.current++;
  }

  private refuse(socket: Socket<ClientConnection>, limit: string): void {
    const { protocol, log, config } = this.pool;
    const reply = protocol.tooManyClientsReply;
    socket.write(reply, 0, reply.length);
    socket.end();
    const where = `pool '${config.name}' on '${config.listen.text}'`;
    const count = this.clients.size + 1;
    log.warn("listener.ts:3", `${where}: client connections ${count} exceed limit ${limit}`);
  }

  private endSilent(client: ClientConnection, silence: Silence, silentMs: number): void {
    const what = silence === Silence.Idle ? "idle" : "in the middle of a request";
    const text = `client ${client.identity.address} was ${what} for ${Math.floor(silentMs)} msec`;
    this.pool.log.info("listener.ts:5", `${text}: closed`);
    client.closeAfterReplies();
  }
}
