/**
 * The statistics of a process as a plain row of numbers, so that several processes can be added up.
 *
 *   counters of a worker -> readNumbers -> [numbers] -> addNumbers -> writeNumbers -> totals
 *
 * Counters and gauges are added, of timestamps the latest counts, of states the worst. What place
 * a number has in the row follows from metrics.ts and the pools, which must be the same on both
 * sides. Does not know how the numbers travel.
 */

import type { ConnectionCounters, PoolStatistics, ProcessGauges } from "./counters.ts";
import { type Metric, POOL_METRICS, PROCESS_METRICS, SERVER_METRICS } from "./metrics.ts";

type Kind = Metric<string>["kind"];

/** Where one number lives. */
interface Cell {
  readonly record: Record<string, number>;
  readonly field: string;
  readonly kind: Kind;
}

const CONNECTION_METRICS: readonly Pick<Metric<keyof ConnectionCounters>, "field" | "kind">[] = [
  { field: "total", kind: "counter" },
  { field: "current", kind: "gauge" },
];

/** Every number that is counted, in one order for all processes with the same pools. */
export class StatisticsNumbers {
  readonly #cells: readonly Cell[];
  readonly #pools: readonly PoolStatistics[];

  constructor(
    connections: ConnectionCounters,
    pools: readonly PoolStatistics[],
    gauges: ProcessGauges,
  ) {
    this.#pools = pools;
    const cells = cellsOf(connections, CONNECTION_METRICS);
    cells.push(...cellsOf(gauges, PROCESS_METRICS));
    for (const pool of pools) {
      cells.push(...cellsOf(pool.counters, POOL_METRICS));
      for (const { counters } of pool.servers) cells.push(...cellsOf(counters, SERVER_METRICS));
    }
    this.#cells = cells;
  }

  read(): number[] {
    for (const pool of this.#pools) pool.refreshGauges();
    return this.#cells.map(({ record, field }) => record[field] ?? 0);
  }

  /** @param numbers as read() gives them; fewer leave the rest as it is */
  write(numbers: readonly number[]): void {
    for (const [index, number] of numbers.entries()) {
      const cell = this.#cells[index];
      if (cell !== undefined) cell.record[cell.field] = number;
    }
  }

  /** The sum of any number of rows; zeros for none. */
  add(rows: readonly (readonly number[])[]): number[] {
    return this.#cells.map(({ kind }, index) => {
      const numbers = rows.map((row) => row[index] ?? 0);
      if (kind === "timestamp" || kind === "state") return Math.max(0, ...numbers);
      return numbers.reduce((sum, number) => sum + number, 0);
    });
  }

  /** What stays of a process that is gone: nothing of it is open or waiting any more. */
  withoutGauges(row: readonly number[]): number[] {
    return this.#cells.map(({ kind }, index) =>
      kind === "gauge" || kind === "state" ? 0 : (row[index] ?? 0),
    );
  }
}

function cellsOf<Field extends string>(
  record: Record<Field, number>,
  metrics: readonly { readonly field: Field; readonly kind: Kind }[],
): Cell[] {
  return metrics.map(({ field, kind }) => ({ record, field, kind }));
}
