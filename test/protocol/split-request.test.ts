/** Groups of keys by server, and groups that are too large for one fragment. */
import { expect, test } from "bun:test";
import { giveSplitRequest, takeSplitRequest } from "../../src/protocol/split-request.ts";
import type { SplitRequest } from "../../src/protocol/split-request.ts";
import { withSeed } from "../support/seeded-random.ts";

const OWNER = { requestDone() {}, replyArriving: () => true, holdReply() {} };

/** For each group: its server, and its keys in order. */
function groupsOf(request: SplitRequest): [number, number[]][] {
  return Array.from({ length: request.groupCount }, (_, group) => [
    request.serverOfGroup[group] ?? -1,
    [...request.keyOrder.subarray(request.groupStart[group], request.groupStart[group + 1])],
  ]);
}

function grouped(servers: readonly number[], serverCount: number): SplitRequest {
  const request = takeSplitRequest(OWNER);
  request.begin(servers.length);
  servers.forEach((server, key) => (request.fragmentOfKey[key] = server));
  request.group(serverCount);
  return request;
}

test("keys of one server are one group, in their order", () => {
  const request = grouped([2, 0, 2, 2, 0], 4);
  expect(groupsOf(request)).toEqual([
    [0, [1, 4]],
    [2, [0, 2, 3]],
  ]);
  expect([...request.fragmentOfKey.subarray(0, 5)]).toEqual([1, 0, 1, 1, 0]);
  giveSplitRequest(request);
});

test("a large group becomes several for the same server", () => {
  const request = grouped([2, 0, 2, 2, 0, 2, 2], 3);
  request.divideGroups(2);
  expect(groupsOf(request)).toEqual([
    [0, [1, 4]],
    [2, [0, 2]],
    [2, [3, 5]],
    [2, [6]],
  ]);
  expect([...request.fragmentOfKey.subarray(0, 7)]).toEqual([1, 0, 1, 2, 0, 2, 3]);
  giveSplitRequest(request);
  // The record can be used again.
  const next = grouped([1, 1, 0], 2);
  expect(groupsOf(next)).toEqual([
    [0, [2]],
    [1, [0, 1]],
  ]);
  giveSplitRequest(next);
});

test("every key is in one group of its server, none is too large", async () => {
  await withSeed((random) => {
    for (let round = 0; round < 200; round++) {
      const serverCount = random.between(1, 9);
      const servers = Array.from({ length: random.between(2, 300) }, () =>
        random.integer(serverCount),
      );
      const request = grouped(servers, serverCount);
      const keysMax = random.between(1, 40);
      request.divideGroups(keysMax);
      const groups = groupsOf(request);
      for (const [index, [server, keys]] of groups.entries()) {
        expect(keys.length).toBeLessThanOrEqual(keysMax);
        expect(keys).toEqual(keys.toSorted((a, b) => a - b));
        for (const key of keys) {
          expect([servers[key], request.fragmentOfKey[key]]).toEqual([server, index]);
        }
      }
      expect(groups.flatMap(([, keys]) => keys).length).toBe(servers.length);
      giveSplitRequest(request);
    }
  });
});
