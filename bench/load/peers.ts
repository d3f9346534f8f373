/**
 * The proxies that are compared: one row each, with how it is found, configured and started.
 *
 * All get the same servers, one thread (but for `ours-w2`) and otherwise their own defaults. A peer
 * that is not installed is left out. What a comparison with each means: bench/README.md.
 */
import { resolve } from "node:path";
import { poolsToYaml } from "../../test/support/run-proxy.ts";
import type { ProtocolName } from "./workload.ts";

/** Where a proxy listens and what stands behind it. */
export interface Setting {
  readonly port: number;
  readonly statsPort: number;
  readonly protocol: ProtocolName;
  /** host:port of each server. */
  readonly servers: readonly string[];
  readonly configFile: string;
  readonly logFile: string;
}

export interface PeerRow {
  /** Looked for on PATH, and in the folders where Debian keeps daemons. */
  readonly program: string;
  /** Names another program, by environment. */
  readonly variable: string;
  readonly protocols: readonly ProtocolName[];
  /** File descriptors that a connected client takes: 2 where each has a server connection. */
  readonly descriptorsPerClient: number;
  readonly config: (setting: Setting) => string;
  /** What follows the program on its command line. */
  readonly words: (setting: Setting) => readonly string[];
  readonly versionWord: string;
}

export interface Peer extends PeerRow {
  readonly name: string;
  /** Path of the program. */
  readonly path: string;
}

const BOTH: readonly ProtocolName[] = ["redis", "memcached"];

function nutcrackerConfig({ port, protocol, servers }: Setting): string {
  const items = servers.map((server, index) => `${server}:1 s${index}`);
  const pool = { listen: `127.0.0.1:${port}`, redis: protocol === "redis", servers: items };
  return poolsToYaml({ alpha: pool });
}

/** The sums are made rarely, so that they do not fall into one round and not into another. */
function nutcrackerWords({ configFile, logFile, statsPort }: Setting): string[] {
  const stats = ["-s", String(statsPort), "-a", "127.0.0.1", "-i", "30000"];
  return ["-c", configFile, "-o", logFile, ...stats];
}

function predixyConfig({ port, servers, logFile }: Setting): string {
  const groups = servers.map(
    (server, index) => `    Group s${index} {\n        + ${server}\n    }`,
  );
  return `Name bench
Bind 127.0.0.1:${port}
WorkerThreads 1
Log ${logFile}
Authority {
    Auth {
        Mode admin
    }
}
StandaloneServerPool {
    Hash crc16
    Distribution modula
    RefreshMethod fixed
${groups.join("\n")}
}
`;
}

function haproxyConfig({ port, servers }: Setting): string {
  const items = servers.map((server, index) => `    server s${index} ${server}`);
  return `global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen bench
    bind 127.0.0.1:${port}
    balance roundrobin
${items.join("\n")}
`;
}

const NUTCRACKER = {
  program: "nutcracker",
  variable: "BENCH_NUTCRACKER",
  protocols: BOTH,
  descriptorsPerClient: 1,
  config: nutcrackerConfig,
  words: nutcrackerWords,
  versionWord: "-V",
} as const satisfies PeerRow;

const OURS = { ...NUTCRACKER, program: "dist/nutcracker", variable: "BENCH_OURS" } as const;

/** `ours` first; `ours-w2` takes part only where a scenario names it. */
export const PEERS = {
  ours: OURS,
  "ours-w2": { ...OURS, words: (setting) => [...nutcrackerWords(setting), "-w", "2"] },
  nutcracker: NUTCRACKER,
  predixy: {
    program: "predixy",
    variable: "BENCH_PREDIXY",
    protocols: ["redis"],
    descriptorsPerClient: 1,
    config: predixyConfig,
    words: ({ configFile }) => [configFile],
    versionWord: "-v",
  },
  haproxy: {
    program: "haproxy",
    variable: "BENCH_HAPROXY",
    protocols: BOTH,
    descriptorsPerClient: 2,
    config: haproxyConfig,
    words: ({ configFile }) => ["-db", "-f", configFile],
    versionWord: "-v",
  },
} as const satisfies Record<string, PeerRow>;

export type PeerName = keyof typeof PEERS;
export const PEER_NAMES = Object.keys(PEERS) as readonly PeerName[];

/** Those that take part wherever they are installed, `ours` first. */
const ORDINARY = PEER_NAMES.filter((name) => name !== "ours-w2");

/** The peer with the path of its program, or null where it is not installed. */
export function findPeer(name: PeerName): Peer | null {
  const row = PEERS[name];
  const wanted = process.env[row.variable] ?? row.program;
  const searched = { PATH: `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin:/usr/bin` };
  const path = wanted.includes("/") ? Bun.which(resolve(wanted)) : Bun.which(wanted, searched);
  return path === null ? null : { ...row, name, path };
}

/**
 * Ours and all peers that are installed, or of these the ones that a list names.
 *
 * @throws Error if ours is not built, or a name is unknown or not installed
 */
export function chosenPeers(list: string | undefined): Peer[] {
  const names = list === undefined ? ORDINARY : ["ours", ...list.split(",")];
  const peers = [...new Set(names)].map((name) => {
    const known = PEER_NAMES.find((each) => each === name);
    if (known === undefined)
      throw new Error(`no peer "${name}"; there are: ${ORDINARY.join(", ")}`);
    const peer = findPeer(known);
    if (peer === null && (list !== undefined || name === "ours")) {
      throw new Error(`${name} is not there: build or install it, or set ${PEERS[known].variable}`);
    }
    return peer;
  });
  return peers.filter((peer) => peer !== null);
}
