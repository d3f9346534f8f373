/** Keys in base64, and the replies that a quiet client does not see. */
import { expect, test } from "bun:test";
import { ByteChain } from "../../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../../src/lib/chunk-pool.ts";
import { TIMED_OUT } from "../../../src/protocol/failure.ts";
import { Quiet } from "../../../src/protocol/memcached/commands.ts";
import { decodeKey, hidesReply } from "../../../src/protocol/memcached/meta.ts";
import { Request } from "../../../src/protocol/request.ts";
import { withSeed } from "../../support/seeded-random.ts";

function decode(text: string): Buffer {
  const bytes = Buffer.from(`<${text}>`);
  return Buffer.from(decodeKey(bytes, 1, 1 + text.length));
}

test("keys of every length are decoded", async () => {
  await withSeed((random) => {
    for (let length = 0; length <= 187; length++) {
      const key = random.bytes(length);
      expect(decode(key.toString("base64"))).toEqual(key);
    }
  });
});

test("bytes that are no base64 are skipped, as memcached skips them", () => {
  expect(decode("Zm-9\tv").toString()).toBe("foo");
  expect(decode("").length).toBe(0);
  expect(decode("!!").length).toBe(0);
});

const QUIET: readonly [string, Quiet, string, boolean][] = [
  ["mg", Quiet.Get, "EN\r\n", true],
  ["mg", Quiet.Get, "EN O1 kfoo\r\n", true],
  ["mg", Quiet.Get, "HD\r\n", false],
  ["mg", Quiet.Get, "VA 1\r\nx\r\n", false],
  ["mg", Quiet.Get, "ERROR\r\n", false],
  ["ms", Quiet.Set, "HD O1\r\n", true],
  ["ms", Quiet.Set, "NS\r\n", false],
  ["ms", Quiet.Set, "EX\r\n", false],
  ["ms", Quiet.Set, "SERVER_ERROR object too large for cache\r\n", false],
  ["md", Quiet.Delete, "HD\r\n", true],
  ["md", Quiet.Delete, "NF\r\n", false],
  ["ma", Quiet.Arithmetic, "HD\r\n", true],
  ["ma", Quiet.Arithmetic, "VA 1\r\n5\r\n", true],
  ["ma", Quiet.Arithmetic, "NF\r\n", false],
  ["no q flag", Quiet.None, "EN\r\n", false],
];

test.each(QUIET)("%s (%p): %p is hidden: %p", (_name, quiet, reply, isHidden) => {
  const whole = new Request();
  whole.replyFilter = quiet;
  whole.setReply(Buffer.from(`..${reply}`), 2, 2 + reply.length);
  expect(hidesReply(whole)).toBe(isHidden);

  const cut = new Request();
  cut.replyFilter = quiet;
  cut.replyChain = new ByteChain(new ChunkPool(512));
  cut.replyChain.append(Buffer.from(reply), 0, 1);
  cut.replyChain.append(Buffer.from(reply), 1, reply.length);
  expect(hidesReply(cut)).toBe(isHidden);
});

test("trouble with a server is never hidden", () => {
  const request = new Request();
  request.replyFilter = Quiet.Get;
  request.failure = TIMED_OUT;
  expect(hidesReply(request)).toBe(false);
});
