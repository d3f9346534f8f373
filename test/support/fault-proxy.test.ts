/**
 * The fault proxy does what each fault says, to connections that are there and to new ones.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "./eventually.ts";
import { FAULT_KINDS, FaultProxy } from "./fault-proxy.ts";
import type { Fault } from "./fault-proxy.ts";
import { RawClient } from "./raw-client.ts";
import { RedisServer } from "./redis-server.ts";

const WHOLE = "$5\r\nhello\r\n";
/** Long enough to be sure that no more comes. */
const SILENCE_MS = 25;

/** What a client reads after GET, how the connection ends, and whether a new one does. */
interface Seen {
  readonly read: string | RegExp;
  readonly end: "open" | "FIN" | "RST";
}

const PART = /^\$(5(\r(\n(h(e(l(lo?)?)?)?)?\r?)?)?)?$/;

const CASES: readonly (readonly [Fault, Seen])[] = [
  [{ kind: "none" }, { read: WHOLE, end: "open" }],
  [{ kind: "refuse" }, { read: "", end: "RST" }],
  [{ kind: "acceptAndClose" }, { read: "", end: "FIN" }],
  [{ kind: "stall" }, { read: "", end: "open" }],
  [
    { kind: "delay", ms: 5, jitterMs: 5 },
    { read: WHOLE, end: "open" },
  ],
  [
    { kind: "slow", bytesPerSecond: 1000 },
    { read: WHOLE, end: "open" },
  ],
  [{ kind: "byteByByte" }, { read: WHOLE, end: "open" }],
  [
    { kind: "byteByByte", sizeMax: 4 },
    { read: WHOLE, end: "open" },
  ],
  [
    { kind: "reset", place: "at once" },
    { read: "", end: "RST" },
  ],
  [
    { kind: "reset", place: "instead" },
    { read: "", end: "RST" },
  ],
  [{ kind: "reset" }, { read: PART, end: "RST" }],
  [
    { kind: "halfClose", place: "at once" },
    { read: "", end: "FIN" },
  ],
  [{ kind: "halfClose" }, { read: PART, end: "FIN" }],
  [
    { kind: "truncate", place: "instead" },
    { read: "", end: "FIN" },
  ],
  [{ kind: "truncate" }, { read: PART, end: "FIN" }],
  [
    { kind: "blackhole", place: "at once" },
    { read: "", end: "open" },
  ],
  [{ kind: "blackhole" }, { read: PART, end: "open" }],
  [
    { kind: "garbage", bytes: Buffer.from("what?") },
    { read: "what?", end: "open" },
  ],
  [{ kind: "extraReply" }, { read: `${WHOLE}+EXTRA\r\n`, end: "open" }],
  [{ kind: "duplicate" }, { read: WHOLE + WHOLE, end: "open" }],
];

let redis: RedisServer;
let faults: FaultProxy;

beforeAll(async () => {
  redis = await RedisServer.start();
  await redis.command("SET", "a", "hello");
  faults = FaultProxy.start(redis.port);
});

afterAll(async () => {
  await faults?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** Asks, and reads until what is expected has come, and nothing more comes. */
async function ask(
  client: RawClient,
  expected: Seen,
): Promise<Omit<Seen, "read"> & { read: string }> {
  const least = typeof expected.read === "string" ? expected.read.length : 1;
  void client.request("GET", "a");
  await eventually(() => {
    return client.isClosed || (client.unreadSize >= least && expected.end === "open");
  });
  await Bun.sleep(SILENCE_MS);
  const read = (await client.readExactly(client.unreadSize)).toString("latin1");
  const end = !client.isClosed ? "open" : client.closeError === undefined ? "FIN" : "RST";
  return { read, end };
}

function expectSeen(seen: { read: string; end: string }, expected: Seen): void {
  if (typeof expected.read === "string") expect(seen.read).toBe(expected.read);
  else expect(seen.read).toMatch(expected.read);
  // A reset that comes before anything was asked is reported as an end.
  if (seen.read !== "" || expected.end === "open") expect(seen.end).toBe(expected.end);
  else expect(seen.end).not.toBe("open");
}

test.each(CASES)("%j", async (fault, expected) => {
  faults.set({ kind: "none" });
  using there = await RawClient.connect(faults.port);
  expect(await there.call("GET", "a")).toBe(WHOLE);
  faults.set(fault);
  expectSeen(await ask(there, expected), expected);
  if (fault.kind === "refuse") {
    await expect(RawClient.connect(faults.port)).rejects.toThrow("connect");
  } else {
    using fresh = await RawClient.connect(faults.port);
    expectSeen(await ask(fresh, expected), expected);
  }
  faults.set({ kind: "none" });
  if (fault.kind === "stall") expect(await there.readReply()).toBe(WHOLE);
  using after = await RawClient.connect(faults.port);
  expect(await after.call("GET", "a")).toBe(WHOLE);
});

test("every kind of fault is looked at", () => {
  const seen = new Set(CASES.map(([fault]) => fault.kind));
  expect(FAULT_KINDS.filter((kind) => !seen.has(kind))).toEqual([]);
});

test("large replies pass whole through every pace, and nothing is left open", async () => {
  const value = "x".repeat(3_000_000);
  await redis.command("SET", "large", value);
  const paces: readonly Fault[] = [
    { kind: "none" },
    { kind: "delay", ms: 3, jitterMs: 9 },
    { kind: "slow", bytesPerSecond: 50_000_000 },
    { kind: "byteByByte", sizeMax: 9999 },
  ];
  for (const fault of paces) {
    faults.set(fault);
    using client = await RawClient.connect(faults.port);
    expect((await client.call("GET", "large")).length).toBe(value.length + 12);
  }
  faults.set({ kind: "none" });
  await eventually(() => faults.openConnections === 0);
});
