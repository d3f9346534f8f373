/** Requests whole, byte by byte and cut at every position; what is refused, and what goes on. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ByteChain } from "../../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../../src/lib/chunk-pool.ts";
import { MessageBytes } from "../../../src/lib/message-bytes.ts";
import { KEYS_MAX, Quiet } from "../../../src/protocol/memcached/commands.ts";
import { writeForward } from "../../../src/protocol/memcached/forward.ts";
import {
  FORWARDED_LINE_BYTES_MAX,
  FramingError,
  KEY_BYTES_MAX,
  LINE_BYTES_MAX,
  Refusal,
  VALUE_BYTES_MAX,
} from "../../../src/protocol/memcached/request-line.ts";
import { MemcachedRequestParser } from "../../../src/protocol/memcached/request-parser.ts";
import { ParseStatus, Route } from "../../../src/protocol/protocol.ts";
import { everySplit } from "../../support/every-split.ts";

interface Marks {
  readonly name: string;
  readonly refusal: Refusal;
  readonly keys: readonly string[];
  /** What the server reads; the message itself if it is not forwarded as one. */
  readonly forward: string;
  readonly isSilent: boolean;
  readonly filter: Quiet;
}

const pool = new ChunkPool(512);

function textOf(chain: ByteChain): string {
  const bytes = Buffer.alloc(chain.sizeBytes);
  chain.copyOut(0, bytes.length, bytes, 0);
  chain.clear();
  return bytes.toString("latin1");
}

function marksOf(parser: MemcachedRequestParser, text: Buffer): Marks {
  const isRouted = parser.route === Route.Key || parser.route === Route.Keys;
  const keys: string[] = [];
  for (let i = 0; isRouted && i < parser.keyCount; i++) {
    const offset = parser.keyOffset(i);
    keys.push(text.toString("latin1", offset, offset + parser.keyLength(i)));
  }
  const message = new MessageBytes();
  message.usePiece(text, 0, text.length);
  const target = new ByteChain(pool);
  writeForward(parser, message, target);
  return {
    name: parser.command.name,
    refusal: parser.refusal,
    keys,
    forward: textOf(target),
    isSilent: parser.isSilent,
    filter: parser.replyFilter,
  };
}

/** Feeds pieces as a client connection does; a message that needs no answer leaves no marks. */
function parseAll(pieces: readonly Uint8Array[]): Marks[] {
  const parser = new MemcachedRequestParser();
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
      if (parser.status === ParseStatus.Complete) found.push(marksOf(parser, pending));
      else expect(parser.status).toBe(ParseStatus.Nothing);
      pending = Buffer.alloc(0);
    }
  }
  expect(pending.length).toBe(0);
  return found;
}

/** A request that is forwarded as it came. */
function plain(text: string, name: string, keys: string[]): [string, Marks[]] {
  return [text, [marks(name, { keys, forward: text })]];
}

function reworded(text: string, name: string, forward: string, more: Partial<Marks> = {}) {
  const keys = [forward.split(/ +/)[1]!.trimEnd()];
  return [text, [marks(name, { keys, forward, ...more })]] as [string, Marks[]];
}

function refused(text: string, name: string, refusal: Refusal): [string, Marks[]] {
  return [text, [marks(name, { refusal, forward: text })]];
}

function marks(name: string, more: Partial<Marks>): Marks {
  return {
    name,
    refusal: Refusal.None,
    keys: [],
    forward: "",
    isSilent: false,
    filter: Quiet.None,
    ...more,
  };
}

const SILENT = { isSilent: true };
const K250 = "k".repeat(KEY_BYTES_MAX);

