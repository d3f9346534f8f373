/**
 * The Redis commands: how many arguments each takes, where its keys are, and what becomes of it.
 *
 * Argument counts include the command word, as in `*3 SET key value`. A command with a fixed number
 * of arguments is checked here; one that takes a varying number is left to the server, whose words
 * about its own syntax are better than ours. Where nutcracker closes the connection (too few
 * arguments, unknown commands), we answer an error.
 *
 * Of several keys the first decides in the commands that nutcracker 0.5.0 knows, wherever the
 * others are: people depend on it. The younger ones are sent only if all keys are on one server.
 *
 * To add a command: one name in a row, then `bun scripts/command-table.ts` for the README.
 */
import { CommandTable } from "../command-table.ts";
import { Route } from "../protocol.ts";
import type { CommandRow } from "./command-row.ts";
import {
  ALL_KEYS,
  ANY,
  blocking,
  CoalesceAs,
  forServer,
  KeyRule,
  keyed,
  local,
  Local,
  ONE_SERVER,
  refused,
  rows,
  split,
  together,
} from "./command-row.ts";
import { MODULE_COMMANDS } from "./module-commands.ts";

const TWO_KEYS = { lastKey: 2 };
const ALL_KEYS_TO_THE_END = { lastKey: -1 };
const STORED_COUNTED = { keyRule: KeyRule.StoredCounted };

/** What nutcracker 0.5.0 sends to the server of one key. */
const KEYED: readonly CommandRow[] = [
  // Exactly one key and nothing else.
  ...keyed(2, 2, "PERSIST PTTL TTL TYPE DUMP DECR GET GETDEL INCR STRLEN"),
  ...keyed(2, 2, "HGETALL HKEYS HLEN HVALS LLEN SCARD SMEMBERS ZCARD"),
  // A key and one argument; the newer forms of some take one more.
  ...keyed(3, 3, "APPEND DECRBY GETBIT GETSET INCRBY INCRBYFLOAT SETNX HEXISTS HGET HSTRLEN"),
  ...keyed(3, 3, "LINDEX SISMEMBER ZSCORE"),
  ...keyed(3, 3, "RPOPLPUSH", TWO_KEYS),
  ...keyed(3, 4, "EXPIRE EXPIREAT PEXPIRE PEXPIREAT ZRANK ZREVRANK"),
  // A key and two or three arguments.
  ...keyed(4, 4, "GETRANGE PSETEX SETBIT SETEX SETRANGE HINCRBY HINCRBYFLOAT HSETNX LRANGE LREM"),
  ...keyed(4, 4, "LSET LTRIM ZCOUNT ZLEXCOUNT ZINCRBY"),
  ...keyed(4, 4, "ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE"),
  ...keyed(4, 4, "SMOVE", TWO_KEYS),
  ...keyed(5, 5, "LINSERT"),
  ...keyed(5, 5, "LMOVE", TWO_KEYS),
  // A key and whatever the server makes of the rest.
  ...keyed(2, ANY, "BITCOUNT BITPOS BITFIELD GETEX SET RESTORE"),
  ...keyed(2, ANY, "HDEL HMGET HMSET HSCAN HSET HRANDFIELD"),
  ...keyed(2, ANY, "LPUSH LPUSHX RPUSH RPUSHX LPOP RPOP LPOS"),
  ...keyed(2, ANY, "SADD SREM SRANDMEMBER SSCAN SPOP SMISMEMBER PFADD"),
  ...keyed(2, ANY, "ZADD ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE"),
  ...keyed(2, ANY, "ZREM ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZSCAN"),
  ...keyed(2, ANY, "GEOADD GEODIST GEOPOS GEOHASH GEOSEARCH"),
];

