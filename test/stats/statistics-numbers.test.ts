/**
 * Adding up the statistics of several processes.
 */
import { expect, test } from "bun:test";
import {
  ConnectionCounters,
  PoolCounters,
  ProcessGauges,
  ServerCounters,
} from "../../src/stats/counters.ts";
import { POOL_METRICS, PROCESS_METRICS, SERVER_METRICS } from "../../src/stats/metrics.ts";
import { StatisticsNumbers } from "../../src/stats/statistics-numbers.ts";

/** One pool with two servers; every number is different, beginning with `first`. */
function statistics(first: number) {
  let next = first;
  const fill = <Counters extends object>(counters: Counters): Counters => {
    for (const field of Object.keys(counters)) Object.assign(counters, { [field]: next++ });
    return counters;
  };
  const connections = fill(new ConnectionCounters());
  const gauges = fill(new ProcessGauges());
  const counters = fill(new PoolCounters());
  const servers = ["a", "b"].map((name) => ({ name, counters: fill(new ServerCounters()) }));
  return {
    connections,
    gauges,
    pools: [{ name: "p", counters, servers, refreshGauges: () => {} }],
  };
}

function numbersOf({
  connections,
  gauges,
  pools,
}: ReturnType<typeof statistics>): StatisticsNumbers {
  return new StatisticsNumbers(connections, pools, gauges);
}

const COUNT = 2 + PROCESS_METRICS.length + POOL_METRICS.length + 2 * SERVER_METRICS.length;

test("what one process reads, another one writes", () => {
  const [here, there] = [statistics(1), statistics(1000)];
  const row = numbersOf(here).read();
  expect(new Set(row).size).toBe(COUNT);
  numbersOf(there).write(row);
  expect(there.connections).toEqual(here.connections);
  expect(there.gauges).toEqual(here.gauges);
  expect(there.pools[0]?.counters).toEqual(here.pools[0]!.counters);
  expect(there.pools[0]?.servers).toEqual(here.pools[0]!.servers);
});

test("counters and gauges are added, of timestamps the latest counts, of states the worst", () => {
  const total = statistics(0);
  const numbers = numbersOf(total);
  const rows = [100, 200, 50].map((first) => numbersOf(statistics(first)).read());
  numbers.write(numbers.add(rows));
  const zero = statistics(0);
  const sum = (own: number) => 350 + 3 * own;
  expect(total.connections.total).toBe(sum(zero.connections.total));
  expect(total.connections.current).toBe(sum(zero.connections.current));
  expect(total.gauges.bufferBytes).toBe(sum(zero.gauges.bufferBytes));
  expect(total.pools[0]?.counters.clientEof).toBe(sum(zero.pools[0]!.counters.clientEof));
  for (const [index, { counters }] of total.pools[0]!.servers.entries()) {
    const own = zero.pools[0]!.servers[index]!.counters;
    expect(counters.requests).toBe(sum(own.requests));
    expect(counters.outQueue).toBe(sum(own.outQueue));
    expect(counters.serverEjectedAt).toBe(200 + own.serverEjectedAt);
    expect<number>(counters.serverState).toBe(200 + own.serverState);
  }
});

test("nothing added is zero, and a row that is not there yet counts as zeros", () => {
  const numbers = numbersOf(statistics(1));
  const row = numbers.read();
  expect(numbers.add([])).toEqual(Array<number>(COUNT).fill(0));
  expect(numbers.add([[], row])).toEqual(row);
});

test("of a process that is gone its counters and timestamps stay", () => {
  const total = statistics(1);
  const numbers = numbersOf(total);
  numbers.write(numbers.withoutGauges(numbers.read()));
  const own = statistics(1);
  expect(total.connections).toEqual({ total: own.connections.total, current: 0 });
  expect(total.gauges).toEqual(new ProcessGauges());
  expect(total.pools[0]?.counters).toEqual({
    ...own.pools[0]!.counters,
    clientConnections: 0,
  });
  expect(total.pools[0]?.servers[0]?.counters).toEqual({
    ...own.pools[0]!.servers[0]!.counters,
    ...{ serverConnections: 0, inQueue: 0, inQueueBytes: 0, outQueue: 0, outQueueBytes: 0 },
    serverState: 0,
  });
});

test("gauges are brought up to date before they are read", () => {
  const { connections, gauges, pools } = statistics(1);
  const [pool] = pools;
  const refreshGauges = () => void (pool!.counters.clientConnections = 4711);
  const numbers = new StatisticsNumbers(connections, [{ ...pool!, refreshGauges }], gauges);
  expect(numbers.read()).toContain(4711);
});