const CASES: readonly [string, Marks[]][] = [
  plain("get user:1\r\n", "get", ["user:1"]),
  plain("gets a bb \tc\xff\r d\r\n", "gets", ["a", "bb", "\tc\xff\r", "d"]),
  plain("  get   a  b  \r\n", "get", ["a", "b"]),
  plain("get a\n", "get", ["a"]),
  plain("gat 60 a b\r\n", "gat", ["a", "b"]),
  plain("gats -1 a\r\n", "gats", ["a"]),
  plain(`get ${K250}\r\n`, "get", [K250]),
  plain("set k 0 0 0\r\n\r\n", "set", ["k"]),
  plain("set k 1 -1 9\r\nx\r\nget \0\n\r\n", "set", ["k"]),
  plain("set  k  0  0  1 \nx\r\n", "set", ["k"]),
  plain("add k 4294967295 2147483647 1\r\nx\r\n", "add", ["k"]),
  plain("cas k 0 0 1 123456789012345\r\nx\r\n", "cas", ["k"]),
  plain("incr k 18446744073709551615\r\n", "incr", ["k"]),
  plain("decr k 1 extra\r\n", "decr", ["k"]),
  plain("touch k abc\r\n", "touch", ["k"]),
  plain("delete k\r\n", "delete", ["k"]),
  plain("delete k 0\r\n", "delete", ["k"]),
  plain("delete noreply\r\n", "delete", ["noreply"]),
  plain("mg k v t O123\r\n", "mg", ["k"]),
  plain("mg k\r\n", "mg", ["k"]),
  plain("me k q\r\n", "me", ["k"]),
  plain("ms k 2 T0 F3\r\nab\r\n", "ms", ["k"]),
  plain("ms k 0\r\n\r\n", "ms", ["k"]),
  plain("md k C9\r\n", "md", ["k"]),
  plain("ma k MD D2\r\n", "ma", ["k"]),
  // noreply is not forwarded.
  reworded("set k 0 0 1 noreply\r\nx\r\n", "set", "set k 0 0 1\r\nx\r\n", SILENT),
  reworded("append k 0 0 1   noreply \r\nx\r\n", "append", "append k 0 0 1 \r\nx\r\n", SILENT),
  reworded("cas k 0 0 1 7 noreply\nx\r\n", "cas", "cas k 0 0 1 7\nx\r\n", SILENT),
  reworded("delete k noreply\r\n", "delete", "delete k\r\n", SILENT),
  reworded("delete k 0 noreply\r\n", "delete", "delete k 0\r\n", SILENT),
  reworded("incr k 1 noreply\r\n", "incr", "incr k 1\r\n", SILENT),
  reworded("touch noreply 1 noreply\r\n", "touch", "touch noreply 1\r\n", SILENT),
  // Words and numbers that memcached takes, and other servers might not.
  reworded("set k 0 0 1 whatever\r\nx\r\n", "set", "set k 0 0 1\r\nx\r\n"),
  reworded("set k +7 \t5 +1\r\nx\r\n", "set", "set k 7 5 1\r\nx\r\n"),
  reworded("set k 0 1700000000000 1\r\nx\r\n", "set", "set k 0 -807049216 1\r\nx\r\n"),
  reworded("set k 0 0 4294967297 noreply\r\nx\r\n", "set", "set k 0 0 1\r\nx\r\n", SILENT),
  reworded("ms k +1 c q\r\nx\r\n", "ms", "ms k 1 c\r\nx\r\n", { filter: Quiet.Set }),
  // The q flag is not forwarded.
  reworded("mg k q v\r\n", "mg", "mg k v\r\n", { filter: Quiet.Get }),
  reworded("mg k v  q  k\r\n", "mg", "mg k v  k\r\n", { filter: Quiet.Get }),
  reworded("ms k 1 q\r\nx\r\n", "ms", "ms k 1\r\nx\r\n", { filter: Quiet.Set }),
  reworded("md k qq\r\n", "md", "md k\r\n", { filter: Quiet.Delete }),
  reworded("ma k q\n", "ma", "ma k\n", { filter: Quiet.Arithmetic }),
  // A CR at the end of a word must not become one of the line.
  reworded("mg k\r q\n", "mg", "mg k\r \n", { filter: Quiet.Get, keys: ["k\r"] }),
  reworded("delete k\r noreply\n", "delete", "delete k\r \n", { ...SILENT, keys: ["k\r"] }),
  // Answered here.
  ["mn\r\n", [marks("mn", { forward: "mn\r\n" })]],
  ["version\r\n", [marks("version", { forward: "version\r\n" })]],
  ["flush_all\r\n", [marks("flush_all", { forward: "flush_all\r\n" })]],
  ["flush_all 5 noreply\r\n", [marks("flush_all", { forward: "flush_all 5\r\n", isSilent: true })]],
  ["verbosity 1 noreply\r\n", []],
  // Refused, and the connection goes on.
  refused("\r\n", "", Refusal.Error),
  refused("\n", "", Refusal.Error),
  refused("  \r\n", "", Refusal.Error),
  refused("GET k\r\n", "", Refusal.Error),
  refused("\x80\n", "", Refusal.Error),
  refused("\x80\x81\0\r\n", "", Refusal.Error),
  refused("\x80garbage\r\n", "", Refusal.Error),
  refused("get\r\n", "get", Refusal.Error),
  refused("gets \r\n", "gets", Refusal.Error),
  refused("getx k\r\n", "", Refusal.Error),
  refused("verbosity\r\n", "verbosity", Refusal.Error),
  refused("set k 0 0\r\n", "set", Refusal.Error),
  refused("set k 0 0 1 2 3\r\n", "set", Refusal.Error),
  refused("cas k 0 0 1\r\n", "cas", Refusal.Error),
  refused("incr k\r\n", "incr", Refusal.Error),
  refused("delete\r\n", "delete", Refusal.Error),
  refused("mg\r\n", "mg", Refusal.Error),
  refused("me\r\n", "me", Refusal.BadFormat),
  refused("ms\r\n", "ms", Refusal.Error),
  refused("ms k\r\n", "ms", Refusal.BadFormat),
  refused("ms k S5\r\n", "ms", Refusal.BadFormat),
  refused("set k x 0 1\r\n", "set", Refusal.BadFormat),
  refused("set k 0 x 1\r\n", "set", Refusal.BadFormat),
  refused("set k 0 0 -1\r\n", "set", Refusal.BadFormat),
  refused("cas k 0 0 1 x\r\n", "cas", Refusal.BadFormat),
  refused(`get a ${K250}x\r\n`, "get", Refusal.BadFormat),
  refused(`set ${K250}x 0 0 1\r\n`, "set", Refusal.BadFormat),
  refused(`mg ${K250}x v\r\n`, "mg", Refusal.BadFormat),
  refused("get a\0b\r\n", "get", Refusal.BadFormat),
  refused("set k\0 0 0 1\r\n", "set", Refusal.BadFormat),
  refused("gat 10\r\n", "gat", Refusal.NoKeys),
  refused("gat x\r\n", "gat", Refusal.BadExptime),
  refused("gat x k\r\n", "gat", Refusal.BadExptime),
  refused(`mg k${" v".repeat(18)}\r\n`, "mg", Refusal.TooManyFlags),
  refused(`ms k 1${" v".repeat(17)}\r\n`, "ms", Refusal.TooManyFlags),
  refused("watch\r\n", "watch", Refusal.Command),
  refused(`delete k${" ".repeat(FORWARDED_LINE_BYTES_MAX)}\r\n`, "delete", Refusal.LineTooLong),
  refused(`get k${" ".repeat(FORWARDED_LINE_BYTES_MAX)}\r\n`, "get", Refusal.LineTooLong),
  // Refused after their block.
  refused("set k 0 0 3\r\nabcde", "set", Refusal.BadBlock),
  refused("set k 0 0 3\r\nabc\rX", "set", Refusal.BadBlock),
  ["ms k 3 q\r\nabcde", [badBlock("ms k 3\r\nabcde")]],
  // Refused without a word, because noreply was read before the mistake.
  ["set k x 0 1 noreply\r\n", []],
  ["set k 0 0 noreply\r\n", []],
  ["set k 0 0 3 noreply\r\nabcde", []],
  ["cas k 0 0 1 noreply\r\n", []],
  ["incr k noreply\r\n", []],
  ["incr k noreply noreply\r\n", []],
  ["touch noreply noreply\r\n", []],
  ["delete k noreply noreply\r\n", []],
  ["flush_all noreply noreply\r\n", []],
];