/** What nutcracker 0.5.0 sends to the server of the first of several keys. */
const FIRST_KEY_DECIDES: readonly CommandRow[] = [
  ...keyed(2, ANY, "COPY ZRANGESTORE GEOSEARCHSTORE", TWO_KEYS),
  ...keyed(2, ANY, "SDIFF SDIFFSTORE SINTER SINTERSTORE SUNION SUNIONSTORE", ALL_KEYS_TO_THE_END),
  ...keyed(2, ANY, "PFMERGE PFCOUNT", ALL_KEYS_TO_THE_END),
  ...keyed(2, ANY, "SORT GEORADIUS GEORADIUSBYMEMBER", { keyRule: KeyRule.StoreOption }),
  ...keyed(2, ANY, "ZDIFFSTORE ZINTERSTORE ZUNIONSTORE", STORED_COUNTED),
  // The number of keys comes first, then the keys.
  ...keyed(3, ANY, "ZUNION ZINTER ZDIFF", { firstKey: 2, markLast: 2, keyRule: KeyRule.Counted }),
  ...keyed(4, ANY, "EVAL EVALSHA", {
    firstKey: 3,
    markLast: 3,
    keyCountAt: 2,
    keyRule: KeyRule.Counted,
  }),
];

/** Commands with one key that nutcracker 0.5.0 does not know; Redis up to 8, Valkey up to 9. */
const YOUNGER_KEYED: readonly CommandRow[] = [
  // Any type, strings.
  ...keyed(2, 2, "EXPIRETIME PEXPIRETIME DIGEST"),
  ...keyed(3, 3, "DELIFEQ"),
  ...keyed(4, 4, "SUBSTR"),
  ...keyed(2, ANY, "SORT_RO BITFIELD_RO DELEX"),
  ...keyed(3, ANY, "OBJECT", { firstKey: 2, markLast: 2 }),
  // Geo.
  ...keyed(6, ANY, "GEORADIUS_RO"),
  ...keyed(5, ANY, "GEORADIUSBYMEMBER_RO"),
  // Fields of a hash, with expiry.
  ...keyed(5, ANY, "HTTL HPTTL HEXPIRETIME HPEXPIRETIME HPERSIST HGETDEL HGETEX"),
  ...keyed(6, ANY, "HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HSETEX"),
  // Streams.
  ...keyed(2, 2, "XLEN"),
  ...keyed(3, ANY, "XDEL XPENDING XSETID XCFGSET"),
  ...keyed(4, ANY, "XACK XRANGE XREVRANGE XTRIM"),
  ...keyed(5, ANY, "XADD XDELEX"),
  ...keyed(6, ANY, "XACKDEL XAUTOCLAIM XCLAIM"),
  ...keyed(3, ANY, "XINFO XGROUP", { firstKey: 2, markLast: 2 }),
  // Vector sets.
  ...keyed(2, 2, "VCARD VDIM VINFO"),
  ...keyed(3, ANY, "VEMB VGETATTR VISMEMBER VLINKS VREM VSIM"),
  ...keyed(2, ANY, "VRANDMEMBER VRANGE"),
  ...keyed(4, ANY, "VADD VSETATTR"),
];

/** Commands with several keys that nutcracker 0.5.0 does not know. */
const YOUNGER_TOGETHER: readonly CommandRow[] = [
  ...together(3, "RENAME RENAMENX", { lastKey: 2, argumentsMax: 3 }),
  ...together(3, "LCS", { lastKey: 2 }),
  ...together(3, "MSETNX", { lastKey: -1, keyStep: 2 }),
  ...together(4, "BITOP", { firstKey: 2, lastKey: -1 }),
  ...together(4, "MSETEX", { firstKey: 2, keyStep: 2, keyRule: KeyRule.Counted }),
  ...together(4, "LMPOP ZMPOP", { firstKey: 2, keyRule: KeyRule.Counted }),
  ...together(3, "SINTERCARD ZINTERCARD", { firstKey: 2, keyRule: KeyRule.Counted }),
  ...together(3, "EVAL_RO EVALSHA_RO FCALL FCALL_RO", { firstKey: 3, keyRule: KeyRule.Counted }),
  ...together(2, "MEMORY", {
    firstKey: 2,
    keyRule: KeyRule.Subcommand,
    subcommand: "USAGE",
    refusal: ONE_SERVER,
  }),
];

/** Commands that may block: nutcracker 0.5.0 knows none of them. */
const BLOCKING: readonly CommandRow[] = [
  ...blocking(3, "BLPOP BRPOP BZPOPMIN BZPOPMAX", { lastKey: -2 }),
  ...blocking(4, "BRPOPLPUSH", { lastKey: 2, argumentsMax: 4 }),
  ...blocking(6, "BLMOVE", { lastKey: 2, argumentsMax: 6 }),
  ...blocking(5, "BLMPOP BZMPOP", { firstKey: 3, keyRule: KeyRule.Counted }),
  ...blocking(4, "XREAD", { keyRule: KeyRule.Streams }),
  ...blocking(7, "XREADGROUP", { keyRule: KeyRule.Streams }),
];

