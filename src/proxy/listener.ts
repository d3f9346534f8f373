/**
 * Accepts the clients of one pool, within its limit, and knows those that are there.
 *
 *   address -> Bun.listen -> open: below the limit? ClientConnection : error reply and close
 *
 * Does not read from clients. A unix socket path is taken over only when nobody answers behind it
 * and nothing but a socket lies there (nutcracker unlinks whatever it finds).
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import type { Socket, SocketHandler } from "bun";
import { listenBacklog } from "../lib/libc.ts";
import { nextDescriptor } from "../lib/descriptors.ts";
import { ProxyError } from "../lib/errors.ts";
import { bareHost, resolutionFailure, resolveName } from "../lib/resolve-name.ts";
import { errnoText } from "../log/errno-text.ts";
import { ClientConnection, type ClientOwner } from "./client-connection.ts";
import type { ServerPool } from "./server-pool.ts";

/** Bun's own, and nutcracker's default. */
const BACKLOG_OF_BUN = 512;

/** How many clients the whole process may have. */
export interface ClientLimit {
  readonly max: number;
  count: number;
}

type Listening = { fd?: number; stop(closeActiveConnections?: boolean): void };

export class Listener implements ClientOwner {
  readonly clients = new Set<ClientConnection>();
  private socket: Listening | null = null;
  private onEmpty: (() => void) | null = null;

  constructor(
    private readonly pool: ServerPool,
    private readonly limit: ClientLimit,
  ) {}

  /** @throws ProxyError if the address cannot be listened on */
  async listen(): Promise<void> {
    const { config, log, connections } = this.pool;
    const { address, text, mode } = config.listen;
    const descriptor = nextDescriptor();
    const common = { allowHalfOpen: true, socket: this.handlers() };
    try {
      if (address.kind === "unix") {
        await removeStaleSocket(address.path);
        this.socket = Bun.listen<ClientConnection>({ ...common, unix: address.path });
      } else {
        const hostname = await resolve(bareHost(address.host), address.port);
        const { reusePort } = config;
        const target = { ...common, hostname, port: address.port, reusePort };
        this.socket = Bun.listen<ClientConnection>(target);
      }
      if (address.kind === "unix" && mode > 0) chmodSync(address.path, mode);
    } catch (error) {
      this.stop();
      throw listenError(text, descriptor, error);
    }
    if (config.backlog !== BACKLOG_OF_BUN && this.socket.fd !== undefined) {
      listenBacklog(this.socket.fd, config.backlog);
    }
    connections.total++;
    connections.current++;
    const protocol = config.isRedis ? "redis" : "memcache";
    log.notice(
      "listener.ts:1",
      `listening on '${text}' in ${protocol} pool '${config.name}' with ` +
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

/** The first address of a name. */
async function resolve(host: string, port: number): Promise<string> {
  const address = await resolveName(host);
  if (address !== null) return address;
  throw new ProxyError("ADDRESS_NOT_RESOLVED", "operator", resolutionFailure(host, port));
}

function listenError(text: string, descriptor: number, error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  const message = `bind on p ${descriptor} to addr '${text}' failed: ${errnoText(error)}`;
  return new ProxyError("LISTEN_FAILED", "operator", message, { cause: error });
}

/** Unlinks a socket that nobody listens on any more. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw inUse(path, "something that is no socket lies there");
  if (await answers(path)) throw inUse(path, "another process listens there");
  unlinkSync(path);
}

function inUse(path: string, why: string): ProxyError {
  const place = `bind on p ${nextDescriptor()} to addr '${path}'`;
  const text = `${place} failed: Address already in use (${why})`;
  return new ProxyError("LISTEN_FAILED", "operator", text);
}

async function answers(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data() {} } });
    socket.terminate();
    return true;
  } catch {
    return false;
  }
}
