/** Replies whole, byte by byte and cut at every position; and what is no reply. */
import { describe, expect, test } from "bun:test";
import {
  MemcachedResponseParser,
  REPLY_LINE_BYTES_MAX,
} from "../../../src/protocol/memcached/response-parser.ts";
import { ParseStatus } from "../../../src/protocol/protocol.ts";
import { everySplit } from "../../support/every-split.ts";

interface Reply {
  readonly text: string;
  readonly isError: boolean;
}

function parseAll(pieces: readonly Uint8Array[]): Reply[] {
  const parser = new MemcachedResponseParser();
  const found: Reply[] = [];
  let pending = "";
  for (const piece of pieces) {
    const chunk = Buffer.from(piece);
    let at = 0;
    while (at < chunk.length) {
      const start = at;
      at = parser.parse(chunk, start, chunk.length);
      expect(at).toBeGreaterThan(start);
      pending += chunk.toString("latin1", start, at);
      if (parser.status === ParseStatus.Incomplete) continue;
      expect(parser.status).toBe(ParseStatus.Complete);
      found.push({ text: pending, isError: parser.isError });
      pending = "";
    }
  }
  expect(pending).toBe("");
  return found;
}

const REPLIES = [
  ..."STORED NOT_STORED EXISTS NOT_FOUND DELETED TOUCHED OK RESET END".split(" "),
  ..."HD EN NF NS EX MN".split(" "),
  ..."0 42 18446744073709551615".split(" "),
  "42  ",
  "VERSION 1.6.18",
  "HD O123 kfoo c77",
  "EN kkey\rwith cr",
  "ME foo exp=-1 la=0 cas=1 fetch=no cls=1 size=63",
  "VALUE k 0 0\r\n\r\nEND",
  "VALUE k 4294967295 5 77\r\nhello\r\nEND",
  "VALUE k 0 5\r\nEND\r\n\r\nEND",
  "VALUE k\r 0 2\r\n\r\n\r\nVALUE b 1 1\r\nx\r\nEND",
  "VA 0\r\n",
  "VA 2 t-1 c5 W\r\n\r\n",
  "VA 5 kVALUE s5\r\nhello",
].map((text) => ({ text: `${text}\r\n`, isError: false }));

const ERRORS = [
  "ERROR",
  "ERROR: shutdown not enabled".replace(":", ""),
  "CLIENT_ERROR bad command line format",
  "SERVER_ERROR out of memory",
  "VALUE k 0 1\r\nx\r\nSERVER_ERROR out of memory writing get response",
].map((text) => ({ text: `${text}\r\n`, isError: true }));

describe("replies, cut anywhere", () => {
  for (const reply of [...REPLIES, ...ERRORS]) {
    test(JSON.stringify(reply.text), () => {
      everySplit(reply.text, (pieces) => expect(parseAll(pieces)).toEqual([reply]));
    });
  }

  test("one after the other", () => {
    const all = [...REPLIES, ...ERRORS, ...REPLIES];
    everySplit(all.map((reply) => reply.text).join(""), (pieces) => {
      expect(parseAll(pieces)).toEqual(all);
    });
  });

  test("a value of 1 MB in pieces of 64 KB", () => {
    const text = `VALUE k 0 1048576\r\n${"x".repeat(1_048_576)}\r\nEND\r\n`;
    const bytes = Buffer.from(text);
    const pieces = Array.from({ length: 17 }, (_, i) =>
      bytes.subarray(i * 65_536, (i + 1) * 65_536),
    );
    expect(parseAll(pieces)[0]!.text === text).toBe(true);
  });
});

describe("what is no reply", () => {
  const broken = [
    "\r\n",
    "\n",
    "STORED\n",
    "stored\r\n",
    "Not_Stored\r\n",
    "value k 0 1\r\nx\r\nEND\r\n",
    "VALUE k 0 1\r\nx\r\nend\r\n",
    "STAT pid 1\r\n",
    "HELLO\r\n",
    "-1\r\n",
    "4x\r\n",
    "+OK\r\n",
    "VALUE\r\n",
    "VALUE k\r\n",
    "VALUE k 0\r\n",
    "VALUE k 0 \r\n",
    "VALUE k 0 x\r\n",
    "VALUE k 0 5x\r\n",
    "VALUE k 0 -1\r\n",
    "VALUE k 0 99999999999\r\n",
    "VALUE k 0 4294967296\r\n",
    "VALUE k 0 1\r\nxx\r\n",
    "VALUE k 0 1\r\nx\rX",
    "VALUE k 0 1\r\nx\r\nSTORED\r\n",
    "VALUE k 0 1\r\nx\r\nVA 1\r\n",
    "VALUE k 0 1\r\nx\r\n42\r\n",
    "VA\r\n",
    "VA x\r\n",
    "VA 1\r\nxy\r\n",
  ];
  for (const text of broken) {
    test(JSON.stringify(text), () => {
      everySplit(text, (pieces) => {
        const parser = new MemcachedResponseParser();
        for (const piece of pieces) {
          const chunk = Buffer.from(piece);
          let at = 0;
          parser.status = ParseStatus.Incomplete;
          while (at < chunk.length && parser.status === ParseStatus.Incomplete) {
            at = parser.parse(chunk, at, chunk.length);
          }
          if (parser.status !== ParseStatus.Incomplete) break;
        }
        expect(parser.status).toBe(ParseStatus.Invalid);
      });
    });
  }

  test("a value whose line is longer than any, also if all is there at once", () => {
    const text = Buffer.from(`VALUE ${"k".repeat(REPLY_LINE_BYTES_MAX)} 0 1\r\nx\r\nEND\r\n`);
    for (const size of [text.length, 4096]) {
      const parser = new MemcachedResponseParser();
      for (let at = 0; at < text.length && parser.status === ParseStatus.Incomplete; at += size) {
        parser.parse(text, at, Math.min(at + size, text.length));
      }
      expect(parser.status).toBe(ParseStatus.Invalid);
    }
  });

  test("a line without end", () => {
    const parser = new MemcachedResponseParser();
    const piece = Buffer.alloc(4096, "a");
    for (let i = 0; i * 4096 <= REPLY_LINE_BYTES_MAX; i++) parser.parse(piece, 0, piece.length);
    expect(parser.status).toBe(ParseStatus.Invalid);
  });
});

test("reset forgets a reply under way", () => {
  const parser = new MemcachedResponseParser();
  for (const half of ["VALUE k 0 9\r\nab", "STO", "VALUE k 0 1\r\nx\r\n"]) {
    parser.parse(Buffer.from(half), 0, half.length);
    expect(parser.status).toBe(ParseStatus.Incomplete);
    parser.reset();
    const next = Buffer.from("STORED\r\n");
    expect(parser.parse(next, 0, next.length)).toBe(next.length);
    expect(parser.status).toBe(ParseStatus.Complete);
  }
});
