/**
 * Servers in the order of their indexes: by the length of the ring name, then by its bytes.
 */
import type { RingServer } from "../../src/routing/router.ts";

export function inIndexOrder<Server extends RingServer>(servers: readonly Server[]): Server[] {
  const named = servers.map((server) => ({ server, name: Buffer.from(server.name) }));
  named.sort((a, b) => a.name.length - b.name.length || Buffer.compare(a.name, b.name));
  return named.map(({ server }) => server);
}
