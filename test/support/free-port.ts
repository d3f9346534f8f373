/**
 * Free loopback ports for servers and proxies.
 *
 * The ports lie below the kernel's range for outgoing connections (32768 and up), so a port keeps
 * being free while its server is down. Another test process may still take one between our look and
 * its use: whoever starts a process on a port tries again with another when the bind fails.
 */
const FIRST_PORT = 10_240;
const PORT_COUNT = 21_000;
const TRIES_MAX = 200;

const handedOut = new Set<number>();
let nextOffset = Math.floor(Math.random() * PORT_COUNT);

/**
 * Finds a TCP port on which nobody listens, and never hands out the same one twice in a process.
 *
 * @throws Error if 200 ports in a row are taken
 */
export function freePort(): number {
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const port = FIRST_PORT + nextOffset;
    nextOffset = (nextOffset + 1 + Math.floor(Math.random() * 50)) % PORT_COUNT;
    if (handedOut.has(port) || !canListen(port)) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`free-port: ${TRIES_MAX} ports in a row are taken`);
}

function canListen(port: number): boolean {
  try {
    const listener = Bun.listen({ hostname: "0.0.0.0", port, socket: { data() {} } });
    listener.stop(true);
    return true;
  } catch {
    return false;
  }
}
