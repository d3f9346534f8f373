/**
 * Grouping the keys of a divided request, against the plainest way to do it.
 */
import { expect, test } from "bun:test";
import type { Request } from "../../src/protocol/request.ts";
import type { SplitRequest } from "../../src/protocol/split-request.ts";
import { giveSplitRequest, takeSplitRequest } from "../../src/protocol/split-request.ts";
import { type SeededRandom, withSeed } from "../support/seeded-random.ts";

interface Group {
  readonly server: number;
  readonly keys: readonly number[];
}

/** Servers in index order, the keys of each in the order of the request. */
function naiveGroups(servers: readonly number[], keysMax = Infinity): Group[] {
  const groups: Group[] = [];
  for (const server of [...new Set(servers)].sort((a, b) => a - b)) {
    const keys = servers.flatMap((one, key) => (one === server ? [key] : []));
    while (keys.length > 0) groups.push({ server, keys: keys.splice(0, keysMax) });
  }
  return groups;
}

function groupsOf(request: SplitRequest): Group[] {
  return Array.from({ length: request.groupCount }, (_, group) => ({
    server: request.serverOfGroup[group]!,
    keys: [...request.keyOrder.subarray(request.groupStart[group], request.groupStart[group + 1])],
  }));
}

function check(random: SeededRandom, owner: Owner): void {
  const serverCount = random.pick([1, 2, 3, 16, 17, 70, 300]);
  const keyCount = random.pick([2, 3, 10, 31, 32, 33, 500, 5000]);
  const used = random.between(1, serverCount);
  const servers = Array.from({ length: keyCount }, () => random.integer(used));
  const request = takeSplitRequest(owner);
  request.begin(keyCount);
  request.fragmentOfKey.set(servers);
  request.group(serverCount);
  expect(groupsOf(request)).toEqual(naiveGroups(servers));
  const keysMax = random.pick([1, 2, 7, 100, keyCount]);
  const isDivided = random.chance(0.5);
  if (isDivided) request.divideGroups(keysMax);
  const groups = naiveGroups(servers, isDivided ? keysMax : Infinity);
  expect(groupsOf(request)).toEqual(groups);
  for (const [index, { keys }] of groups.entries()) {
    for (const key of keys) expect(request.fragmentOfKey[key]).toBe(index);
  }
  const fragments = groups.map(() => request.takeFragment());
  for (const fragment of random.shuffle(fragments)) {
    expect(owner.done).toEqual([]);
    request.requestDone(fragment);
  }
  expect(owner.done.splice(0)).toEqual([request]);
  giveSplitRequest(request);
}

class Owner {
  readonly done: Request[] = [];
  requestDone(request: Request): void {
    this.done.push(request);
  }
  replyArriving(): boolean {
    return true;
  }
  holdReply(): void {}
}

test("any keys on any servers, in records that are used again", () =>
  withSeed((random) => {
    const owner = new Owner();
    for (let i = 0; i < 300; i++) check(random, owner);
  }));

test("fragments that fail before the last one is made do not finish the request", () => {
  const owner = new Owner();
  const request = takeSplitRequest(owner);
  request.begin(3);
  request.fragmentOfKey.set([0, 1, 2]);
  request.group(3);
  for (let i = 0; i < 3; i++) {
    expect(owner.done).toEqual([]);
    request.requestDone(request.takeFragment());
  }
  expect(owner.done).toEqual([request]);
  giveSplitRequest(request);
});

test("a request whose client left gives its records back with the last fragment", () => {
  const owner = new Owner();
  const request = takeSplitRequest(owner);
  request.begin(2);
  request.fragmentOfKey.set([0, 1]);
  request.group(2);
  const [first, second] = [request.takeFragment(), request.takeFragment()];
  request.requestDone(first);
  request.owner = null;
  request.requestDone(second);
  expect(owner.done).toEqual([]);
  expect(request.fragments.length).toBe(0);
  expect(takeSplitRequest(owner)).toBe(request);
  giveSplitRequest(request);
});
