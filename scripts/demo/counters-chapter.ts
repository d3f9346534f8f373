/**
 * What nutcracker counted: the numbers of the stats port that are not what they were at the start.
 */
import { KEY_COUNT } from "./key-chapters.ts";
import { until } from "./processes.ts";
import { expectThat, type Stage } from "./stage.ts";
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
  let after = before;
  const sumOf = (field: string) =>
    stage.servers.reduce((sum, { name }) => sum + statAt(after, stage.pool.name, name, field), 0);
  const isCounted = await until(PATIENCE_MS, async () => {
    after = await readStats(stage.statsPort);
    return sumOf("responses") >= REQUESTS_AT_LEAST;
  });
  printChanges(stage, statsChanges(before, after));
  const requests = terminal.counted(sumOf("requests"), "request");
  const ejects = statAt(after, stage.pool.name, "server_ejects");
  const errors = statAt(after, stage.pool.name, "forward_error");
  const troubles = `${terminal.counted(errors, "error")}, ${terminal.counted(ejects, "ejection")}`;
  const sentence = `Counted: ${requests} to servers, ${troubles}.`;
  const seen = `responses: ${sumOf("responses")} of at least ${REQUESTS_AT_LEAST}`;
  expectThat(isCounted && ejects > 0 && errors > 0, sentence, seen);
  terminal.print();
  terminal.confirm(sentence);
}

function printChanges(stage: Stage, changes: Change[]): void {
  for (const { path, before, after } of changes.filter(({ path }) => path.length < 3)) {
    const field = terminal.left(path.at(-1) ?? "", FIELD_WIDTH);
    const earlier = terminal.dim(`${terminal.right(before, NUMBER_WIDTH)} →`);
    terminal.print(`${field}${earlier} ${terminal.grouped(after)}`);
  }
  const columns = stage.servers.map(({ name, index }) => {
    return terminal.serverColour(index)(terminal.right(name, NUMBER_WIDTH));
  });
  terminal.print();
  terminal.print(terminal.left("", FIELD_WIDTH) + columns.join(""));
  const ofServers = changes.filter(({ path }) => path.length === 3);
  for (const field of new Set(ofServers.map(({ path }) => path[2] ?? ""))) {
    const cells = stage.servers.map(({ name }) => {
      const change = ofServers.find(({ path }) => path[1] === name && path[2] === field);
      return terminal.right(cellText(field, change), NUMBER_WIDTH);
    });
    terminal.print(terminal.left(field, FIELD_WIDTH) + cells.join(""));
  }
}

/** How much a counter rose; a moment as the time of day. */
function cellText(field: string, change: Change | undefined): string {
  if (change === undefined) return "-";
  if (field.endsWith("_at")) return new Date(change.after / 1000).toTimeString().slice(0, 8);
  const increase = change.after - change.before;
  return `${increase > 0 ? "+" : ""}${terminal.grouped(increase)}`;
}
