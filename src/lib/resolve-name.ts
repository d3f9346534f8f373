/**
 * Names of addresses to listen on -> IP addresses, before listening: Bun.listen does not say why a
 * name failed.
 */

import { isIP } from "node:net";

/** A host as the resolver wants it: an IPv6 address may stand in brackets in a configuration. */
export function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** The first address that the system knows for a name, or null. An IP is its own address. */
export async function resolveName(host: string): Promise<string | null> {
  if (isIP(host) !== 0) return host;
  if (host === "") return null;
  try {
    const [first] = await Bun.dns.lookup(host);
    return first?.address ?? null;
  } catch {
    return null;
  }
}

/** nutcracker's log line for a name without an address; `port` stands in it as the service. */
export function resolutionFailure(host: string, port: number): string {
  const text = `address resolution of node '${host}' service '${port}' failed`;
  return `${text}: Name or service not known`;
}
