/** Where nutcracker and we differ on purpose. */
import { NUMBERS } from "./cases-values.ts";
import {
  type ConfigCase,
  LISTEN,
  listening,
  MODE,
  poolWith,
  right,
  SCANNER,
  SERVER,
  serving,
  wrong,
} from "./config-case.ts";

const MENDED = "numbers that wrap are refused";
export const DIFFERENCES: readonly ConfigCase[] = [
  ...NUMBERS.map((key) => ({
    ...right(`${key}: 99999999999`, poolWith(`${key}: 99999999999`)),
    ours: { line: `conf: directive "${key}" is not a number`, because: MENDED },
  })),
  {
    ...right("a weight that wraps", serving("x:1:4294967297")),
    ours: { line: `conf: directive "servers" has an invalid weight in ${SERVER}`, because: MENDED },
  },
  {
    ...right("a port that wraps", serving("x:4294967297:1")),
    ours: { line: `conf: directive "servers" has an invalid port in ${SERVER}`, because: MENDED },
  },
  {
    ...right("a listen port that wraps", listening("127.0.0.1:4294967297")),
    ours: { line: `conf: directive "listen" has an invalid port in ${LISTEN}`, because: MENDED },
  },
  ...["rw", "0998", "0o666", "-rw-rw-rw-"].map((mode) => ({
    ...right(`the mode ${mode}`, listening(`/tmp/a.sock ${mode}`)),
    ours: {
      line: `conf: directive "listen" has an invalid file permission in ${MODE}`,
      because: "nutcracker takes what is not octal for 0",
    },
  })),
  ...["max_buffer_memory: 1gb", "workers: 2"].map((line) => ({
    ...wrong(
      `the setting ${line}`,
      "'F' has invalid mapping \"key:\" at depth 1",
      `${line}\n${poolWith()}`,
    ),
    ours: { line: null, because: "a setting of ours" },
  })),
  {
    ...wrong(
      "brackets around IPv6",
      'directive "listen" has an invalid value',
      listening("'[::1]:22121'"),
    ),
    ours: { line: null, because: "brackets are understood" },
  },
  {
    ...wrong("reuseport", 'directive "reuseport" is unknown', poolWith("reuseport: true")),
    ours: { line: null, because: "a directive of nutcracker after 0.5.0" },
  },
  {
    ...wrong("reuse_port", 'directive "reuse_port" is unknown', poolWith("reuse_port: true")),
    ours: { line: null, because: "another spelling of reuseport" },
  },
  ...["xxh32", "xxh64", "xxh3"].map((hash) => ({
    ...wrong(`hash: ${hash}`, 'directive "hash" is not a valid hash', poolWith(`hash: ${hash}`)),
    ours: { line: null, because: "a hash of ours" },
  })),
  {
    ...wrong(
      "a host that does not resolve",
      'directive "listen" has an invalid value',
      listening("no-such-host.invalid:22121"),
    ),
    ours: { line: null, because: "names are resolved when the pool starts to listen" },
  },
  {
    ...right(
      "a quoted text with a line that is not indented",
      poolWith("redis: true", 'redis_auth: "a', 'b"'),
    ),
    ours: { line: SCANNER, because: "the yaml package wants such lines indented" },
  },
  {
    ...wrong(
      "a colon on the next line",
      SCANNER.slice("conf: ".length),
      `${poolWith()}b\n  :\n  listen: 127.0.0.1:1\n  servers:\n  - x:1:1\n`,
    ),
    ours: { line: null, because: "the yaml package takes it, and it can mean one thing only" },
  },
];
