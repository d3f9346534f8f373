/** Requests whole, byte by byte and cut at every position; and what is refused. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ParseStatus, Route } from "../../../src/protocol/protocol.ts";
import { FramingError } from "../../../src/protocol/redis/framing-error.ts";
import {
  ARGUMENTS_MAX,
  BULK_BYTES_MAX,
  INLINE_BYTES_MAX,
  RedisRequestParser,
} from "../../../src/protocol/redis/request-parser.ts";
import { Refusal } from "../../../src/protocol/redis/refusal.ts";
import { everySplit } from "../../support/every-split.ts";

interface Marks {
  readonly name: string;
  readonly keys: readonly string[];
  readonly size: number;
}

function encode(...words: (string | Buffer)[]): Buffer {
  const parts = words.map((word) => {
    const bytes = Buffer.from(word as string);
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
  });
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

/** Feeds pieces as a client connection does; returns the marks of each completed request. */
function parseAll(pieces: readonly Uint8Array[]): Marks[] {
  const parser = new RedisRequestParser();
  const found: Marks[] = [];
  let pending = Buffer.alloc(0);
  for (const piece of pieces) {
    const chunk = Buffer.from(piece);
    let at = 0;
    while (at < chunk.length) {
      const start = at;
      at = parser.parse(chunk, start, chunk.length);
      expect(at).toBeGreaterThan(start);
      pending = Buffer.concat([pending, chunk.subarray(start, at)]);
      if (parser.status === ParseStatus.Incomplete) continue;
      expect(parser.status).toBe(ParseStatus.Complete);
      found.push(marksOf(parser, pending));
      pending = Buffer.alloc(0);
    }
  }
  expect(pending.length).toBe(0);
  return found;
}

function marksOf(parser: RedisRequestParser, message: Buffer): Marks {
  const keys: string[] = [];
  const isRouted = parser.route === Route.Key || parser.route === Route.Keys;
  for (let i = 0; isRouted && i < parser.keyCount; i++) {
    const offset = parser.keyOffset(i);
    keys.push(message.toString("latin1", offset, offset + parser.keyLength(i)));
  }
  return { name: parser.command.name, keys, size: message.length };
}

const cases: readonly { name: string; bytes: Buffer; command: string; keys: string[] }[] = [
  { name: "GET", bytes: encode("GET", "user:1"), command: "GET", keys: ["user:1"] },
  { name: "any case", bytes: encode("gEt", "k"), command: "GET", keys: ["k"] },
  { name: "an empty key", bytes: encode("GET", ""), command: "GET", keys: [""] },
  { name: "an empty value", bytes: encode("SET", "k", ""), command: "SET", keys: ["k"] },
  {
    name: "line ends in a value",
    bytes: encode("SET", "k", "\r\n$3\r\n*"),
    command: "SET",
    keys: ["k"],
  },
  { name: "MGET", bytes: encode("MGET", "a", "bb", ""), command: "MGET", keys: ["a", "bb", ""] },
  {
    name: "MSET",
    bytes: encode("MSET", "a", "1", "bb", "22"),
    command: "MSET",
    keys: ["a", "bb"],
  },
  { name: "EVAL", bytes: encode("EVAL", "return 1", "1", "k"), command: "EVAL", keys: ["k"] },
  {
    name: "ZUNION",
    bytes: encode("ZUNION", "2", "k1", "k2"),
    command: "ZUNION",
    keys: ["k1"],
  },
  {
    name: "a longest name",
    bytes: encode("GEORADIUSBYMEMBER", "k", "m"),
    command: "GEORADIUSBYMEMBER",
    keys: ["k"],
  },
  { name: "an unknown name", bytes: encode("NOSUCH", "k"), command: "", keys: [] },
  { name: "a name of 300 bytes", bytes: encode("G".repeat(300), "k"), command: "", keys: [] },
  { name: "an empty name", bytes: encode("", "k"), command: "", keys: [] },
];

