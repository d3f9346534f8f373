/** Replies of RESP2 and RESP3 whole, byte by byte and cut at every position; and broken ones. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ParseStatus } from "../../../src/protocol/protocol.ts";
import {
  DEPTH_MAX,
  LINE_BYTES_MAX,
  RedisResponseParser,
} from "../../../src/protocol/redis/response-parser.ts";
import { everySplit } from "../../support/every-split.ts";

const replies: readonly string[] = [
  "+OK\r\n",
  "+\r\n",
  "-ERR no\r\n",
  ":0\r\n",
  ":-42\r\n",
  ":+7\r\n",
  ":9223372036854775807\r\n",
  "$0\r\n\r\n",
  "$-1\r\n",
  "$3\r\nabc\r\n",
  "$4\r\n\r\n\r\n\r\n",
  "$12\r\nabcdefghijkl\r\n",
  "*0\r\n",
  "*-1\r\n",
  "*2\r\n$1\r\na\r\n$-1\r\n",
  "*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n-ERR x\r\n",
  "*1\r\n*1\r\n*1\r\n*1\r\n$2\r\nhi\r\n",
  "_\r\n",
  "#t\r\n",
  ",3.14\r\n",
  "(3492890328409238509324850943850943825024385\r\n",
  "!5\r\nERR x\r\n",
  "=7\r\ntxt:abc\r\n",
  "%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n",
  "%0\r\n",
  "~2\r\n:1\r\n:2\r\n",
  "|1\r\n+ttl\r\n:3\r\n+OK\r\n",
  "*2\r\n|1\r\n+ttl\r\n:3\r\n:1\r\n:2\r\n",
];

/** Sizes of the replies found in the pieces. */
function sizes(pieces: readonly Uint8Array[]): number[] {
  const parser = new RedisResponseParser();
  const found: number[] = [];
  let size = 0;
  for (const piece of pieces) {
    const chunk = Buffer.from(piece);
    let at = 0;
    while (at < chunk.length) {
      const start = at;
      at = parser.parse(chunk, start, chunk.length);
      size += at - start;
      expect(at).toBeGreaterThan(start);
      if (parser.status === ParseStatus.Complete) {
        found.push(size);
        size = 0;
      } else {
        expect(parser.status).toBe(ParseStatus.Incomplete);
      }
    }
  }
  expect(size).toBe(0);
  return found;
}

describe("replies, cut anywhere", () => {
  for (const reply of replies) {
    test(JSON.stringify(reply), () => {
      everySplit(reply, (pieces) => expect(sizes(pieces)).toEqual([reply.length]));
    });
  }

  test("all of them in a row", () => {
    const expected = replies.map((reply) => reply.length);
    everySplit(replies.join(""), (pieces) => expect(sizes(pieces)).toEqual(expected));
  });
});

describe("nesting", () => {
  const opened = ["*1\r\n", "*2\r\n:1\r\n", "%1\r\n+k\r\n", "~1\r\n", "|1\r\n+k\r\n"];
  const closed = ["", "", "", "", "+x\r\n"];

  /** An element within so many aggregates of one kind. */
  function nested(kind: number, depth: number): string {
    return `${opened[kind]!.repeat(depth)}:7\r\n${closed[kind]!.repeat(depth)}`;
  }

  test.each([0, 1, 2, 3, 4])("as deep as allowed, again and again: kind %i", (kind) => {
    const reply = nested(kind, DEPTH_MAX);
    // What is over counts no more, wherever it stands in a reply.
    const wide = `*4\r\n${nested(kind, DEPTH_MAX - 1).repeat(2)}*0\r\n$-1\r\n`;
    const text = reply + wide + reply;
    const expected = [reply.length, wide.length, reply.length];
    expect(sizes([Buffer.from(text)])).toEqual(expected);
    expect(sizes([...text].map((byte) => Buffer.from(byte)))).toEqual(expected);
  });

  test.each([0, 1, 2, 3, 4])("one deeper is refused: kind %i", (kind) => {
    for (const before of ["", "*3\r\n*0\r\n:1\r\n"]) {
      const depth = before === "" ? DEPTH_MAX + 1 : DEPTH_MAX;
      const text = before + nested(kind, depth);
      for (const size of [text.length, 1]) {
        const parser = new RedisResponseParser();
        let at = 0;
        while (at < text.length && parser.status !== ParseStatus.Invalid) {
          const piece = Buffer.from(text.slice(at, at + size));
          parser.parse(piece, 0, piece.length);
          at += size;
        }
        expect(parser.status).toBe(ParseStatus.Invalid);
      }
    }
  });

  test("a parser is as good as new after a reset in the depth", () => {
    const parser = new RedisResponseParser();
    const deep = Buffer.from("*2\r\n".repeat(DEPTH_MAX));
    for (let round = 0; round < 3; round++) {
      parser.parse(deep, 0, deep.length);
      expect(parser.status).toBe(ParseStatus.Incomplete);
      parser.reset();
    }
    const reply = Buffer.from(nested(0, DEPTH_MAX));
    expect(parser.parse(reply, 0, reply.length)).toBe(reply.length);
    expect(parser.status).toBe(ParseStatus.Complete);
  });
});

