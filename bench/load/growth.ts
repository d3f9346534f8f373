/**
 * What a request costs as the work grows: connections, servers, keys, bytes, a deeper pipeline.
 * One table for each, CPU of the proxy per unit of work; flat is good.
 *
 *   bun bench/load/growth.ts                  all tables, every proxy that is installed
 *   bun bench/load/growth.ts --quick servers  one of them, coarse
 *
 * Prints Markdown, or JSON. How to read it: bench/README.md.
 */
import { nowMs, wallClockMs } from "../../src/lib/clock.ts";
import { drive } from "./drivers.ts";
import { AXES } from "./growth-axes.ts";
import type { Axis, Point } from "./growth-axes.ts";
import { connectionsFor } from "./idle.ts";
import { machineFacts, versionFacts } from "./machine.ts";
import { requestsOf } from "./measure.ts";
import { median } from "./measures.ts";
import type { Peer } from "./peers.ts";
import { factsOf, introductionOf, saveResults, table } from "./results.ts";
import { readRunFlags, type RunSettings } from "./run-flags.ts";
import { Stage } from "./stage.ts";

const NAMES = AXES.map(({ name }) => name);
const USAGE = `Usage: bun bench/load/growth.ts [options] [${NAMES.join("|")}...]
  --ours PATH      dist/nutcracker
  --peers LIST     all that are installed of nutcracker,predixy,haproxy
  --rounds N       3, with --quick 1
  --quick          a small part of the requests
  --json           one line of JSON per table
  --save           writes bench/results/growth-DATE-TIME.md and .json
`;
const QUICK_DIVISOR = 20;

interface Settings extends RunSettings {
  readonly axes: readonly Axis[];
}

/** A line of a table: CPU microseconds per request, by the proxies' names. */
interface Cost {
  readonly point: Point;
  readonly cpuUsPerRequest: Readonly<Record<string, number>>;
}

interface Growth {
  readonly axis: Axis;
  readonly costs: readonly Cost[];
}

/** Every proxy at one point, in alternation; the median of the rounds. */
async function measurePoint(point: Point, stage: Stage, settings: Settings): Promise<Cost> {
  const { scenario } = point;
  const peers = settings.peers.filter(
    (peer) => connectionsFor(scenario, peer) === scenario.connections,
  );
  const requests = requestsOf(scenario, settings.divisor);
  await stage.fill(scenario);
  const values = new Map(peers.map(({ name }) => [name, [] as number[]]));
  const isWarmed = settings.divisor === 1;
  for (let round = isWarmed ? -1 : 0; round < settings.rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      const share = round < 0 ? Math.ceil(requests / 4) : requests;
      const { cpuUsPerRequest } = await drive(scenario, share, await stage.proxy(peer), 0);
      if (round >= 0) values.get(peer.name)?.push(cpuUsPerRequest ?? NaN);
    }
  }
  const medians = [...values].map(([name, found]) => [name, median(found)]);
  return { point, cpuUsPerRequest: Object.fromEntries(medians) as Cost["cpuUsPerRequest"] };
}

/** Points that need the same servers share a stage. */
async function measureAxis(axis: Axis, settings: Settings): Promise<Growth> {
  const costs: Cost[] = [];
  for (const points of Map.groupBy(axis.points, ({ serverCount }) => serverCount).values()) {
    await using stage = await Stage.start("redis", points[0]?.serverCount);
    for (const point of points) {
      const startMs = nowMs();
      costs.push(await measurePoint(point, stage, settings));
      const seconds = ((nowMs() - startMs) / 1000).toFixed(1);
      process.stderr.write(`${axis.name} ${point.label}: ${seconds} s\n`);
    }
  }
  return { axis, costs };
}

function markdownOf({ axis, costs }: Growth, peers: readonly Peer[]): string {
  const names = peers.map(({ name }) => name);
  const isPerRequest = axis.unit === "request";
  const titles = [
    axis.name,
    ...(isPerRequest ? [] : names.map((name) => `${name}, us/request`)),
    ...names.map((name) => `${name}, us/${axis.unit}`),
  ];
  const rows = costs.map(({ point, cpuUsPerRequest }) => {
    const cells = (units: number): string[] =>
      names.map((name) => significant((cpuUsPerRequest[name] ?? NaN) / units));
    return [point.label, ...(isPerRequest ? [] : cells(1)), ...cells(point.unitsPerRequest)];
  });
  return `## ${axis.title}\n\n${table(titles, rows)}`;
}

/** Three digits that say something; `-` where nothing was measured. */
function significant(value: number): string {
  if (Number.isNaN(value)) return "-";
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function readSettings(): Settings {
  const { common, names } = readRunFlags({ rounds: 3, quickDivisor: QUICK_DIVISOR });
  const unknown = names.find((wanted) => !NAMES.includes(wanted));
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of ${NAMES.join(", ")}`);
  return {
    ...common,
    axes: AXES.filter(({ name }) => names.length === 0 || names.includes(name)),
  };
}

async function main(): Promise<void> {
  const settings = readSettings();
  const run = {
    startedAt: new Date(wallClockMs()),
    machine: machineFacts(),
    versions: versionFacts(settings.peers),
    rounds: settings.rounds,
    divisor: settings.divisor,
  };
  const growths: Growth[] = [];
  const tables: string[] = [];
  for (const axis of settings.axes) {
    const growth = await measureAxis(axis, settings);
    const text = markdownOf(growth, settings.peers);
    growths.push(growth);
    tables.push(text);
    process.stdout.write(settings.isJson ? `${JSON.stringify(growth)}\n` : `${text}\n\n`);
  }
  if (!settings.isSaved) return;
  const sections = [introductionOf("Cost as the work grows", run), ...tables, factsOf(run)];
  const paths = await saveResults("growth-", run, sections.join("\n\n"), { growths });
  process.stderr.write(`saved: ${paths.join(", ")}\n`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`growth: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exitCode = 1;
  }
}
