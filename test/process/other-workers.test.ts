/**
 * How a worker asks the others: one question at a time, shared, and not for ever.
 */
import { expect, test } from "bun:test";
import { WorkersElsewhere } from "../../src/process/other-workers.ts";
import type { MessageFromWorker } from "../../src/process/worker-messages.ts";
import type { PeerFacts } from "../../src/proxy/distant-peers.ts";

const facts = (id: number) => ({ identity: { id } }) as PeerFacts;

function start() {
  const sent: MessageFromWorker[] = [];
  return { sent, workers: new WorkersElsewhere((message) => sent.push(message)) };
}

test("who asks while a question is on the way shares the next one", async () => {
  const { sent, workers } = start();
  const first = workers.peers(0);
  const others = Array.from({ length: 1_000 }, () => workers.peers(0));
  expect(sent).toEqual([{ kind: "askPeers", pool: 0, ask: 1 }]);
  workers.found(0, 1, [facts(1)]);
  expect(await first).toEqual([facts(1)]);
  expect(sent.slice(1)).toEqual([{ kind: "askPeers", pool: 0, ask: 2 }]);
  workers.found(0, 2, [facts(2)]);
  for (const found of await Promise.all(others)) expect(found).toEqual([facts(2)]);
  expect(sent).toHaveLength(2);
});

test("pools do not wait for each other, and an answer belongs to its question", async () => {
  const { sent, workers } = start();
  const found = [workers.peers(0), workers.peers(1)];
  expect(sent.map((message) => message.kind)).toEqual(["askPeers", "askPeers"]);
  workers.found(0, 2, [facts(9)]);
  workers.found(5, 1, [facts(9)]);
  workers.found(1, 2, [facts(2)]);
  workers.found(0, 1, [facts(1)]);
  workers.found(0, 1, [facts(9)]);
  expect(await Promise.all(found)).toEqual([[facts(1)], [facts(2)]]);
});

test("no answer is none after a while, and one that comes too late is not looked at", async () => {
  const { sent, workers } = start();
  expect(await workers.peers(0)).toEqual([]);
  const next = workers.peers(0);
  workers.found(0, 1, [facts(1)]);
  workers.found(0, 2, [facts(2)]);
  expect(await next).toEqual([facts(2)]);
  expect(sent).toHaveLength(2);
});

test("without a supervisor nobody is waited for", async () => {
  const { sent, workers } = start();
  const found = [workers.peers(0), workers.peers(0), workers.peers(1)];
  workers.orphaned();
  found.push(workers.peers(1), workers.peers(2));
  for (const peers of await Promise.all(found)) expect(peers).toEqual([]);
  workers.found(0, 1, [facts(1)]);
  expect(sent).toHaveLength(2);
});
