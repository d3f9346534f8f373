/**
 * Where ours answers otherwise than nutcracker 0.5.0, on purpose: a request, what nutcracker does,
 * what we do, and why. Each reason stands in README under "Differences from nutcracker".
 */
import { encodeRequest } from "../support/resp.ts";

export interface IntendedDifference {
  readonly reason: string;
  /** Sent on a connection of their own, each after the other has been answered. */
  readonly requests: readonly (Buffer | string)[];
  /** Null where nutcracker's answer depends on timing. */
  readonly theirs: Outcome | null;
  readonly ours: Outcome;
}

/** All that a proxy sends in answer, and whether it then closes the connection. */
export interface Outcome {
  readonly sends: RegExp;
  readonly closes: boolean;
}

function request(...args: (string | Uint8Array)[]): Buffer {
  return encodeRequest(args);
}

const CLOSED: Outcome = { sends: /^$/, closes: true };

function answers(sends: RegExp): Outcome {
  return { sends, closes: false };
}

export const INTENDED_DIFFERENCES: readonly IntendedDifference[] = [
  {
    reason: "a wrong number of arguments is an error instead of a silent close",
    requests: [request("GET"), request("GET", "a", "b"), request("MSET", "a")],
    theirs: CLOSED,
    ours: answers(/^-ERR wrong number of arguments for '\w+' command\r\n$/),
  },
  {
    reason: "an unknown or unsupported command is an error instead of a silent close",
    requests: [request("FROBNICATE", "a"), request("KEYS", "*"), request("MULTI")],
    theirs: CLOSED,
    ours: answers(/^-ERR [^\r\n]+\r\n$/),
  },
  {
    reason: "COMMAND is answered from the proxy's own table, not by one of the servers",
    requests: [request("COMMAND")],
    theirs: answers(/^\*\d+\r\n\*\d+\r\n/),
    ours: answers(/^\*\d+\r\n\*10\r\n\$7\r\npersist\r\n:2\r\n/),
  },
  {
    reason: "what the proxy knows by itself is answered: TIME, CONFIG GET, CLIENT, RESET",
    requests: [
      request("TIME"),
      request("CONFIG", "GET", "save"),
      request("CLIENT", "LIST"),
      request("RESET"),
    ],
    theirs: CLOSED,
    ours: answers(/^(\*2\r\n|\$\d+\r\nid=|\+RESET\r\n)/),
  },
  {
    reason: "younger commands pass if their keys are on one server",
    requests: [
      request("OBJECT", "ENCODING", "nothing"),
      request("EXPIRETIME", "nothing"),
      request("SINTERCARD", "1", "nothing"),
      request("XLEN", "nothing"),
      request("XREAD", "STREAMS", "nothing", "0"),
    ],
    theirs: CLOSED,
    ours: answers(/^(\$-1|\*-1|:0|:-2)\r\n$/),
  },
  {
    reason: "MOVE is an error instead of a silent close",
    requests: [request("MOVE", "a", "1")],
    theirs: CLOSED,
    ours: answers(/^-ERR [^\r\n]+\r\n$/),
  },
  {
    reason: "QUIT answers +OK before the close",
    requests: [request("QUIT")],
    theirs: CLOSED,
    ours: { sends: /^\+OK\r\n$/, closes: true },
  },
  {
    reason: "broken framing is answered with an error before the close",
    requests: ["*x\r\n", "*2\r\n$3\r\nGET\r\n$-1\r\n", "*1\r\n$4\r\nPINGxx"],
    theirs: CLOSED,
    ours: { sends: /^-ERR Protocol error[^\r\n]*\r\n$/, closes: true },
  },
  {
    reason: "empty arrays are ignored, as Redis does",
    requests: ["*0\r\n", "*-1\r\n"],
    theirs: CLOSED,
    ours: answers(/^$/),
  },
  {
    reason: "inline commands are understood",
    requests: ["PING\r\n", "PING\n"],
    theirs: CLOSED,
    ours: answers(/^\+PONG\r\n$/),
  },
  {
    reason: "forms that Redis has learnt since are passed on",
    requests: [
      request("EXPIRE", "nothing", "10", "NX"),
      request("PEXPIREAT", "nothing", "1", "XX"),
    ],
    theirs: CLOSED,
    ours: answers(/^:0\r\n$/),
  },
  {
    reason: "PING with an argument is answered",
    requests: [request("PING", "hello")],
    theirs: CLOSED,
    ours: answers(/^\$5\r\nhello\r\n$/),
  },
  {
    reason: "what client libraries say when they connect is answered",
    requests: [
      request("HELLO", "2"),
      request("SELECT", "0"),
      request("ECHO", "hi"),
      request("INFO"),
    ],
    theirs: CLOSED,
    ours: answers(/^[*+$][^]+\r\n$/),
  },
  {
    reason: "AUTH with a user name is understood",
    requests: [request("AUTH", "default", "x")],
    theirs: CLOSED,
    ours: answers(/^-ERR Client sent AUTH, but no password is set\r\n$/),
  },
  {
    reason: "a key may be longer than a chunk of the proxy's memory",
    requests: [request("GET", "k".repeat(16_336)), request("GET", "k".repeat(100_000))],
    theirs: CLOSED,
    ours: answers(/^\$-1\r\n$/),
  },
  {
    reason: "sloppy lengths are refused instead of being passed on to the shared connection",
    requests: ["*02\r\n$3\r\nGET\r\n$7\r\nnothing\r\n", "*2\r\n$3\r\nGET\r\n$07\r\nnothing\r\n"],
    theirs: null,
    ours: { sends: /^-ERR Protocol error[^\r\n]*\r\n$/, closes: true },
  },
];
