/**
 * The Redis commands: how many arguments each takes, where its keys are, and what becomes of it.
 *
 * Argument counts include the command word, as in `*3 SET key value`. A command with a fixed number
 * of arguments is checked here; one that takes a varying number is left to the server, whose words
 * about its own syntax are better than ours. Where nutcracker closes the connection (too few
 * arguments, unknown commands), we answer an error.
 *
 * To add a command: one name in a row, one line in the README table if its class is new.
 */
import { CommandTable } from "../command-table.ts";
import { Route } from "../protocol.ts";

/** How the replies of the fragments become one. */
export const CoalesceAs = {
  /** One array with the values in the order of the keys. */
  Values: 0,
  /** The sum of the numbers. */
  Sum: 1,
  /** One +OK. */
  Ok: 2,
} as const;

/** What the proxy answers by itself; local-replies.ts has one case for each. */
export const Local = {
  None: 0,
  Ping: 1,
  Echo: 2,
  Quit: 3,
  Auth: 4,
  Select: 5,
  Info: 6,
  Hello: 7,
  Client: 8,
} as const;
export type Local = (typeof Local)[keyof typeof Local];

export interface CommandRow {
  readonly name: string;
  readonly route: Route;
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  /** Index of the first key among the arguments. */
  readonly firstKey: number;
  /** From one key to the next: 1 for MGET, 2 for MSET. */
  readonly keyStep: number;
  /** The last argument whose place the parser notes. */
  readonly markLast: number;
  /** Index of the argument that counts the keys and must be 1 or more; -1 = none. */
  readonly keyCountAt: number;
  readonly coalesceAs: number;
  /** Name for fragments, in lower case as nutcracker writes it. */
  readonly fragmentName: string;
  readonly local: Local;
  /** Why the command is refused. */
  readonly refusal: string;
}

const ANY = 1024 * 1024;

const EMPTY_ROW: CommandRow = {
  name: "",
  route: Route.Refuse,
  argumentsMin: 1,
  argumentsMax: ANY,
  firstKey: 1,
  keyStep: 1,
  markLast: 1,
  keyCountAt: -1,
  coalesceAs: 0,
  fragmentName: "",
  local: Local.None,
  refusal: "",
};

/** The row of every name that no table knows. */
export const UNKNOWN_COMMAND: CommandRow = EMPTY_ROW;

type Settings = Partial<CommandRow>;

function rows(names: string, settings: Settings): CommandRow[] {
  return names.split(/\s+/).map((name) => ({ ...EMPTY_ROW, ...settings, name }));
}

/** Commands with one routing key. */
function keyed(argumentsMin: number, argumentsMax: number, names: string, more: Settings = {}) {
  return rows(names, { route: Route.Key, argumentsMin, argumentsMax, ...more });
}

function split(name: string, argumentsMin: number, keyStep: number, coalesceAs: number) {
  const fragmentName = name.toLowerCase();
  const settings = { argumentsMin, keyStep, coalesceAs, fragmentName, markLast: ANY };
  return rows(name, { ...settings, route: Route.Keys });
}

function local(name: string, argumentsMin: number, argumentsMax: number, what: Local) {
  return rows(name, { route: Route.Local, argumentsMin, argumentsMax, local: what, markLast: 8 });
}

function refused(refusal: string, names: string): CommandRow[] {
  return rows(names, { refusal });
}