describe("requests, cut anywhere", () => {
  for (const { name, bytes, command, keys } of cases) {
    test(name, () => {
      everySplit(bytes, (pieces) => {
        expect(parseAll(pieces)).toEqual([{ name: command, keys, size: bytes.length }]);
      });
    });
  }

  test("a pipeline of all of them", () => {
    const expected = cases.map((one) => ({
      name: one.command,
      keys: one.keys,
      size: one.bytes.length,
    }));
    everySplit(Buffer.concat(cases.map((one) => one.bytes)), (pieces) => {
      expect(parseAll(pieces)).toEqual(expected);
    });
  });

  test("three cuts, at random", () => {
    const bytes = Buffer.concat(cases.map((one) => one.bytes));
    const expected = parseAll([bytes]);
    const cuts = fc.array(fc.nat(bytes.length), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(cuts, (places) => {
        const sorted = [0, ...places.sort((a, b) => a - b), bytes.length];
        const pieces = sorted.slice(1).map((end, i) => bytes.subarray(sorted[i]!, end));
        expect(parseAll(pieces.filter((piece) => piece.length > 0))).toEqual(expected);
      }),
    );
  });
});

describe("broken framing", () => {
  const broken: readonly [string, string, FramingError][] = [
    ["a leading zero in the count", "*02\r\n", FramingError.ArrayLength],
    ["a count that is no number", "*x\r\n", FramingError.ArrayLength],
    ["a count without digits", "*\r\n", FramingError.ArrayLength],
    ["a plus sign", "*+1\r\n", FramingError.ArrayLength],
    ["too many arguments", `*${ARGUMENTS_MAX + 1}\r\n`, FramingError.ArrayLength],
    ["a count of 30 digits", `*${"9".repeat(30)}\r\n`, FramingError.ArrayLength],
    ["a lone LF", "*1\n", FramingError.ArrayLength],
    ["CR without LF", "*1\rX", FramingError.ArrayLength],
    ["no dollar", "*1\r\nPING\r\n", FramingError.ExpectedDollar],
    ["a null argument", "*1\r\n$-1\r\n", FramingError.BulkLength],
    ["a length without digits", "*1\r\n$\r\n", FramingError.BulkLength],
    ["a leading zero in a length", "*1\r\n$04\r\nPING\r\n", FramingError.BulkLength],
    ["a bulk too large", `*1\r\n$${BULK_BYTES_MAX + 1}\r\n`, FramingError.BulkLength],
    ["a length of 11 digits", "*1\r\n$10000000000\r\n", FramingError.BulkLength],
    ["more bytes than announced", "*1\r\n$4\r\nPINGX\r\n", FramingError.ExpectedLineEnd],
    ["CR in place of CR LF", "*1\r\n$4\r\nPING\rX", FramingError.ExpectedLineEnd],
    ["an open quote", 'SET k "v\r\n', FramingError.UnbalancedQuotes],
    ["a browser", "POST / HTTP/1.1\r\n", FramingError.HttpRequest],
    ["a browser's header", "Host: example\r\n", FramingError.HttpRequest],
    ["an endless inline command", "a".repeat(INLINE_BYTES_MAX + 1), FramingError.InlineTooLong],
  ];
  for (const [name, text, error] of broken) {
    test(name, () => {
      const check = (pieces: readonly Uint8Array[]) => {
        const parser = new RedisRequestParser();
        for (const piece of pieces) {
          parser.parse(Buffer.from(piece), 0, piece.length);
          if (parser.status === ParseStatus.Invalid) break;
        }
        expect(parser.status).toBe(ParseStatus.Invalid);
        expect(parser.error).toBe(error);
      };
      if (text.length > 200) check([Buffer.from(text)]);
      else everySplit(text, check);
    });
  }

  test("an inline command that never ends is cut off byte by byte, too", () => {
    const parser = new RedisRequestParser();
    const byte = Buffer.from("a");
    for (let i = 0; i <= INLINE_BYTES_MAX; i++) parser.parse(byte, 0, 1);
    expect(parser.status).toBe(ParseStatus.Invalid);
  });

  test("a number of hundreds of digits, all there at once, is refused like any other", () => {
    const digits = "9".repeat(400);
    for (const text of [
      `*${digits}\r\n`,
      `*2\r\n$${digits}\r\n`,
      `*1\r\n$${"0".repeat(400)}\r\n`,
    ]) {
      const parser = new RedisRequestParser();
      parser.parse(Buffer.from(text), 0, text.length);
      expect(parser.status).toBe(ParseStatus.Invalid);
    }
  });

  test("what is announced reserves nothing", () => {
    const parser = new RedisRequestParser();
    const text = Buffer.from(`*${ARGUMENTS_MAX}\r\n$4\r\nMGET\r\n$${BULK_BYTES_MAX}\r\n`);
    parser.parse(text, 0, text.length);
    expect(parser.status).toBe(ParseStatus.Incomplete);
    expect(parser.spans.length).toBeLessThan(100);
  });

  test.each(["*1000000000\r\n", "*2\r\n$3\r\nGET\r\n$4294967296\r\n", "*4294967297\r\n"])(
    "%j is refused as soon as it is announced",
    (text) => {
      everySplit(text, (pieces) => {
        const parser = new RedisRequestParser();
        for (const piece of pieces) parser.parse(Buffer.from(piece), 0, piece.length);
        expect(parser.status).toBe(ParseStatus.Invalid);
        expect(parser.spans.length).toBeLessThan(100);
      });
    },
  );
});