/** Divided over the servers of their keys. */
const DIVIDED: readonly CommandRow[] = [
  ...split("MGET", 2, 1, CoalesceAs.Values),
  ...split("MSET", 3, 2, CoalesceAs.Ok),
  ...split("DEL", 2, 1, CoalesceAs.Sum),
  ...split("UNLINK", 2, 1, CoalesceAs.Sum),
  ...split("TOUCH", 2, 1, CoalesceAs.Sum),
  ...split("EXISTS", 2, 1, CoalesceAs.Sum),
];

/** Answered by the proxy. */
const LOCAL: readonly CommandRow[] = [
  ...local("PING", 1, 2, Local.Ping),
  ...local("ECHO", 2, 2, Local.Echo),
  ...local("QUIT", 1, ANY, Local.Quit),
  ...local("AUTH", 2, 3, Local.Auth),
  ...local("SELECT", 2, 2, Local.Select),
  ...local("INFO", 1, ANY, Local.Info, { isForServer: true }),
  ...local("HELLO", 1, 8, Local.Hello),
  ...local("CLIENT", 2, ANY, Local.Client),
  ...local("RESET", 1, 1, Local.Reset),
  ...local("COMMAND", 1, ANY, Local.Command),
  ...local("CONFIG", 2, ANY, Local.Config, { isForServer: true }),
  ...local("TIME", 1, 1, Local.Time),
  ...local("READONLY READWRITE", 1, 1, Local.ReadMode),
];

/** Known to Redis, but not to be had through a proxy. */
const REFUSED: readonly CommandRow[] = [
  ...refused(
    "it waits for the writes of its own connection, and connections to servers are shared: " +
      "connect to a server itself",
    "WAIT WAITAOF",
  ),
  ...refused(
    "transactions need a connection of their own, and connections to servers are shared: use a " +
      "script whose keys are on one server, or connect to that server itself",
    "MULTI EXEC DISCARD WATCH UNWATCH",
  ),
  ...refused(
    "subscriptions need a connection of their own, and connections to servers are shared: " +
      "connect to a server itself",
    "SUBSCRIBE PSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE",
  ),
  ...forServer(
    "a message reaches the subscribers of one server: connect to that server itself",
    "PUBLISH SPUBLISH PUBSUB",
  ),
  ...forServer(ALL_KEYS, "KEYS SCAN RANDOMKEY DBSIZE FLUSHALL FLUSHDB SWAPDB"),
  ...forServer(
    "a key cannot move to another database through a proxy: COPY it with DB, then DEL it",
    "MOVE",
  ),
  ...forServer("a key stays on the server that its name belongs to", "MIGRATE"),
  ...refused("a key stays on the server that its name belongs to", "RESTORE-ASKING"),
  ...forServer(
    ONE_SERVER,
    "DEBUG SAVE BGSAVE BGREWRITEAOF LASTSAVE SLAVEOF REPLICAOF ROLE SLOWLOG COMMANDLOG MODULE " +
      "LATENCY ACL FAILOVER SCRIPT FUNCTION HOTKEYS PFDEBUG PFSELFTEST",
  ),
  // These end the connection, or make something else of it.
  ...refused(ONE_SERVER, "MONITOR SHUTDOWN SYNC PSYNC REPLCONF"),
  ...refused(
    "the servers behind this proxy are no cluster: use the client without its cluster mode",
    "CLUSTER CLUSTERSCAN ASKING",
  ),
];

export const COMMANDS: readonly CommandRow[] = [
  ...KEYED,
  ...FIRST_KEY_DECIDES,
  ...YOUNGER_KEYED,
  ...YOUNGER_TOGETHER,
  ...BLOCKING,
  ...MODULE_COMMANDS,
  ...DIVIDED,
  // Commands without a key: one server, always the same, answers.
  ...rows("LOLWUT", { route: Route.Placeholder }),
  ...LOCAL,
  ...REFUSED,
];

export const COMMAND_TABLE = new CommandTable(COMMANDS);
