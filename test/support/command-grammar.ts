/**
 * What requests for each supported Redis command look like: the forms from which tests make some.
 *
 * One line is one form. Words in capitals and digits stand for themselves, `A|B` is a choice,
 * `( ... )...` repeats one to three times, lower case names are generated (request-generator.ts):
 * the first of them that names a type is the key that decides about the server.
 *
 *   ZADD zset (score member)...   ->   ZADD {a}zset:2 1.5 m3 -7 m0
 *
 * Forms with random outcomes are left out: SPOP takes from sets of one member, SRANDMEMBER,
 * HRANDFIELD and ZRANDMEMBER ask for all members.
 */

const FORMS = `
APPEND str value
BITCOUNT str
BITCOUNT str int int
BITCOUNT str int int BYTE|BIT
BITFIELD str GET u4|i8 0|7 SET u8 3 int
BITFIELD str INCRBY i5 100 int OVERFLOW SAT|WRAP|FAIL INCRBY u2 2 1
BITPOS str bit
BITPOS str bit int int
COPY any any
COPY any any REPLACE
DECR num
DECRBY num int
DEL any...
DUMP any
EVAL script 1 str value
EVAL script 2 any any value value
EVALSHA sha 1 str value
EXISTS any
EXPIRE any seconds
EXPIREAT any timestamp
GEOADD geo (lon lat member)...
GEOADD geo NX|XX|CH lon lat member
GEODIST geo member member M|KM|FT
GEOHASH geo member...
GEOPOS geo member...
GEORADIUS geo lon lat 2000 KM ASC WITHDIST WITHCOORD
GEORADIUSBYMEMBER geo member 3000 KM ASC COUNT 2
GEOSEARCH geo FROMLONLAT lon lat BYRADIUS 2000 KM ASC
GEOSEARCH geo FROMMEMBER member BYBOX 4000 3000 KM DESC WITHHASH
GEOSEARCHSTORE geo geo FROMLONLAT lon lat BYRADIUS 2000 KM ASC STOREDIST
GET str
GETBIT str offset
GETDEL str
GETEX str
GETEX str PERSIST
GETEX str EX seconds
GETRANGE str int int
GETSET str value
HDEL hash field...
HEXISTS hash field
HGET hash field
HGETALL hash
HINCRBY hash count int
HINCRBYFLOAT hash count float
HKEYS hash
HLEN hash
HMGET hash field...
HMSET hash (field value)...
HRANDFIELD hash 1000
HRANDFIELD hash 1000 WITHVALUES
HSCAN hash 0 COUNT 1000
HSCAN hash 0 MATCH pattern COUNT 1000
HSET hash (field value)...
HSETNX hash field value
HSTRLEN hash field
HVALS hash
INCR num
INCRBY num int
INCRBYFLOAT num float
LINDEX list int
LINSERT list BEFORE|AFTER element element
LLEN list
LMOVE list list LEFT|RIGHT LEFT|RIGHT
LPOP list
LPOP list int
LPOS list element
LPOS list element RANK int COUNT 0
LPUSH list element...
LPUSHX list element...
LRANGE list int int
LREM list int element
LSET list int element
LTRIM list int int
MGET any
MGET any...
MGET str str str str str
MSET (str value)...
MSET (str value)... (num int)...
PERSIST any
PEXPIRE any milliseconds
PEXPIREAT any timestampms
PFADD hll element...
PFCOUNT hll
PFCOUNT hll hll
PFMERGE hll hll hll
PING
PSETEX str milliseconds value
PTTL any
RESTORE any 0 payload REPLACE
RESTORE any milliseconds payload
RPOP list
RPOP list int
RPOPLPUSH list list
RPUSH list element...
RPUSHX list element...
SADD set member...
SADD single one
SCARD set
SDIFF set set
SDIFFSTORE set set set
SET str value
SET str value NX|XX
SET str value EX seconds
SET str value PX milliseconds NX
SET str value KEEPTTL GET
SETBIT str offset bit
SETEX str seconds value
SETNX str value
SETRANGE str offset value
SINTER set set
SINTERSTORE set set set
SISMEMBER set member
SMEMBERS set
SMISMEMBER set member...
SMOVE set set member
SORT list ALPHA
SORT set ALPHA DESC LIMIT int int
SORT list ALPHA STORE list
SPOP single
SPOP single 3
SRANDMEMBER single
SRANDMEMBER set 1000
SREM set member...
SSCAN set 0 COUNT 1000
STRLEN str
SUNION set set
SUNIONSTORE set set
TOUCH any...
TTL any
TYPE any
UNLINK any...
ZADD zset (score member)...
ZADD zset NX|XX|GT|LT CH score member
ZADD zset INCR score member
ZCARD zset
ZCOUNT zset low high
ZDIFFSTORE zset 2 zset zset
ZINCRBY zset score member
ZINTERSTORE zset 2 zset zset AGGREGATE SUM|MIN|MAX
ZLEXCOUNT zset lexlow lexhigh
ZMSCORE zset member...
ZPOPMAX zset
ZPOPMAX zset int
ZPOPMIN zset
ZPOPMIN zset int
ZRANDMEMBER zset 1000
ZRANDMEMBER zset 1000 WITHSCORES
ZRANGE zset int int
ZRANGE zset int int REV WITHSCORES
ZRANGE zset low high BYSCORE LIMIT 0 2
ZRANGEBYLEX zset lexlow lexhigh
ZRANGEBYSCORE zset low high WITHSCORES
ZRANGESTORE zset zset int int
ZRANK zset member
ZREM zset member...
ZREMRANGEBYLEX zset lexlow lexhigh
ZREMRANGEBYRANK zset int int
ZREMRANGEBYSCORE zset low high
ZREVRANGE zset int int
ZREVRANGE zset int int WITHSCORES
ZREVRANGEBYLEX zset lexhigh lexlow
ZREVRANGEBYSCORE zset high low WITHSCORES
ZREVRANK zset member
ZSCAN zset 0 COUNT 1000
ZSCORE zset member
ZUNIONSTORE zset 2 zset zset WEIGHTS 2 3
`;