describe("what is no request", () => {
  for (const text of ["*0\r\n", "*-1\r\n", "\r\n", "\n", "   \r\n"]) {
    test(JSON.stringify(text), () => {
      everySplit(text, (pieces) => {
        const parser = new RedisRequestParser();
        for (const piece of pieces) parser.parse(Buffer.from(piece), 0, piece.length);
        expect(parser.status).toBe(ParseStatus.Nothing);
        const next = encode("GET", "k");
        expect(parser.parse(next, 0, next.length)).toBe(next.length);
        expect(parser.status).toBe(ParseStatus.Complete);
      });
    });
  }
});

describe("refusals", () => {
  const refused: readonly [string[], Refusal][] = [
    [["GET"], Refusal.ArgumentCount],
    [["GET", "a", "b"], Refusal.ArgumentCount],
    [["MSET", "a"], Refusal.ArgumentCount],
    [["MSET", "a", "1", "b"], Refusal.ArgumentCount],
    [["MGET"], Refusal.ArgumentCount],
    [["EVAL", "return 1", "0"], Refusal.ArgumentCount],
    [["EVAL", "return 1", "0", "x"], Refusal.NoKeys],
    [["EVAL", "return 1", "x", "k"], Refusal.NoKeys],
    [["EVAL", "return 1", "", "k"], Refusal.NoKeys],
    [["WAIT", "1", "0"], Refusal.Command],
    [["MOVE", "k", "1"], Refusal.Command],
    [["NOSUCH"], Refusal.Command],
  ];
  for (const [words, refusal] of refused) {
    test(words.join(" "), () => {
      everySplit(encode(...words), (pieces) => {
        const parser = new RedisRequestParser();
        for (const piece of pieces) parser.parse(Buffer.from(piece), 0, piece.length);
        expect(parser.status).toBe(ParseStatus.Complete);
        expect(parser.refusal).toBe(refusal);
        expect(parser.route).toBe(Route.Refuse);
      });
    });
  }
});

test("inline commands become the arrays they stand for", () => {
  const rows: readonly [string, Buffer][] = [
    ["PING\r\n", encode("PING")],
    ["PING\n", encode("PING")],
    ["  set  k\tv \r\n", encode("set", "k", "v")],
    ['SET k "a b\\n\\x41\\"\\q"\r\n', encode("SET", "k", 'a b\nA"q')],
    ["SET k 'a\\'b\\n'\r\n", encode("SET", "k", "a'b\\n")],
    ['SET k ""\r\n', encode("SET", "k", "")],
  ];
  for (const [line, expected] of rows) {
    everySplit(line, (pieces) => {
      const parser = new RedisRequestParser();
      for (const piece of pieces) parser.parse(Buffer.from(piece), 0, piece.length);
      expect(parser.status).toBe(ParseStatus.Rewritten);
      expect(parser.rewritten.toString("latin1")).toBe(expected.toString("latin1"));
    });
  }
});

test("any bytes end in a status, and never in an exception", () => {
  const alphabet = fc.constantFrom(..."*$\r\n0123456789-+ GETMSaPING'\"\\x");
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 60 }), (letters) => {
      const bytes = Buffer.from(letters.join(""), "latin1");
      const parser = new RedisRequestParser();
      let at = 0;
      while (at < bytes.length) {
        const before = at;
        at = parser.parse(bytes, at, bytes.length);
        expect(at).toBeGreaterThanOrEqual(before);
        if (parser.status === ParseStatus.Invalid) break;
        expect(at).toBeGreaterThan(before);
      }
    }),
    { numRuns: 3000 },
  );
});