function badBlock(forward: string): Marks {
  return marks("ms", { refusal: Refusal.BadBlock, forward, filter: Quiet.Set });
}

describe("requests, cut anywhere", () => {
  for (const [text, expected] of CASES) {
    test(JSON.stringify(text.slice(0, 60)), () => {
      everySplit(text, (pieces) => expect(parseAll(pieces)).toEqual(expected));
    });
  }

  const everything = Buffer.from(CASES.map(([text]) => text).join(""), "latin1");
  const expected = CASES.flatMap(([, found]) => found);

  test("a pipeline of all of them", () => {
    expect(parseAll([everything])).toEqual(expected);
    const single = [...everything].map((byte) => Buffer.of(byte));
    expect(parseAll(single)).toEqual(expected);
  });

  test("three cuts, at random", () => {
    const cuts = fc.array(fc.nat(everything.length), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(cuts, (places) => {
        const sorted = [0, ...places.sort((a, b) => a - b), everything.length];
        const pieces = sorted.slice(1).map((end, i) => everything.subarray(sorted[i]!, end));
        expect(parseAll(pieces.filter((piece) => piece.length > 0))).toEqual(expected);
      }),
    );
  });

  test("a block that the server would not read is read as requests", () => {
    everySplit("set k x 0 5\r\nget a\r\nget b\r\n", (pieces) => {
      expect(parseAll(pieces).map(({ name, refusal }) => [name, refusal])).toEqual([
        ["set", Refusal.BadFormat],
        ["get", Refusal.None],
        ["get", Refusal.None],
      ]);
    });
  });

  test("a q flag that comes twice is refused after the block, as a reply might be missing", () => {
    everySplit("ms k 3 q v q\r\nabc\r\nmd k q q\r\n", (pieces) => {
      expect(parseAll(pieces).map(({ name, refusal }) => [name, refusal])).toEqual([
        ["ms", Refusal.DuplicateFlag],
        ["md", Refusal.DuplicateFlag],
      ]);
    });
  });
});

