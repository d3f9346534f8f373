/** Every spelling of addresses of listeners and servers. */
import {
  type ConfigCase,
  LISTEN,
  listening,
  MODE,
  refusedValues,
  right,
  SERVER,
  SERVER_FORMAT,
  serving,
  wrong,
} from "./config-case.ts";

export const ADDRESSES: readonly ConfigCase[] = [
  ...[
    "127.0.0.1:1",
    "127.0.0.1:65535",
    "0.0.0.0:22121",
    "::1:22121",
    "':::22121'",
    "::ffff:127.0.0.1:1",
    "127.0.0.1:0080",
    "localhost:22121",
  ].map((listen) => right(`listen: ${listen}`, listening(listen))),
  ...[
    "/tmp/a.sock",
    "/tmp/a.sock 0666",
    "/tmp/a.sock 777",
    "/tmp/a.sock 0",
    `/${"x".repeat(106)}`,
    "/tmp/a:b",
    "/tmp/a b 0600",
    '"/tmp/a.sock  0600"',
  ].map((listen) => right(`listen: ${listen}`, listening(listen))),
  ...["22121", "localhost", "relative/path"].map((listen) =>
    wrong(`listen: ${listen}`, `directive "listen" has an invalid ${LISTEN}`, listening(listen)),
  ),
  ...[
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:x",
    '"127.0.0.1:"',
    "127.0.0.1:-1",
    '"127.0.0.1: 1"',
    "::1]:x",
  ].map((listen) =>
    wrong(
      `listen: ${listen}`,
      `directive "listen" has an invalid port in ${LISTEN}`,
      listening(listen),
    ),
  ),
  ...["/tmp/a.sock 1000", "/tmp/a.sock 7777777"].map((listen) =>
    wrong(
      `listen: ${listen}`,
      `directive "listen" has an invalid file permission in ${MODE}`,
      listening(listen),
    ),
  ),
  wrong(
    "listen: a long path",
    'directive "listen" has an invalid value',
    listening(`/${"x".repeat(107)}`),
  ),
  wrong("listen without a host", 'directive "listen" has an invalid value', listening(":22121")),
  ...refusedValues("listen", "is a duplicate", ["127.0.0.1:2"]),
  wrong("listen is missing", 'directive "listen:" is missing', "a:\n  servers:\n  - x:1:1\n"),

  ...[
    "localhost:1:1",
    "127.0.0.1:6379:1 name",
    "x:11211:1",
    "::1:6379:1",
    "fe80::1%eth0:6379:1 n",
    "a:b:17100:1",
    ":6379:1",
    "x:1:2147483647",
    "x:01:01",
    "x y:1:1 n",
    "no-such-host.invalid:1:1",
    '"x:1:1 "',
    "'*:1:1'",
  ].map((item) => right(`server ${item}`, serving(item))),
  ...["/tmp/a.sock:1", "/tmp/a.sock:1 name", "/:1", "/tmp/a b:1 n", `/${"x".repeat(200)}:1`].map(
    (item) => right(`server ${item.slice(0, 30)}`, serving(item)),
  ),
  ...["x", "x:1", "name", "/tmp/a", "/tmp/a:b:1", "/tmp/a b:1"].map((item) =>
    wrong(`server ${item}`, `directive "servers" ${SERVER_FORMAT}`, serving(item)),
  ),
  ...[
    "x:1:a",
    '"x:1:"',
    "x:1:-1",
    "x:1:1  name",
    '"x:1:1\\tname"',
    "x:1:1 n ame",
    "/tmp/a:x",
    "x:1:1:",
  ].map((item) =>
    wrong(
      `server ${item}`,
      `directive "servers" has an invalid weight in ${SERVER}`,
      serving(`'${item}'`.replace(/^'"(.*)"'$/, '"$1"')),
    ),
  ),
  ...["x:1:0", "x:1:000 n", "/tmp/a:0"].map((item) =>
    wrong(`server ${item}`, `directive "servers" has a zero weight in ${SERVER}`, serving(item)),
  ),
  ...["x:0:1", "x:65536:1", "x:y:1", "x::1", "x:-1:1"].map((item) =>
    wrong(`server ${item}`, `directive "servers" has an invalid port in ${SERVER}`, serving(item)),
  ),
];