export const COMMANDS: readonly CommandRow[] = [
  // Exactly one key and nothing else.
  ...keyed(2, 2, "PERSIST PTTL TTL TYPE DUMP DECR GET GETDEL INCR STRLEN"),
  ...keyed(2, 2, "HGETALL HKEYS HLEN HVALS LLEN SCARD SMEMBERS ZCARD"),
  // A key and one argument; the newer forms of some take one more.
  ...keyed(3, 3, "APPEND DECRBY GETBIT GETSET INCRBY INCRBYFLOAT SETNX HEXISTS HGET HSTRLEN"),
  ...keyed(3, 3, "LINDEX RPOPLPUSH SISMEMBER ZSCORE"),
  ...keyed(3, 4, "EXPIRE EXPIREAT PEXPIRE PEXPIREAT ZRANK ZREVRANK"),
  // A key and two or three arguments.
  ...keyed(4, 4, "GETRANGE PSETEX SETBIT SETEX SETRANGE HINCRBY HINCRBYFLOAT HSETNX LRANGE LREM"),
  ...keyed(4, 4, "LSET LTRIM SMOVE ZCOUNT ZLEXCOUNT ZINCRBY"),
  ...keyed(4, 4, "ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE"),
  ...keyed(5, 5, "LINSERT LMOVE"),
  // A key and whatever the server makes of the rest. With several keys the first one decides.
  ...keyed(2, ANY, "SORT COPY BITCOUNT BITPOS BITFIELD GETEX SET RESTORE"),
  ...keyed(2, ANY, "HDEL HMGET HMSET HSCAN HSET HRANDFIELD"),
  ...keyed(2, ANY, "LPUSH LPUSHX RPUSH RPUSHX LPOP RPOP LPOS"),
  ...keyed(2, ANY, "SADD SDIFF SDIFFSTORE SINTER SINTERSTORE SREM SUNION SUNIONSTORE SRANDMEMBER"),
  ...keyed(2, ANY, "SSCAN SPOP SMISMEMBER PFADD PFMERGE PFCOUNT"),
  ...keyed(2, ANY, "ZADD ZDIFFSTORE ZINTERSTORE ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE"),
  ...keyed(2, ANY, "ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZREM ZREVRANGE ZREVRANGEBYLEX"),
  ...keyed(2, ANY, "ZREVRANGEBYSCORE ZSCAN ZUNIONSTORE"),
  ...keyed(2, ANY, "GEOADD GEODIST GEOPOS GEOHASH GEORADIUS GEORADIUSBYMEMBER GEOSEARCH"),
  ...keyed(2, ANY, "GEOSEARCHSTORE"),
  // The number of keys comes first, then the keys.
  ...keyed(3, ANY, "ZUNION ZINTER ZDIFF", { firstKey: 2, markLast: 2 }),
  ...keyed(4, ANY, "EVAL EVALSHA", { firstKey: 3, markLast: 3, keyCountAt: 2 }),
  // Divided over the servers of their keys.
  ...split("MGET", 2, 1, CoalesceAs.Values),
  ...split("MSET", 3, 2, CoalesceAs.Ok),
  ...split("DEL", 2, 1, CoalesceAs.Sum),
  ...split("UNLINK", 2, 1, CoalesceAs.Sum),
  ...split("TOUCH", 2, 1, CoalesceAs.Sum),
  ...split("EXISTS", 2, 1, CoalesceAs.Sum),
  // Commands without a key: one server, always the same, answers.
  ...rows("COMMAND LOLWUT", { route: Route.Placeholder }),
  // Answered by the proxy.
  ...local("PING", 1, 2, Local.Ping),
  ...local("ECHO", 2, 2, Local.Echo),
  ...local("QUIT", 1, ANY, Local.Quit),
  ...local("AUTH", 2, 3, Local.Auth),
  ...local("SELECT", 2, 2, Local.Select),
  ...local("INFO", 1, ANY, Local.Info),
  ...local("HELLO", 1, 8, Local.Hello),
  ...local("CLIENT", 2, 9, Local.Client),
  // Known to Redis, but not to be had through a proxy.
  ...refused(
    "it would block a connection that is shared with other clients",
    "BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF XREAD XREADGROUP",
  ),
  ...refused(
    "transactions need a connection of their own, and connections to servers are shared",
    "MULTI EXEC DISCARD WATCH UNWATCH",
  ),
  ...refused(
    "subscriptions need a connection of their own, and connections to servers are shared",
    "SUBSCRIBE PSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE PUBLISH SPUBLISH PUBSUB",
  ),
  ...refused(
    "it concerns all keys of a server, and keys are spread over several: ask each server itself",
    "KEYS SCAN RANDOMKEY DBSIZE FLUSHALL FLUSHDB SWAPDB",
  ),
  ...refused(
    "its keys may be on different servers",
    "MSETNX RENAME RENAMENX BITOP MIGRATE LMPOP ZMPOP SINTERCARD ZINTERCARD LCS",
  ),
  ...refused("a key cannot move to another database through a proxy", "MOVE"),
  ...refused(
    "it concerns one server: connect to that server itself",
    "CONFIG DEBUG MONITOR SAVE BGSAVE BGREWRITEAOF LASTSAVE SHUTDOWN SLAVEOF REPLICAOF ROLE SYNC " +
      "PSYNC SLOWLOG MEMORY MODULE LATENCY ACL CLUSTER FAILOVER SCRIPT FUNCTION",
  ),
];

export const COMMAND_TABLE = new CommandTable(COMMANDS);
