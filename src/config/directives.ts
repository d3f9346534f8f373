/**
 * The table of directives: everything that may stand in a pool, one row per key with its default,
 * what is allowed, what it is for, and how its text gets into a PoolDraft.
 *
 * load.ts reads a pool with it; help texts and the check of README's table read it as well.
 * Defaults are texts and go through the same reader as the file's, so that there is one truth.
 */

import { HASH_NAMES, type HashName, isHashName } from "../hash/hashes.ts";
import {
  DISTRIBUTION_NAMES,
  type DistributionName,
  isDistributionName,
} from "../routing/distributions.ts";
import { NUMBER_MAX, readDigits, readListen, readServer } from "./addresses.ts";
import type { EjectPolicy, PoolConfig, ServerConfig } from "./config.ts";
import type { Reading, Refusal } from "./config-error.ts";

/** A pool while it is read. A field appears with the first good value of its directive. */
export type PoolDraft = {
  -readonly [Field in keyof Omit<PoolConfig, "name" | "servers">]?: PoolConfig[Field];
} & { readonly servers: ServerConfig[] };

export interface Directive {
  readonly key: string;
  /** Other spellings of the key. */
  readonly aliases?: readonly string[];
  /** As it would stand in the file; null if there is none. */
  readonly defaultText: string | null;
  readonly allowed: string;
  readonly help: string;
  /** Puts the value that `text` means into the draft, or says why not. */
  readonly set: Setter;
}

type Setter = (draft: PoolDraft, text: string) => Refusal | null;
type DraftField = Exclude<keyof PoolDraft, "servers">;
type FieldsOf<Value> = {
  [Field in DraftField]: PoolConfig[Field] extends Value ? Field : never;
}[DraftField];

const BOOLEAN = "true or false";
const COUNT = `a number from 0 to ${NUMBER_MAX}`;
const MILLISECONDS = `a number of milliseconds from 0 to ${NUMBER_MAX}`;

export const DIRECTIVES: readonly Directive[] = [
  {
    key: "listen",
    defaultText: null,
    allowed: 'an address like "127.0.0.1:22121" or "/path/to/socket 0660"',
    help: "Where clients connect: host:port, or the path of a unix socket and its octal mode.",
    set: take("listen", readListen),
  },
  {
    key: "hash",
    defaultText: "fnv1a_64",
    allowed: `one of ${HASH_NAMES.join(", ")}`,
    help: "The function that turns a key into a number.",
    set: take("hash", readHash),
  },
  {
    key: "hash_tag",
    defaultText: null,
    allowed: "exactly two bytes",
    help: 'Two characters, like "{}": only what a key has between them decides its server.',
    set: take("hashTag", readHashTag),
  },
  {
    key: "distribution",
    defaultText: "ketama",
    allowed: `one of ${DISTRIBUTION_NAMES.join(", ")}`,
    help: "How keys spread over the servers.",
    set: take("distribution", readDistribution),
  },
  {
    key: "timeout",
    defaultText: "0",
    allowed: MILLISECONDS,
    help: "Longest wait for a connection or a response of a server; 0 waits forever.",
    set: number("timeoutMs"),
  },
  {
    key: "backlog",
    defaultText: "512",
    allowed: COUNT,
    help: "Most connections that may wait to be accepted.",
    set: number("backlog"),
  },
  {
    key: "client_connections",
    defaultText: "0",
    allowed: COUNT,
    help: "Most clients at a time; 0 sets no limit.",
    set: number("clientConnections"),
  },
  {
    key: "client_idle_timeout",
    defaultText: "0",
    allowed: MILLISECONDS,
    help: "Closes a client that sends nothing and waits for nothing for so long; 0 never does.",
    set: number("clientIdleTimeoutMs"),
  },
  {
    key: "redis",
    defaultText: "false",
    allowed: BOOLEAN,
    help: "true: the pool speaks Redis; false: it speaks memcached.",
    set: boolean("isRedis"),
  },
  {
    key: "tcpkeepalive",
    defaultText: "false",
    allowed: BOOLEAN,
    help: "Lets the system probe idle connections, so that dead peers are noticed.",
    set: boolean("tcpKeepalive"),
  },
  {
    key: "reuseport",
    aliases: ["reuse_port"],
    defaultText: "false",
    allowed: BOOLEAN,
    help: "Lets several processes listen on one address; the kernel spreads clients over them.",
    set: boolean("reusePort"),
  },
  {
    key: "redis_auth",
    defaultText: null,
    allowed: "any text that is not empty, in a pool with redis: true",
    help: "Password that is sent to the servers and asked of the clients.",
    set: take("redisAuth", readText),
  },
  {
    key: "redis_db",
    defaultText: "0",
    allowed: COUNT,
    help: "Number of the database that is selected on every server.",
    set: number("redisDb"),
  },
  {
    key: "memcached_flush_all",
    defaultText: "false",
    allowed: BOOLEAN,
    help: "Passes flush_all on to every server of a memcached pool, which empties them all.",
    set: boolean("memcachedFlushAll"),
  },
  {
    key: "redis_server_commands",
    defaultText: "false",
    allowed: `${BOOLEAN}, true in a pool with redis: true and one server`,
    help: "Passes commands about a whole server (FLUSHALL, SCAN, CONFIG ...) on to the only one.",
    set: boolean("redisServerCommands"),
  },
  {
    key: "preconnect",
    defaultText: "false",
    allowed: BOOLEAN,
    help: "Connects to all servers at the start instead of with the first request.",
    set: boolean("preconnect"),
  },
  {
    key: "auto_eject_hosts",
    defaultText: "false",
    allowed: BOOLEAN,
    help: "Takes a server that keeps failing out of service for a while; eject_policy implies it.",
    set: boolean("autoEjectHosts"),
  },
  {
    key: "eject_policy",
    defaultText: "rehash",
    allowed: "rehash, fail_fast, or failover: and the name of another pool of the same protocol",
    help: "Where the keys of an ejected server go: other servers, an error, or another pool.",
    set: setEjectPolicy,
  },
  {
    key: "server_connections",
    defaultText: "1",
    allowed: `a number from 1 to ${NUMBER_MAX}`,
    help: "Connections to each server, shared by all clients.",
    set: number("serverConnections"),
  },
  {
    key: "server_retry_timeout",
    defaultText: "30000",
    allowed: MILLISECONDS,
    help: "Longest time between two looks at a server that is ejected.",
    set: number("serverRetryTimeoutMs"),
  },
  {
    key: "server_probe_interval",
    defaultText: "0",
    allowed: MILLISECONDS,
    help: "Time until an ejected server is probed; 0: server_retry_timeout, or 1000 by policy.",
    set: number("serverProbeIntervalMs"),
  },
  {
    key: "server_failure_limit",
    defaultText: "2",
    allowed: COUNT,
    help: "Failures in a row after which a server is ejected; 0 means the same as 1.",
    set: number("serverFailureLimit"),
  },
  {
    key: "servers",
    defaultText: null,
    allowed: 'a list of servers like "127.0.0.1:6379:1", with or without a name after a blank',
    help: "The servers: host:port:weight or /path:weight, each with a name if you like.",
    set: addServer,
  },
];

