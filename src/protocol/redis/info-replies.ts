/**
 * INFO, CONFIG GET and TIME: what ready checks and tools read, about the proxy itself. Nothing is
 * told that each of the servers behind it may answer in its own way.
 */
import type { ClientSession } from "../protocol.ts";
import { globMatches } from "./glob.ts";
import { REDIS_VERSION } from "./replies.ts";
import { ONE_SERVER } from "./command-row.ts";
import { encodeValue, Verbatim } from "./resp-values.ts";
import type { Subcommand } from "./subcommands.ts";
import { runSubcommand } from "./subcommands.ts";

type Facts = readonly (readonly [string, string | number])[];

/** Title and contents of each section, in the order of Redis. */
const SECTIONS: readonly (readonly [string, (session: ClientSession) => Facts])[] = [
  ["Server", serverFacts],
  ["Clients", clientFacts],
  ["Persistence", () => [["loading", 0]]],
  ["Stats", (session) => [["total_connections_received", statistic(session, "total_connections")]]],
  [
    "Replication",
    () => [
      ["role", "master"],
      ["connected_slaves", 0],
    ],
  ],
  ["Cluster", () => [["cluster_enabled", 0]]],
  ["Proxy", (session) => [["nutcracker_version", "0.5.0"], ...session.poolFacts()]],
];

const ALL_SECTIONS = new Set(["all", "default", "everything"]);

const SECONDS_PER_DAY = 86_400;

function statistic(session: ClientSession, name: string): string | number {
  return session.statistics().find(([each]) => each === name)?.[1] ?? 0;
}

function serverFacts(session: ClientSession): Facts {
  const uptime = Number(statistic(session, "uptime"));
  return [
    ["redis_version", REDIS_VERSION],
    ["redis_mode", "standalone"],
    ["process_id", statistic(session, "pid")],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / SECONDS_PER_DAY)],
  ];
}

function clientFacts(session: ClientSession): Facts {
  const peers = [...session.peers()];
  return [
    ["connected_clients", peers.length],
    ["blocked_clients", peers.filter((peer) => peer.isBlocked).length],
  ];
}

/** INFO [section ...] */
export function infoReply(words: readonly string[], session: ClientSession): Buffer {
  const asked = new Set(words.slice(1).map((word) => word.toLowerCase()));
  const isAll = asked.size === 0 || [...asked].some((word) => ALL_SECTIONS.has(word));
  const texts = SECTIONS.filter(([title]) => isAll || asked.has(title.toLowerCase())).map(
    ([title, facts]) => {
      const lines = facts(session).map(([name, value]) => `${name}:${value}\r\n`);
      return `# ${title}\r\n${lines.join("")}`;
    },
  );
  return encodeValue(new Verbatim(texts.join("\r\n")), session.protocolVersion);
}

/** What tools ask for before they do anything; the values of a server that is left as it comes. */
const CONFIG_VALUES: ReadonlyMap<string, string> = new Map([
  ["appendonly", "no"],
  ["databases", "16"],
  ["maxmemory", "0"],
  ["maxmemory-policy", "noeviction"],
  ["notify-keyspace-events", ""],
  ["proto-max-bulk-len", "536870912"],
  ["save", ""],
  ["timeout", "0"],
]);

const CONFIG_SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ["GET", [3, Infinity, configGetReply]],
  ["SET", ONE_SERVER],
  ["REWRITE", ONE_SERVER],
  ["RESETSTAT", ONE_SERVER],
]);

export function configReply(words: readonly string[], session: ClientSession): Buffer {
  return runSubcommand(CONFIG_SUBCOMMANDS, words, session);
}

/** CONFIG GET pattern [pattern ...]: nothing for names that are not known here. */
function configGetReply(words: readonly string[], session: ClientSession): Buffer {
  const patterns = words.slice(2);
  const found = [...CONFIG_VALUES].filter(([name]) =>
    patterns.some((pattern) => globMatches(pattern, name)),
  );
  return encodeValue(new Map(found), session.protocolVersion);
}

/** Seconds and microseconds, as texts. */
export function timeReply(session: ClientSession): Buffer {
  const microseconds = session.wallClockUs();
  const seconds = Math.floor(microseconds / 1_000_000);
  const rest = microseconds - seconds * 1_000_000;
  return encodeValue([String(seconds), String(rest)], session.protocolVersion);
}