/** Forms that nutcracker routes by the number of keys, or does not split; we route by the keys. */
const FORMS_ROUTED_OTHERWISE = `
EXISTS any any any
ZDIFF 2 zset zset WITHSCORES
ZINTER 2 zset zset
ZUNION 2 zset zset WITHSCORES
`;

/** One form of a command, in words. */
export interface Form {
  readonly name: string;
  readonly words: readonly string[];
}

function parseForms(text: string): Form[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [name, ...words] = line.split(" ") as [string, ...string[]];
      return { name, words };
    });
}

export const COMMAND_FORMS: readonly Form[] = parseForms(FORMS);
export const OTHERWISE_ROUTED_FORMS: readonly Form[] = parseForms(FORMS_ROUTED_OTHERWISE);

/** Supported commands that have no form: answered without a key, or by closing. */
export const KEYLESS_COMMANDS: readonly string[] = ["AUTH", "COMMAND", "LOLWUT", "MOVE", "QUIT"];

/**
 * Argument counts that nutcracker accepts, the command word included: `2` is exactly two, `2+` two
 * or more, `3++` three, five, seven … MOVE and QUIT are read but answered by closing.
 */
const ACCEPTED_COUNTS = `
1: COMMAND PING QUIT
1+: LOLWUT
2: AUTH DECR DUMP GET GETDEL HGETALL HKEYS HLEN HVALS INCR LLEN PERSIST PTTL SCARD SMEMBERS STRLEN
2: TTL TYPE ZCARD
3: APPEND DECRBY EXPIRE EXPIREAT GETBIT GETSET HEXISTS HGET HSTRLEN INCRBY INCRBYFLOAT LINDEX MOVE
3: PEXPIRE PEXPIREAT RPOPLPUSH SETNX SISMEMBER ZRANK ZREVRANK ZSCORE
4: GETRANGE HINCRBY HINCRBYFLOAT HSETNX LRANGE LREM LSET LTRIM PSETEX SETBIT SETEX SETRANGE SMOVE
4: ZCOUNT ZINCRBY ZLEXCOUNT ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE
5: LINSERT LMOVE
2+: BITCOUNT BITFIELD BITPOS COPY DEL EXISTS GEOADD GEODIST GEOHASH GEOPOS GEORADIUS
2+: GEORADIUSBYMEMBER GEOSEARCH GEOSEARCHSTORE GETEX HDEL HMGET HMSET HRANDFIELD HSCAN HSET LPOP
2+: LPOS LPUSH LPUSHX MGET PFADD PFCOUNT PFMERGE RESTORE RPOP RPUSH RPUSHX SADD SDIFF SDIFFSTORE SET
2+: SINTER SINTERSTORE SMISMEMBER SORT SPOP SRANDMEMBER SREM SSCAN SUNION SUNIONSTORE TOUCH UNLINK
2+: ZADD ZDIFF ZDIFFSTORE ZINTER ZINTERSTORE ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX
2+: ZRANGEBYSCORE ZRANGESTORE ZREM ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZSCAN ZUNION
2+: ZUNIONSTORE
3++: MSET
4+: EVAL EVALSHA
`;

/** By command: whether nutcracker accepts this number of arguments, the command word included. */
export const ACCEPTS: ReadonlyMap<string, (count: number) => boolean> = new Map(
  ACCEPTED_COUNTS.trim()
    .split("\n")
    .flatMap((line) => {
      const [rule, names] = line.split(": ") as [string, string];
      const least = Number.parseInt(rule, 10);
      const accepts = (count: number): boolean => {
        if (rule.endsWith("++")) return count >= least && (count - least) % 2 === 0;
        return rule.endsWith("+") ? count >= least : count === least;
      };
      return names.split(" ").map((name) => [name, accepts] as const);
    }),
);

/** Commands of Redis that neither nutcracker nor the proxy pass on. */
export const UNSUPPORTED_COMMANDS: readonly string[] = `
ACL ASKING BGREWRITEAOF BGSAVE CLIENT
CLUSTER CONFIG DBSIZE DEBUG DISCARD EXEC FAILOVER FLUSHALL FLUSHDB FUNCTION HELLO KEYS LASTSAVE
LATENCY MIGRATE MODULE MONITOR MULTI PFDEBUG PFSELFTEST PSUBSCRIBE PSYNC PUBLISH PUBSUB PUNSUBSCRIBE
RANDOMKEY REPLICAOF ROLE SAVE SCAN SCRIPT SHUTDOWN SLAVEOF SLOWLOG SPUBLISH
SSUBSCRIBE STRALGO SUBSCRIBE SWAPDB SYNC UNSUBSCRIBE UNWATCH WAIT WATCH ZREVRANGESTORE
`
  .trim()
  .split(/\s+/);
