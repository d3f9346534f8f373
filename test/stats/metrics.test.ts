/**
 * The table of metrics: a row for every counter, in the form that its readers rely on.
 */
import { expect, test } from "bun:test";
import { PoolCounters, ProcessGauges, ServerCounters } from "../../src/stats/counters.ts";
import { POOL_METRICS, PROCESS_METRICS, SERVER_METRICS } from "../../src/stats/metrics.ts";

test("every field of the counters has one row, in the same order", () => {
  expect(POOL_METRICS.map((row) => row.field)).toEqual(
    Object.keys(new PoolCounters()) as (keyof PoolCounters)[],
  );
  expect(PROCESS_METRICS.map((row) => row.field)).toEqual(
    Object.keys(new ProcessGauges()) as (keyof ProcessGauges)[],
  );
  expect(SERVER_METRICS.map((row) => row.field)).toEqual(
    Object.keys(new ServerCounters()) as (keyof ServerCounters)[],
  );
});

test("a row is named after its field", () => {
  const camelCase = (name: string) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  for (const row of [...PROCESS_METRICS, ...POOL_METRICS, ...SERVER_METRICS]) {
    expect(camelCase(row.name)).toBe(row.field);
  }
});
