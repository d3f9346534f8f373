/**
 * How a server is: what counts as a failure, and when it is looked at again.
 */
import { expect, test } from "bun:test";
import { FLAP_DELAY_MAX_MS, FLAP_WINDOW_MS, ServerHealth } from "../../src/proxy/server-health.ts";
import { ServerCounters, ServerState } from "../../src/stats/counters.ts";

function healthWith(intervalMs: number, retryMs = 30_000, limit = 2): ServerHealth {
  return new ServerHealth(new ServerCounters(), {
    serverFailureLimit: limit,
    serverProbeIntervalMs: intervalMs,
    serverRetryTimeoutMs: retryMs,
  });
}

test("connections that were open at a failure belong to it", () => {
  const health = healthWith(1000);
  const [first, second] = [{ incident: 0 }, { incident: 0 }];
  expect([health.failed(first), health.failed(second)]).toEqual([0, 0]);
  expect(health.state).toBe(ServerState.Suspect);
  const third = { incident: health.incidents };
  expect(health.failed(third)).toBe(2);
  // One that has had a reply since is a witness again.
  health.replied(second);
  expect(health.state).toBe(ServerState.Healthy);
  expect(health.failed(second)).toBe(0);
  expect(health.state).toBe(ServerState.Suspect);
});

test.each([
  [0, 1],
  [1, 1],
  [3, 3],
])("a limit of %p is reached with failure %p, and counting begins anew", (limit, failures) => {
  const health = healthWith(1000, 30_000, limit);
  for (let round = 0; round < 2; round++) {
    for (let i = 1; i <= failures; i++) {
      expect(health.failed({ incident: health.incidents })).toBe(i === failures ? failures : 0);
    }
  }
});

test("probes: after the interval, then twice as long each time, up to the retry time", () => {
  const health = healthWith(1000, 5000);
  expect(health.eject(100)).toBe(1000);
  expect([health.state, health.probeAtMs]).toEqual([ServerState.Ejected, 1100]);
  let nowMs = 1100;
  for (const longestMs of [2000, 4000, 5000, 5000]) {
    health.probing(nowMs);
    expect(health.state).toBe(ServerState.Probing);
    health.probeFailed();
    expect(health.state).toBe(ServerState.Ejected);
    expect(health.probeAtMs - nowMs).toBeWithin(longestMs * 0.75, longestMs + 1);
    nowMs = health.probeAtMs;
  }
  expect(health.returned(nowMs + 7)).toBe(nowMs + 7 - 100);
  expect([health.state, health.probeAtMs]).toEqual([ServerState.Healthy, Infinity]);
});

test("an interval above the retry time is kept", () => {
  const health = healthWith(9000, 100);
  health.eject(0);
  for (let nowMs = 9000, i = 0; i < 3; i++, nowMs = health.probeAtMs) {
    health.probing(nowMs);
    expect(health.probeAtMs - nowMs).toBeWithin(9000 * 0.75, 9001);
  }
});

test("a server that flaps is looked at later and later, until it has been well for a while", () => {
  const health = healthWith(10_000);
  let nowMs = 0;
  const delays: number[] = [];
  for (let round = 0; round < 7; round++) {
    delays.push(health.eject(nowMs));
    nowMs = health.probeAtMs;
    health.probing(nowMs);
    health.returned(nowMs);
    nowMs += FLAP_WINDOW_MS - 1;
  }
  expect(delays).toEqual([10_000, 10_000, 20_000, 40_000, FLAP_DELAY_MAX_MS, 60_000, 60_000]);
  expect(health.eject(nowMs + 1)).toBe(10_000);
});

test("after a first delay that was damped, the others are as ever", () => {
  const health = healthWith(30_000);
  for (let i = 0; i < 4; i++) {
    health.eject(0);
    health.returned(0);
  }
  expect(health.eject(0)).toBe(60_000);
  health.probing(60_000);
  expect(health.probeAtMs).toBeWithin(60_000 + 22_500, 90_001);
});
