/**
 * What nutcracker counted: the numbers of the stats port that are not what they were at the start.
 */
import { CACHE_REQUESTS_AT_LEAST } from "./cache-chapter.ts";
import { KEY_COUNT } from "./key-chapters.ts";
import type { DemoPool } from "./pools.ts";
import { until } from "./processes.ts";
import { expectThat, type PlacedServer, type Stage } from "./stage.ts";
import { type Change, readStats, statAt, statsChanges, type StatsRecord } from "./stats.ts";
import * as terminal from "./terminal.ts";

const FIELD_WIDTH = 20;
const NUMBER_WIDTH = 16;

/** All keys were written twice and read twice, each time as one request of its own. */
const REQUESTS_AT_LEAST = 4 * KEY_COUNT;
/** nutcracker may hand its counters to the stats port a little late. */
const PATIENCE_MS = 5_000;

export async function countersChapter(stage: Stage, before: StatsRecord): Promise<void> {
  terminal.heading("What nutcracker counted");
  const { pool, cache } = stage;
  let after = before;
  const sumOf = ({ name, servers }: DemoPool, field: string) =>
    servers.reduce((sum, server) => sum + statAt(after, name, server.name, field), 0);
  const isCounted = await until(PATIENCE_MS, async () => {
    after = await readStats(stage.statsPort);
    const isCacheCounted = sumOf(cache.pool, "responses") >= CACHE_REQUESTS_AT_LEAST;
    return isCacheCounted && sumOf(pool, "responses") >= REQUESTS_AT_LEAST;
  });
  const changes = statsChanges(before, after);
  printRises(changes.filter(({ path }) => path.length === 1));
  printPool(pool, stage.servers, changes);
  printPool(cache.pool, cache.servers, changes);
  const troublesOf = ({ name }: DemoPool) => statAt(after, name, "forward_error");
  const requests = terminal.counted(sumOf(pool, "requests"), "request");
  const ejects = statAt(after, pool.name, "server_ejects");
  const errors = troublesOf(pool);
  const troubles = `${terminal.counted(errors, "error")}, ${terminal.counted(ejects, "ejection")}`;
  const sentence = `Counted: ${requests} to Redis, ${troubles}.`;
  const seen = `responses: ${sumOf(pool, "responses")} of at least ${REQUESTS_AT_LEAST}`;
  expectThat(isCounted && ejects > 0 && errors > 0, sentence, seen);
  const cacheRequests = terminal.counted(sumOf(cache.pool, "requests"), "request");
  const cacheSentence = `Counted: ${cacheRequests} to memcached, no error.`;
  expectThat(troublesOf(cache.pool) === 0, cacheSentence, `${troublesOf(cache.pool)} errors`);
  terminal.print();
  terminal.confirm(sentence);
  terminal.confirm(cacheSentence);
}

/** Prints what changed in a pool: a column for each of its servers, then what it has as a whole. */
function printPool({ name }: DemoPool, servers: readonly PlacedServer[], all: Change[]): void {
  const changes = all.filter(({ path }) => path[0] === name);
  const columns = servers.map((server) => {
    return terminal.serverColour(server.index)(terminal.right(server.name, NUMBER_WIDTH));
  });
  terminal.print();
  terminal.print(terminal.bold(terminal.left(name, FIELD_WIDTH)) + columns.join(""));
  const ofServers = changes.filter(({ path }) => path.length === 3);
  for (const field of new Set(ofServers.map(({ path }) => path[2] ?? ""))) {
    const cells = servers.map((server) => {
      const change = ofServers.find(({ path }) => path[1] === server.name && path[2] === field);
      return terminal.right(cellText(field, change), NUMBER_WIDTH);
    });
    terminal.print(terminal.left(field, FIELD_WIDTH) + cells.join(""));
  }
  printRises(changes.filter(({ path }) => path.length === 2));
}

function printRises(changes: Change[]): void {
  for (const { path, before, after } of changes) {
    const field = terminal.left(path.at(-1) ?? "", FIELD_WIDTH);
    const earlier = terminal.dim(`${terminal.right(before, NUMBER_WIDTH)} →`);
    terminal.print(`${field}${earlier} ${terminal.grouped(after)}`);
  }
}

/** How much a counter rose; a moment as the time of day. */
function cellText(field: string, change: Change | undefined): string {
  if (change === undefined) return "-";
  if (field.endsWith("_at")) return new Date(change.after / 1000).toTimeString().slice(0, 8);
  const increase = change.after - change.before;
  return `${increase > 0 ? "+" : ""}${terminal.grouped(increase)}`;
}