const directivesByKey: ReadonlyMap<string, Directive> = new Map(
  DIRECTIVES.flatMap((directive) =>
    [directive.key, ...(directive.aliases ?? [])].map((key) => [key, directive] as const),
  ),
);

/** The row of a key or of one of its other spellings. Keys are case sensitive. */
export function directiveOf(key: string): Directive | undefined {
  return directivesByKey.get(key);
}

function take<Field extends DraftField>(
  field: Field,
  read: (text: string) => Reading<NonNullable<PoolDraft[Field]>>,
): Setter {
  return (draft, text) => {
    const reading = read(text);
    if ("refusal" in reading) {
      return reading.refusal;
    }
    draft[field] = reading.value;
    return null;
  };
}

function number(field: FieldsOf<number>): Setter {
  return (draft, text) => {
    const value = readDigits(text);
    if (value < 0) {
      return { legacy: "is not a number" };
    }
    draft[field] = value;
    return null;
  };
}

function boolean(field: FieldsOf<boolean>): Setter {
  return (draft, text) => {
    if (text !== "true" && text !== "false") {
      return { legacy: 'is not "true" or "false"' };
    }
    draft[field] = text === "true";
    return null;
  };
}

function addServer(draft: PoolDraft, text: string): Refusal | null {
  const reading = readServer(text);
  if ("refusal" in reading) {
    return reading.refusal;
  }
  draft.servers.push(reading.value);
  return null;
}

/** As in "failover: beta". A mapping of this key to a pool comes as the same text. */
const FAILOVER = /^failover:[ \t]*(\S.*)$/;

function setEjectPolicy(draft: PoolDraft, text: string): Refusal | null {
  const pool = FAILOVER.exec(text)?.[1];
  if (pool === undefined && text !== "rehash" && text !== "fail_fast") {
    return { legacy: "is not a valid eject policy" };
  }
  draft.ejectPolicy = pool === undefined ? (text as EjectPolicy) : "failover";
  draft.failoverPool = pool ?? null;
  return null;
}

function readHash(text: string): Reading<HashName> {
  return isHashName(text) ? { value: text } : { refusal: { legacy: "is not a valid hash" } };
}

function readDistribution(text: string): Reading<DistributionName> {
  return isDistributionName(text)
    ? { value: text }
    : { refusal: { legacy: "is not a valid distribution" } };
}

function readHashTag(text: string): Reading<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return bytes.length === 2
    ? { value: bytes }
    : { refusal: { legacy: "is not a valid hash tag string with two characters" } };
}

function readText(text: string): Reading<string> {
  return { value: text };
}
