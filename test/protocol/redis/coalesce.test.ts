/** Replies of fragments that are replies, but none that anybody asked for. */
import { expect, test } from "bun:test";
import { ByteChain } from "../../../src/lib/byte-chain.ts";
import { ChunkPool } from "../../../src/lib/chunk-pool.ts";
import { coalesce } from "../../../src/protocol/redis/coalesce.ts";
import { CoalesceAs } from "../../../src/protocol/redis/command-row.ts";
import type { RequestOwner } from "../../../src/protocol/request.ts";
import { giveSplitRequest, takeSplitRequest } from "../../../src/protocol/split-request.ts";

const NOBODY = {} as RequestOwner;

/** The one reply when key i is on server `servers[i]`, and the servers reply so. */
function coalesced(coalesceAs: number, servers: readonly number[], replies: readonly string[]) {
  const request = takeSplitRequest(NOBODY);
  request.begin(servers.length);
  for (const [i, server] of servers.entries()) request.fragmentOfKey[i] = server;
  request.group(replies.length);
  request.coalesceAs = coalesceAs;
  for (const reply of replies) {
    request.takeFragment().setReply(Buffer.from(reply, "latin1"), 0, reply.length);
  }
  const target = new ByteChain(new ChunkPool(512));
  coalesce(request, target);
  giveSplitRequest(request);
  const bytes = Buffer.alloc(target.sizeBytes);
  target.copyOut(0, bytes.length, bytes, 0);
  return bytes.toString("latin1");
}

test("nulls of RESP3 among values", () => {
  const replies = ["*2\r\n_\r\n$1\r\na\r\n", "*1\r\n_\r\n"];
  expect(coalesced(CoalesceAs.Values, [0, 1, 0], replies)).toBe("*3\r\n_\r\n_\r\n$1\r\na\r\n");
});

test("what only begins like a null is none: its parts would lie between others", () => {
  const replies = ["*2\r\n_ab$3\r\n+ab\r\n", "*1\r\n$1\r\nx\r\n"];
  expect(coalesced(CoalesceAs.Values, [0, 1, 0], replies)).toBe("-ERR Invalid argument\r\n");
});

test("a sum beyond all numbers that can be written", () => {
  const replies = Array.from({ length: 8 }, () => `:${2 ** 53}\r\n`);
  const servers = [0, 1, 2, 3, 4, 5, 6, 7];
  expect(coalesced(CoalesceAs.Sum, servers, replies)).toBe("-ERR Invalid argument\r\n");
});
