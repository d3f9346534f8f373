/** Who may have the next descriptor, when the gates close and open, and what is said about it. */
import { expect, test } from "bun:test";
import { DescriptorBudget, ServerDescriptor } from "../../src/proxy/descriptor-budget.ts";
import { eventually } from "../support/eventually.ts";

function budgetOf(max: number, keptForServers: number) {
  const lines: string[] = [];
  const keep = (place: string, text: string) => void lines.push(`${place} ${text}`);
  const log = { always: keep, error: keep, warn: keep, notice: keep, info: keep, debug: keep };
  const budget = new DescriptorBudget({ max, keptForServers, log });
  const gate = {
    isOpen: true,
    close: () => (gate.isOpen = false),
    open: () => (gate.isOpen = true),
  };
  budget.guard(gate);
  return { budget, gate, lines };
}

function times(count: number, action: () => void): void {
  for (let i = 0; i < count; i++) action();
}

const TEXT = /^descriptor-budget\.ts:1 no file descriptor left for another client \(clients 8, /;

test("clients have what is not kept for servers; the gates open when one leaves", async () => {
  const { budget, gate, lines } = budgetOf(10, 2);
  times(7, () => budget.clientOpened());
  expect([gate.isOpen, budget.hasRoomForClient]).toEqual([true, true]);
  budget.clientOpened();
  expect([gate.isOpen, budget.hasRoomForClient, budget.hasRoomForServer]).toEqual([
    false,
    false,
    true,
  ]);
  expect(lines).toEqual([expect.stringMatching(TEXT)]);
  budget.clientClosed();
  await eventually(() => gate.isOpen);
  // Again and again: no more is said until there is room for more than one.
  for (let i = 0; i < 3; i++) {
    budget.clientOpened();
    expect(gate.isOpen).toBe(false);
    budget.clientClosed();
    await eventually(() => gate.isOpen);
  }
  expect(lines).toHaveLength(1);
  times(7, () => budget.clientClosed());
  expect(lines[1]).toBe("descriptor-budget.ts:2 file descriptors for clients are free");
});

test("servers use what is kept for them first, then what clients have left", () => {
  const { budget, gate } = budgetOf(10, 3);
  times(6, () => budget.clientOpened());
  times(3, () => budget.serverOpened());
  expect([gate.isOpen, budget.hasRoomForClient, budget.hasRoomForServer]).toEqual([
    true,
    true,
    true,
  ]);
  budget.serverOpened();
  expect([gate.isOpen, budget.hasRoomForClient, budget.hasRoomForServer]).toEqual([
    false,
    false,
    false,
  ]);
});

test("attempts that were given up take nothing of what is kept for servers", () => {
  const { budget } = budgetOf(10, 3);
  const server = { abandonedConnects: 0 };
  times(7, () => new ServerDescriptor(budget, server).abandon());
  expect([budget.servers, budget.abandoned]).toEqual([0, 7]);
  expect([budget.hasRoomForClient, budget.hasRoomForServer]).toEqual([false, true]);
  times(3, () => budget.serverOpened());
  expect(budget.hasRoomForServer).toBe(false);
});

test("a descriptor of a server is given back once, whatever happened to it", () => {
  const { budget } = budgetOf(10, 3);
  const server = { abandonedConnects: 0 };
  const [connected, given, late] = [1, 2, 3].map(() => new ServerDescriptor(budget, server));
  expect(budget.servers).toBe(3);
  connected?.release();
  connected?.release();
  connected?.abandon();
  given?.abandon();
  given?.abandon();
  expect([budget.servers, budget.abandoned, server.abandonedConnects]).toEqual([1, 1, 1]);
  given?.release();
  late?.abandon();
  late?.release();
  expect([budget.servers, budget.abandoned, server.abandonedConnects]).toEqual([0, 0, 0]);
});

test("a gate that comes when nothing is left is closed", () => {
  const { budget } = budgetOf(1, 0);
  budget.clientOpened();
  const gate = {
    isOpen: true,
    close: () => (gate.isOpen = false),
    open: () => (gate.isOpen = true),
  };
  budget.guard(gate);
  expect(gate.isOpen).toBe(false);
});

test("a server that swallows everything has a part of all, within bounds", () => {
  expect([10, 160, 800, 1e6, Infinity].map((max) => budgetOf(max, 1).budget.abandonedMax)).toEqual([
    4, 10, 50, 64, 64,
  ]);
});
