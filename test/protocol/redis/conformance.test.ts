/** Redis against the suite that all protocols share. */
import type { Protocol } from "../../../src/protocol/protocol.ts";
import { REDIS } from "../../../src/protocol/redis/redis.ts";
import { runProtocolConformance } from "../conformance.ts";

function encode(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(bulk).join("")}`;
}

function bulk(word: string): string {
  return `$${word.length}\r\n${word}\r\n`;
}

runProtocolConformance(
  REDIS as Protocol,
  {
    singleKey: [
      { request: encode("GET", "user:1"), key: "user:1" },
      { request: encode("SET", "k\xff", "hello"), key: "k\xff" },
      { request: encode("INCR", "counter"), key: "counter" },
    ],
    store: (key, value) => encode("SET", key, value),
    readMany: (keys) => encode("MGET", ...keys),
    fragment: (keys) => encode("mget", ...keys),
    values: (found) =>
      `*${found.length}\r\n` +
      found.map(([, value]) => (value === null ? "$-1\r\n" : bulk(value))).join(""),
    strangeReply: "+OK\r\n",
    errorReply: "-WRONGTYPE Operation against a key\r\n",
    replies: ["+OK\r\n", ":42\r\n", "$2\r\n\r\n\r\n", "$-1\r\n", "*2\r\n:1\r\n*0\r\n"],
    badReplies: ["STORED\r\n", "$x\r\n", "$1\r\nxyz", "\r\n"],
    local: [
      { request: encode("PING"), reply: "+PONG\r\n" },
      { request: encode("ECHO", "x"), reply: "$1\r\nx\r\n" },
      { request: encode("SELECT", "0"), reply: "+OK\r\n" },
    ],
    quit: encode("QUIT"),
    refused: [
      { request: encode("NOSUCH", "k"), reply: /^-ERR unknown command/ },
      { request: encode("GET"), reply: /^-ERR wrong number of arguments/ },
    ],
    garbage: ["*1\r\n$x\r\n", "*x\r\n", "POST / HTTP/1.1\r\n"],
    errorStart: "-ERR ",
    nothing: ["\r\n", "*0\r\n"],
    silent: [],
    everyServer: [],
    rewritten: [{ request: 'SET k "a b"\r\n', normal: encode("SET", "k", "a b") }],
  },
  [
    { part: "silent", reason: "Redis has no request without a reply" },
    { part: "everyServer", reason: "no Redis command goes to all servers" },
  ],
);
