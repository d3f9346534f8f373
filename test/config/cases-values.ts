/** Values of directives, and values that do not go together. */
import {
  type ConfigCase,
  poolWith,
  refusedValues,
  right,
  serving,
  SILENT,
  wrong,
} from "./config-case.ts";

export const NUMBERS = [
  "timeout",
  "backlog",
  "client_connections",
  "redis_db",
  "server_connections",
  "server_retry_timeout",
  "server_failure_limit",
];
const BOOLEANS = ["redis", "tcpkeepalive", "preconnect", "auto_eject_hosts"];
const NOT_NUMBERS = [
  "abc",
  "-1",
  "+1",
  '" 1"',
  "1.5",
  "0x10",
  "1e3",
  "1_000",
  "2147483648",
  "١",
  "5s",
];
const NOT_BOOLEANS = ["yes", "no", "on", "off", "1", "0", "True", "FALSE", "t", '"true "'];
const HASHES =
  "one_at_a_time md5 crc16 crc32 crc32a fnv1_64 fnv1a_64 fnv1_32 fnv1a_32 hsieh murmur jenkins";

export const VALUES: readonly ConfigCase[] = [
  ...NUMBERS.flatMap((key) => [
    ...["1", "2147483647", "'0005'"].map((value) =>
      right(`${key}: ${value}`, poolWith(`${key}: ${value}`)),
    ),
    ...refusedValues(key, "is not a number", NOT_NUMBERS),
    ...refusedValues(key, "is a duplicate", [`1\n  ${key}: 1`]),
  ]),
  ...NUMBERS.filter((key) => key !== "server_connections").map((key) =>
    right(`${key}: 0`, poolWith(`${key}: 0`)),
  ),
  ...BOOLEANS.flatMap((key) => [
    ...["true", "false", '"true"'].map((value) =>
      right(`${key}: ${value}`, poolWith(`${key}: ${value}`)),
    ),
    ...refusedValues(key, 'is not "true" or "false"', NOT_BOOLEANS),
    ...refusedValues(key, "is a duplicate", [`true\n  ${key}: true`]),
  ]),
  ...HASHES.split(" ").map((hash) => right(`hash: ${hash}`, poolWith(`hash: ${hash}`))),
  ...refusedValues("hash", "is not a valid hash", ["FNV1A_64", "sha1", "fnv", "crc", "toString"]),
  ...refusedValues("hash", "is a duplicate", ["md5\n  hash: md5"]),
  ...["ketama", "modula", "random"].map((name) =>
    right(`distribution: ${name}`, poolWith(`distribution: ${name}`)),
  ),
  ...refusedValues("distribution", "is not a valid distribution", ["Ketama", "consistent"]),
  ...refusedValues("distribution", "is a duplicate", ["random\n  distribution: random"]),
  ...['"{}"', "ab", "'##'", "é", '"\\t "', '"\\xe9"'].map((tag) =>
    right(`hash_tag: ${tag}`, poolWith(`hash_tag: ${tag}`)),
  ),
  ...refusedValues("hash_tag", "is not a valid hash tag string with two characters", [
    "a",
    "abc",
    '"{"',
    "éa",
    "€",
  ]),
  ...refusedValues("hash_tag", "is a duplicate", ['"{}"\n  hash_tag: "{}"']),
  right("redis_auth in a Redis pool", poolWith("redis: true", "redis_auth: s3cret # not this")),
  right("redis_auth before redis", poolWith("redis_auth: x", "redis: true")),
  ...refusedValues("redis_auth", "is a duplicate", ["a\n  redis_auth: b"]),
  ...[
    "Listen",
    "LISTEN",
    "server",
    "sentinels",
    "<<",
    "read_timeout",
    '"timeout "',
    "toString",
  ].map((key) =>
    wrong(
      `the key ${key}`,
      `directive "${key.replaceAll('"', "")}" is unknown`,
      poolWith(`${key}: 5`),
    ),
  ),
  wrong(
    "an unknown key with a list",
    'directive "server" is unknown',
    "a:\n  listen: 127.0.0.1:1\n  server:\n  - x:1:1\n",
  ),
  wrong("a key that is empty", SILENT, poolWith('"": 5')),
  wrong("an empty value", SILENT, poolWith("timeout:")),
  wrong("an empty quoted value", SILENT, poolWith('redis_auth: ""')),
  wrong("an empty item", SILENT, serving("x:1:1", "")),
  wrong("an empty pool name", SILENT, '"":\n  listen: 127.0.0.1:1\n  servers:\n  - x:1:1\n'),
];

export const CHECKS: readonly ConfigCase[] = [
  wrong(
    "no connections",
    'directive "server_connections:" cannot be 0',
    poolWith("server_connections: 0"),
  ),
  wrong(
    "redis_auth in a memcached pool",
    'directive "redis_auth:" is only valid for a redis pool',
    poolWith("redis_auth: x"),
  ),
  wrong(
    "redis_auth with redis: false",
    'directive "redis_auth:" is only valid for a redis pool',
    poolWith("redis: false", "redis_auth: x"),
  ),
  wrong(
    "no servers but a list",
    "pool 'alpha' has no servers",
    "alpha:\n  listen:\n  - 127.0.0.1:1\n",
  ),
  wrong(
    "the same name twice",
    "pool 'alpha' has servers with same name 'n'",
    serving("x:1:1 n", "y:1:1 n"),
  ),
  wrong(
    "the same server twice",
    "pool 'alpha' has servers with same name 'x:1'",
    serving("x:1:1", "x:1:2"),
  ),
  wrong(
    "a name that is another's address",
    "pool 'alpha' has servers with same name 'x:1'",
    serving("x:1:1", "y:2:1 x:1"),
  ),
  wrong(
    "a host that is port 11211's name",
    "pool 'alpha' has servers with same name 'x'",
    serving("x:11211:1", "y:2:1 x"),
  ),
  right("the same address under two names", serving("x:1:1 a", "x:1:1 b")),
  right("the same server, spelled differently", serving("127.0.0.1:1:1", "127.0.0.1:01:1")),
  wrong(
    "the same listen address",
    "pools 'alpha' and 'b' have the same listen address '127.0.0.1:22121'",
    `${poolWith()}b:\n  listen: 127.0.0.1:22121\n  servers:\n  - x:1:1\n`,
  ),
  wrong(
    "the same listen address, the later pool's name first",
    "pools 'b' and 'a' have the same listen address '127.0.0.1:1'",
    "b:\n  listen: 127.0.0.1:1\n  servers:\n  - x:1:1\na:\n  listen: 127.0.0.1:1\n  servers:\n  - x:1:1\n",
  ),
  right(
    "the same address, spelled differently",
    `${poolWith()}b:\n  listen: localhost:22121\n  servers:\n  - x:1:1\n`,
  ),
  wrong(
    "the same name of pools",
    "'F' has pools with same name alpha'",
    `${poolWith()}alpha:\n  listen: 127.0.0.1:1\n  servers:\n  - x:1:1\n`,
  ),
];
