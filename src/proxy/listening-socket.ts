/**
 * The listening socket of one pool: bound to its address, or taken over from who bound it.
 *
 *   one process        openListeningSocket -> accepts
 *   several processes  the supervisor opens it; each worker adopts its descriptor and accepts
 *
 * A unix socket path is taken over only when nobody answers behind it and nothing but a socket lies
 * there (nutcracker unlinks whatever it finds). Does not accept: that is listener.ts.
 */
import { chmodSync, linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import type { SocketHandler } from "bun";
import type { PoolConfig } from "../config/config.ts";
import { nextDescriptor } from "../lib/descriptors.ts";
import { ProxyError } from "../lib/errors.ts";
import { listenBacklog } from "../lib/libc.ts";
import { bareHost, resolutionFailure, resolveName } from "../lib/resolve-name.ts";
import { errnoText } from "../log/errno-text.ts";

/** Bun's own, and nutcracker's default. */
const BACKLOG_OF_BUN = 512;

/** `fd` and the option of the same name work, but are missing from Bun's types. */
export type ListeningSocket = { fd?: number; stop(closeActiveConnections?: boolean): void };

/**
 * Binds the address of a pool and listens.
 *
 * @param reusePort others may bind the same TCP address as well
 * @throws ProxyError LISTEN_FAILED, ADDRESS_NOT_RESOLVED
 */
export async function openListeningSocket<Data>(
  config: PoolConfig,
  handlers: SocketHandler<Data>,
  reusePort: boolean,
): Promise<ListeningSocket> {
  const { address, text, mode } = config.listen;
  const descriptor = nextDescriptor();
  const common = { allowHalfOpen: true, socket: handlers };
  let socket: ListeningSocket | null = null;
  try {
    if (address.kind === "unix") {
      await removeStaleSocket(address.path);
      socket = Bun.listen<Data>({ ...common, unix: address.path });
      if (mode > 0) chmodSync(address.path, mode);
    } else {
      const hostname = await resolve(bareHost(address.host), address.port);
      const target = { ...common, hostname, port: address.port, reusePort };
      socket = Bun.listen<Data>(target);
    }
  } catch (error) {
    socket?.stop();
    throw listenError(text, descriptor, error);
  }
  if (config.backlog !== BACKLOG_OF_BUN) setBacklog(socket, config);
  return socket;
}

/**
 * Listens on a socket that another process has bound, and that came with our start.
 *
 * @throws ProxyError LISTEN_FAILED
 */
export function adoptListeningSocket<Data>(
  config: PoolConfig,
  handlers: SocketHandler<Data>,
  fd: number,
): ListeningSocket {
  try {
    const target = { allowHalfOpen: true, socket: handlers, fd };
    const socket: ListeningSocket = Bun.listen<Data>(target as never);
    setBacklog(socket, config);
    return socket;
  } catch (error) {
    throw listenError(config.listen.text, fd, error);
  }
}

/** Which file at a path is ours. */
export interface SocketFile {
  readonly path: string;
  readonly inode: number;
}

export function socketFile(path: string): SocketFile {
  return { path, inode: lstatSync(path).ino };
}

/** Bun unlinks the path of a listener that stops. */
export function stopButKeepFile(socket: ListeningSocket, path: string): void {
  const keptPath = `${path}.${process.pid}`;
  linkSync(path, keptPath);
  socket.stop();
  renameSync(keptPath, path);
}

/** Not a socket that somebody else has put there meanwhile. */
export function unlinkOwn({ path, inode }: SocketFile): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.ino === inode) unlinkSync(path);
}

function setBacklog(socket: ListeningSocket, config: PoolConfig): void {
  if (socket.fd !== undefined) listenBacklog(socket.fd, config.backlog);
}

/** The first address of a name. */
async function resolve(host: string, port: number): Promise<string> {
  const address = await resolveName(host);
  if (address !== null) return address;
  throw new ProxyError("ADDRESS_NOT_RESOLVED", "operator", resolutionFailure(host, port));
}

/** @param descriptor the one that could not be bound */
export function listenError(text: string, descriptor: number, error: unknown): ProxyError {
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