describe("keys in base64", () => {
  function parserOf(text: string): MemcachedRequestParser {
    const parser = new MemcachedRequestParser();
    const bytes = Buffer.from(text, "latin1");
    expect(parser.parse(bytes, 0, bytes.length)).toBe(bytes.length);
    return parser;
  }

  test.each(["mg Zm9v b v\r\n", "mg Zm9v v b\r\n", "ms Zm9v 1 b\r\nx\r\n", "me Zm9v b\r\n"])(
    "%p goes where foo is",
    (text) => {
      const parser = parserOf(text);
      expect(parser.route).toBe(Route.Key);
      expect(parser.decodedKey?.toString()).toBe("foo");
      expect(parserOf("get Zm9v\r\n").decodedKey).toBeNull();
    },
  );

  test.each(["mg Zm9v v\r\n", "me Zm9v v b\r\n", "me Zm9v bb\r\n", "mg !!! b\r\n"])(
    "%p is a key as it is written",
    (text) => expect(parserOf(text).decodedKey).toBeNull(),
  );

  test("no item is made whose name, told later, would break a reply in two", () => {
    const key = Buffer.from("a\nb").toString("base64");
    expect(parserOf(`mg ${key} b N30\r\n`).refusal).toBe(Refusal.LineEndInKey);
    expect(parserOf(`ma ${key} N30 b\r\n`).refusal).toBe(Refusal.LineEndInKey);
    expect(parserOf(`ma ${key} b\r\n`).refusal).toBe(Refusal.LineEndInKey);
    for (const mode of ["MA", "MP", "Mappend", "Mp"]) {
      const text = `ms ${key} 1 b ${mode}\r\nx\r\n`;
      expect(parserOf(text).refusal).toBe(Refusal.LineEndInKey);
    }
    for (const mode of ["MS", "ME", "MR", "M"]) {
      expect(parserOf(`ms ${key} 1 b ${mode}\r\nx\r\n`).refusal).toBe(Refusal.None);
    }
    expect(parserOf(`mg ${key} b k\r\n`).refusal).toBe(Refusal.None);
    expect(parserOf("mg Zm9v b N30\r\n").refusal).toBe(Refusal.None);
  });
});

