/**
 * Accepts the clients of one pool, within its limit, and knows those that are there.
 *
 *   listening socket -> open: below the limit? ClientConnection : error reply and close
 *
 * Does not read from clients, and does not bind (listening-socket.ts).
 */
import type { Socket, SocketHandler } from "bun";
import { ClientConnection, type ClientOwner } from "./client-connection.ts";
import {
  adoptListeningSocket,
  type ListeningSocket,
  openListeningSocket,
} from "./listening-socket.ts";
import type { ServerPool } from "./server-pool.ts";

/** How many clients the whole process may have. */
export interface ClientLimit {
  readonly max: number;
  count: number;
}

export class Listener implements ClientOwner {
  readonly clients = new Set<ClientConnection>();
  private socket: ListeningSocket | null = null;
  private onEmpty: (() => void) | null = null;

  constructor(
    private readonly pool: ServerPool,
    private readonly limit: ClientLimit,
    /** A listening socket that came with the start of this process; null = bind one. */
    private readonly descriptor: number | null = null,
  ) {}

  /** @throws ProxyError if the address cannot be listened on */
  async listen(): Promise<void> {
    const { config, log, connections } = this.pool;
    this.socket =
      this.descriptor === null
        ? await openListeningSocket(config, this.handlers(), config.reusePort)
        : adoptListeningSocket(config, this.handlers(), this.descriptor);
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
    this.socket.stop(false);
    this.socket = null;
    this.pool.connections.current--;
  }

  clientClosed(client: ClientConnection): void {
    if (!this.clients.delete(client)) return;
    this.limit.count--;
    this.pool.counters.clientConnections--;
    this.pool.connections.current--;
    if (this.clients.size === 0) this.onEmpty?.();
  }

  /** Lets every client have its replies; resolves when all are gone. */
  async drain(): Promise<void> {
    for (const client of [...this.clients]) client.closeAfterReplies();
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
      close: (socket) => socket.data?.closed(),
      error: (socket, error) => {
        this.pool.log.error("listener.ts:2", `a client's handler failed: ${error.stack}`);
        if (socket.data) socket.data.terminate();
        else socket.terminate();
      },
    };
  }

  private accepted(socket: Socket<ClientConnection>): void {
    const { pool, limit } = this;
    const { clientConnections, tcpKeepalive, listen } = pool.config;
    pool.connections.total++;
    const isOverPool = clientConnections > 0 && this.clients.size >= clientConnections;
    if (isOverPool || limit.count >= limit.max) {
      const reply = pool.protocol.tooManyClientsReply;
      socket.write(reply, 0, reply.length);
      socket.end();
      const most = isOverPool ? clientConnections : limit.max;
      pool.log.warn("listener.ts:3", `client connections of '${listen.text}' exceed limit ${most}`);
      return;
    }
    if (tcpKeepalive) socket.setKeepAlive(true);
    const client = new ClientConnection(pool, socket, this);
    socket.data = client;
    this.clients.add(client);
    limit.count++;
    pool.counters.clientConnections++;
    pool.connections.current++;
  }
}
