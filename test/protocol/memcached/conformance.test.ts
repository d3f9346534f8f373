/** memcached against the suite that all protocols share. */
import { MEMCACHED } from "../../../src/protocol/memcached/memcached.ts";
import type { Protocol } from "../../../src/protocol/protocol.ts";
import { runProtocolConformance } from "../conformance.ts";

runProtocolConformance(
  MEMCACHED as Protocol,
  {
    singleKey: [
      { request: "get user:1\r\n", key: "user:1" },
      { request: "set k\xff 1 -1 5\r\nhello\r\n", key: "k\xff" },
      { request: "incr counter 1\r\n", key: "counter" },
      { request: "ms k 2 T0 c\r\nab\r\n", key: "k" },
    ],
    store: (key, value) => `set ${key} 0 0 ${value.length}\r\n${value}\r\n`,
    readMany: (keys) => `get ${keys.join(" ")}\r\n`,
    fragment: (keys) => `get ${keys.join(" ")} \r\n`,
    values: (found) =>
      found
        .filter(([, value]) => value !== null)
        .map(([key, value]) => `VALUE ${key} 0 ${value!.length}\r\n${value}\r\n`)
        .concat("END\r\n")
        .join(""),
    strangeReply: "STORED\r\n",
    errorReply: "SERVER_ERROR out of memory reading request\r\n",
    replies: ["STORED\r\n", "42\r\n", "END\r\n", "HD c7\r\n", "VA 2 t-1\r\n\r\n\r\n"],
    badReplies: ["-1\r\n", "VALUE k 0 x\r\n", "VALUE k 0 1\r\nxyz", "+OK\r\n", "\r\n"],
    local: [
      { request: "mn\r\n", reply: "MN\r\n" },
      { request: "version\r\n", reply: /^VERSION \d+\.\d+\.\d+\r\n$/ },
      { request: "verbosity 1\r\n", reply: "OK\r\n" },
      { request: "stats\r\n", reply: /^(STAT \S+ \S+\r\n)*STAT pid 1\r\nEND\r\n$/ },
      { request: "stats items\r\n", reply: "END\r\n" },
    ],
    quit: "quit\r\n",
    refused: [
      { request: "nosuch k\r\n", reply: /^ERROR\r\n$/ },
      { request: "GET k\r\n", reply: /^ERROR\r\n$/ },
      { request: "get\r\n", reply: /^ERROR\r\n$/ },
      { request: "set k 0 0 -1\r\n", reply: /^CLIENT_ERROR bad command line format\r\n$/ },
      { request: "set k 0 0 1\r\nxyz", reply: /^CLIENT_ERROR bad data chunk\r\n$/ },
      { request: "watch\r\n", reply: /^CLIENT_ERROR watch is not supported by this proxy: / },
    ],
    garbage: ["\x80\x01\0\0", "POST / HTTP/1.1\r\n"],
    errorStart: "SERVER_ERROR ",
    nothing: ["set k x 0 5 noreply\r\n", "verbosity 1 noreply\r\n"],
    silent: [
      { request: "set k 0 0 1 noreply\r\nx\r\n", forward: "set k 0 0 1\r\nx\r\n" },
      { request: "delete k noreply\r\n", forward: "delete k\r\n" },
      {
        request: `set k 0 0 20000 noreply\r\n${"x".repeat(20_000)}\r\n`,
        forward: `set k 0 0 20000\r\n${"x".repeat(20_000)}\r\n`,
      },
    ],
    everyServer: [
      { request: "flush_all\r\n", replies: ["OK\r\n", "OK\r\n"], reply: "OK\r\n" },
      {
        request: "flush_all 10\r\n",
        replies: ["OK\r\n", "CLIENT_ERROR flush_all not allowed\r\n"],
        reply: "CLIENT_ERROR flush_all not allowed\r\n",
      },
      {
        request: "flush_all 10\r\n",
        replies: ["OK\r\n", "STORED\r\n"],
        reply: "SERVER_ERROR Invalid argument\r\n",
      },
    ],
    rewritten: [],
  },
  [{ part: "rewritten", reason: "memcached has one way to write a request" }],
);