describe("what ends a connection", () => {
  const broken: readonly [string, string, FramingError][] = [
    ["the binary protocol", "\x80\x0b\0\0", FramingError.BinaryProtocol],
    ["a binary get of a key of 10 bytes", "\x80\0\0\n\0", FramingError.BinaryProtocol],
    ["a browser", "POST / HTTP/1.1\r\n", FramingError.HttpRequest],
    ["a value too large", `set k 0 0 ${VALUE_BYTES_MAX + 1}\r\n`, FramingError.ValueTooLarge],
    ["a meta value too large", `ms k ${VALUE_BYTES_MAX + 1}\r\n`, FramingError.ValueTooLarge],
    ["a line too long", `set ${"k".repeat(LINE_BYTES_MAX)} 0 0 1\r\n`, FramingError.LineTooLong],
    ["a line without end", "a".repeat(LINE_BYTES_MAX + 1), FramingError.LineTooLong],
    ["blanks without end", " ".repeat(LINE_BYTES_MAX + 1), FramingError.LineTooLong],
  ];
  for (const [name, text, error] of broken) {
    test(name, () => {
      const check = (pieces: readonly Uint8Array[]) => {
        const parser = new MemcachedRequestParser();
        for (const piece of pieces) {
          parser.parse(Buffer.from(piece), 0, piece.length);
          if (parser.status === ParseStatus.Invalid) break;
        }
        expect(parser.status).toBe(ParseStatus.Invalid);
        expect(parser.error).toBe(error);
      };
      if (text.length < 200) everySplit(text, check);
      else {
        const bytes = Buffer.from(text);
        check([bytes]);
        check([bytes.subarray(0, 10), bytes.subarray(10)]);
        check([...bytes].map((byte) => Buffer.of(byte)));
      }
    });
  }

  test("a command behind more blanks than a line may have, also if all is there at once", () => {
    const text = Buffer.from(`${" ".repeat(LINE_BYTES_MAX)}get k\r\n`);
    for (const size of [text.length, LINE_BYTES_MAX + 4, 1]) {
      const parser = new MemcachedRequestParser();
      for (let at = 0; at < text.length && parser.status === ParseStatus.Incomplete; at += size) {
        parser.parse(text, at, Math.min(at + size, text.length));
      }
      expect(parser.status).toBe(ParseStatus.Invalid);
    }
  });

  test("a line of keys may be long, cut anywhere, but not without end", () => {
    const keys = Array.from({ length: 5000 }, (_, i) => `key:${i}`);
    const line = Buffer.from(`get ${keys.join(" ")}\r\n`);
    expect(parseAll([line])[0]!.keys).toEqual(keys);
    const pieces = Array.from({ length: 40 }, (_, i) => line.subarray(i * 1500, (i + 1) * 1500));
    expect(parseAll(pieces.filter((piece) => piece.length > 0))[0]!.keys).toEqual(keys);
    const tooMany = Buffer.from(`get${" k".repeat(KEYS_MAX + 1)}\r\n`);
    const parser = new MemcachedRequestParser();
    parser.parse(tooMany, 0, tooMany.length);
    expect(parser.error).toBe(FramingError.TooManyKeys);
    expect(parser.spans.length).toBeLessThan(4 * KEYS_MAX + 100);
  });
});

test("what is announced reserves nothing, and reset forgets a request under way", () => {
  const parser = new MemcachedRequestParser();
  const large = Buffer.from(`set k 0 0 ${VALUE_BYTES_MAX}\r\nabc`);
  expect(parser.parse(large, 0, large.length)).toBe(large.length);
  expect(parser.status).toBe(ParseStatus.Incomplete);
  parser.reset();
  const next = Buffer.from("get k\r\n");
  expect(parser.parse(next, 0, next.length)).toBe(next.length);
  expect(parser.status).toBe(ParseStatus.Complete);
  const half = Buffer.from("get half");
  parser.parse(half, 0, half.length);
  parser.reset();
  parser.parse(next, 0, next.length);
  expect(parser.keyLength(0)).toBe(1);
});
