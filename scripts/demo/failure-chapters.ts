/**
 * The second half of the demo: a server goes, its keys move over, and it comes back.
 */
import { KEY, KEY_COUNT, keyAt, valueOf, writeKeys } from "./key-chapters.ts";
import { SERVER_FAILURE_LIMIT, SERVER_RETRY_TIMEOUT_MS } from "./pools.ts";
import { until } from "./processes.ts";
import { type Reply, ReplyError } from "./resp-client.ts";
import {
  DemoFailure,
  expectThat,
  replyText,
  serversWith,
  type Stage,
  type StageServer,
  startRedisServer,
} from "./stage.ts";
import { readStats, statAt } from "./stats.ts";
import * as terminal from "./terminal.ts";

/** Longest wait for the ejection and for the return, far beyond what they take. */
const PATIENCE_MS = 15_000;
const ASK_AGAIN_MS = 50;

export interface Ejection {
  readonly victim: StageServer;
  readonly atMs: number;
}

/** Stops the server of the key that the demo follows, and shows what its clients see. */
export async function ejectionChapter(stage: Stage, counts: number[]): Promise<Ejection> {
  const [victim] = await serversWith(stage, KEY);
  if (victim === undefined) throw new DemoFailure(`${KEY} lies on a server.`, "it is gone");
  terminal.heading(`${victim.name} stops`);
  await stage.processes.stop(victim.process);
  const before = await readStats(stage.statsPort);
  const { errors, reply, atMs } = await askUntilItAnswers(stage);
  for (const error of errors) terminal.print(`GET ${KEY}  ${terminal.red(replyText(error))}`);
  terminal.print(`GET ${KEY}  ${replyText(reply)}`);
  const ejectionCount = async () =>
    statAt(await readStats(stage.statsPort), stage.pool.name, "server_ejects") -
    statAt(before, stage.pool.name, "server_ejects");
  const isEjected = await until(PATIENCE_MS, async () => (await ejectionCount()) > 0);
  terminal.print();
  const errorCount = terminal.counted(errors.length, "error");
  const sentence = `After ${errorCount} ${victim.name} was ejected: its keys go to the others now.`;
  const seen = `server_ejects did not rise; ${errors.length} errors; ${replyText(reply)}`;
  expectThat(isEjected && errors.length > 0 && reply === null, sentence, seen);
  terminal.confirm(sentence);
  await showRerouting(stage, victim, counts);
  return { victim, atMs };
}

/**
 * Asks for the key, one request after the other, until the reply is not an error.
 *
 * @returns also the moment of the last error, which is that of the ejection
 */
async function askUntilItAnswers(stage: Stage) {
  const errors: ReplyError[] = [];
  let reply: Reply = null;
  let atMs = 0;
  const isAnswered = await until(PATIENCE_MS, async () => {
    reply = await stage.proxy.send("GET", KEY);
    if (!(reply instanceof ReplyError)) return true;
    errors.push(reply);
    atMs = performance.now();
    await Bun.sleep(ASK_AGAIN_MS);
    return false;
  });
  const sentence = `The server is ejected after ${SERVER_FAILURE_LIMIT} failures.`;
  expectThat(isAnswered, sentence, `${errors.length} requests failed, all: ${replyText(reply)}`);
  return { errors, reply, atMs };
}

async function showRerouting(stage: Stage, victim: StageServer, counts: number[]): Promise<void> {
  const set = await stage.proxy.send("SET", KEY, valueOf(KEY));
  const homes = await serversWith(stage, KEY);
  terminal.print();
  const home = homes.map((server) => terminal.serverColour(server.index)(server.name)).join(", ");
  terminal.print(`SET ${KEY}  ${replyText(set)}, now on ${home}`);
  const isMoved = set === "OK" && homes.length === 1;
  expectThat(isMoved, `${KEY} goes to one other server.`, `it lies on ${homes.length} servers`);

  terminal.print();
  let foundCount = 0;
  const request = (index: number) => ["GET", keyAt(index)];
  await stage.proxy.pipeline(KEY_COUNT, request, (index, reply) => {
    if (reply === valueOf(keyAt(index))) foundCount += 1;
  });
  const stayed = KEY_COUNT - (counts[victim.index] ?? 0);
  terminal.printBar("found", terminal.green, foundCount, KEY_COUNT, "of the keys");
  const lost = `were on ${victim.name}`;
  terminal.printBar("not found", terminal.red, KEY_COUNT - foundCount, KEY_COUNT, lost);
  const stayedCount = terminal.grouped(stayed);
  const sentence = `All ${stayedCount} keys of the other servers stayed in their place.`;
  const seen = `of ${stayed} keys and ${KEY}, ${foundCount} were found`;
  expectThat(foundCount === stayed + 1, sentence, seen);
  terminal.print();
  terminal.confirm(sentence);
}

/** Starts the server again, on its port and empty, and waits until nutcracker uses it. */
export async function returnChapter(
  stage: Stage,
  { victim, atMs }: Ejection,
  counts: number[],
): Promise<void> {
  terminal.heading(`${victim.name} comes back`);
  victim.direct.close();
  Object.assign(victim, await startRedisServer(stage.processes, victim));
  const seconds = SERVER_RETRY_TIMEOUT_MS / 1000;
  terminal.print(
    `It runs again, and is empty. nutcracker tries it ${seconds} s after the ejection.`,
  );
  const isBack = await until(PATIENCE_MS, async () => {
    await stage.proxy.send("SET", KEY, valueOf(KEY));
    return (await victim.direct.send("EXISTS", KEY)) === 1;
  });
  const waitedSeconds = ((performance.now() - atMs) / 1000).toFixed(1);
  terminal.print();
  const sentence = `${victim.name} has ${KEY} again, ${waitedSeconds} s after its ejection.`;
  expectThat(isBack, sentence, `after ${waitedSeconds} s its keys still go elsewhere`);
  terminal.confirm(sentence);
  terminal.print();
  await writeKeys(stage, "write");
  const count = Number(await victim.direct.send("DBSIZE"));
  const expected = counts[victim.index] ?? 0;
  const again = `${victim.name} holds ${terminal.grouped(expected)} keys, the same as before.`;
  expectThat(count === expected, again, `it holds ${count}`);
  terminal.print();
  terminal.confirm(again);
}