test("what is announced reserves nothing", () => {
  const before = process.memoryUsage().rss;
  const parsers = ["*2147483647\r\n", "$2147483647\r\n", "%1073741823\r\n"].map((text) => {
    const parser = new RedisResponseParser();
    parser.parse(Buffer.from(text), 0, text.length);
    expect(parser.status).toBe(ParseStatus.Incomplete);
    return parser;
  });
  expect(parsers).toHaveLength(3);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

describe("broken replies", () => {
  const broken = [
    "hello\r\n",
    "\r\n",
    "$x\r\n",
    "$\r\n",
    "$-2\r\n",
    "$+3\r\nabc\r\n",
    "$3\r\nabcd\r\n",
    "$3\r\nabc\rX",
    "$99999999999\r\n",
    "*x\r\n",
    "*--1\r\n",
    "%-1\r\n",
    "+OK\rX",
    ":12a\r\n",
    ":\r\n",
    "*2\r\n:1\r\nx\r\n",
    `+${"a".repeat(LINE_BYTES_MAX + 1)}`,
    `:${"1".repeat(LINE_BYTES_MAX + 1)}`,
  ];
  for (const reply of broken) {
    test(JSON.stringify(reply.slice(0, 30)), () => {
      const check = (pieces: readonly Uint8Array[]) => {
        const parser = new RedisResponseParser();
        for (const piece of pieces) {
          parser.parse(Buffer.from(piece), 0, piece.length);
          if (parser.status === ParseStatus.Invalid) return;
        }
        throw new Error("was not refused");
      };
      if (reply.length > 200) check([Buffer.from(reply)]);
      else everySplit(reply, check);
    });
  }
});

test("a push is nothing that a request waits for", () => {
  everySplit(">2\r\n+message\r\n+x\r\n", (pieces) => {
    const parser = new RedisResponseParser();
    for (const piece of pieces) parser.parse(Buffer.from(piece), 0, piece.length);
    expect(parser.status).toBe(ParseStatus.Nothing);
    expect(parser.parse(Buffer.from("+OK\r\n"), 0, 5)).toBe(5);
    expect(parser.status).toBe(ParseStatus.Complete);
  });
});

test("says whether a reply is an error", () => {
  for (const reply of replies) {
    const parser = new RedisResponseParser();
    parser.parse(Buffer.from(reply), 0, reply.length);
    expect([reply, parser.isError]).toEqual([reply, reply[0] === "-" || reply[0] === "!"]);
  }
});

test("random nested replies end where they end", () => {
  const { reply } = fc.letrec<{ reply: string; leaf: string }>((tie) => ({
    leaf: fc.oneof(
      fc.string().map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`),
      fc.integer().map((value) => `:${value}\r\n`),
      fc.constantFrom("+OK\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "_\r\n"),
    ),
    reply: fc.oneof(
      { maxDepth: 4 },
      tie("leaf"),
      fc.array(tie("reply"), { maxLength: 4 }).map((all) => `*${all.length}\r\n${all.join("")}`),
    ),
  }));
  fc.assert(
    fc.property(reply, fc.nat(), (text, cut) => {
      const bytes = Buffer.from(text);
      const place = cut % (bytes.length + 1);
      const pieces = [bytes.subarray(0, place), bytes.subarray(place)];
      expect(sizes(pieces.filter((piece) => piece.length > 0))).toEqual([bytes.length]);
    }),
  );
});
