/**
 * The memcached pool of the demo: keys go in one by one and come out by the hundred.
 */
import { valueOf } from "./key-chapters.ts";
import { type MemcachedReply, setRequest, statIn, valuesIn } from "./memcached-client.ts";
import { type Cache, DemoFailure, expectThat, type Stage } from "./stage.ts";
import * as terminal from "./terminal.ts";

const KEY_COUNT = 10_000;
const KEYS_PER_GET = 100;
const GET_COUNT = KEY_COUNT / KEYS_PER_GET;

/** The key that is asked for with a meta command, and by who tries it out. */
export const CACHE_KEY = "page:1000";
/** The meta command that is shown: the size of the value, and the value. */
const META_REQUEST = `mg ${CACHE_KEY} s v`;

/** How many of these keys nutcracker 0.5.0 put on each server, as in key-chapters.ts. */
const KEY_COUNTS_OF_NUTCRACKER = [5_460, 4_540];

/** A set is one request; a get of so many keys is one to each of two servers. */
export const CACHE_REQUESTS_AT_LEAST = KEY_COUNT + 2 * GET_COUNT;

function keyAt(index: number): string {
  return `page:${index}`;
}

export async function cacheChapter({ cache }: Stage): Promise<void> {
  terminal.heading("memcached, through the same nutcracker");
  await writeKeys(cache);
  const wrongCount = await readKeys(cache);
  const sentence = `${GET_COUNT} gets of ${KEYS_PER_GET} keys each brought back every value.`;
  expectThat(wrongCount === 0, sentence, `${wrongCount} values were missing or wrong`);
  terminal.print();
  terminal.confirm(sentence);
  await showSpread(cache);
  await showMeta(cache);
}

async function writeKeys({ proxy }: Cache): Promise<void> {
  const progress = new terminal.ProgressBar("set", KEY_COUNT);
  const request = (index: number) => setRequest(keyAt(index), valueOf(keyAt(index)));
  await proxy.pipeline(KEY_COUNT, request, (index, reply) => {
    if (reply[0] !== "STORED") {
      throw new DemoFailure(`set ${keyAt(index)} answers STORED`, `it answered ${shown(reply)}`);
    }
    progress.show(index + 1);
  });
}

/** @returns how many keys did not give back their value */
async function readKeys({ proxy }: Cache): Promise<number> {
  const progress = new terminal.ProgressBar("get", KEY_COUNT);
  let wrongCount = 0;
  // Neighbours in number are often neighbours on the ring; these are not, and need both servers.
  const keysAt = (index: number) =>
    Array.from({ length: KEYS_PER_GET }, (_, i) => keyAt(index + i * GET_COUNT));
  const request = (index: number) => [`get ${keysAt(index).join(" ")}`];
  await proxy.pipeline(GET_COUNT, request, (index, reply) => {
    const values = valuesIn(reply);
    wrongCount += keysAt(index).filter((key) => values?.get(key) !== valueOf(key)).length;
    progress.show((index + 1) * KEYS_PER_GET);
  });
  return wrongCount;
}

async function showSpread({ servers }: Cache): Promise<void> {
  const counts = await Promise.all(
    servers.map(async ({ direct }) => statIn(await direct.send("stats"), "curr_items")),
  );
  const most = Math.max(...counts);
  terminal.print();
  for (const [i, { name, index }] of servers.entries()) {
    const count = counts[i] ?? 0;
    const share = `${((count / KEY_COUNT) * 100).toFixed(1)} %`;
    const note = `keys ${terminal.right(share, 8)}`;
    terminal.printBar(name, terminal.serverColour(index), count, most, note);
  }
  const names = servers.map(({ name }) => name).join(" and ");
  const sentence = `${names} have the keys that nutcracker 0.5.0 would give them.`;
  const isSame = Bun.deepEquals(counts, KEY_COUNTS_OF_NUTCRACKER);
  expectThat(isSame, sentence, `${counts} instead of ${KEY_COUNTS_OF_NUTCRACKER}`);
  terminal.print();
  terminal.confirm(sentence);
}

/** Sends one meta command to each server, and then through nutcracker. */
async function showMeta({ servers, proxy }: Cache): Promise<void> {
  terminal.print();
  let homeCount = 0;
  for (const { name, index, direct } of servers) {
    const reply = await direct.send(META_REQUEST);
    const isHome = reply[0] !== "EN";
    if (isHome) homeCount += 1;
    const label = terminal.serverColour(index)(terminal.left(name, 12));
    const text = isHome ? shown(reply) : terminal.dim(shown(reply));
    terminal.print(`${label}${META_REQUEST}  ${text}`);
  }
  const reply = await proxy.send(META_REQUEST);
  terminal.print(`${terminal.left("nutcracker", 12)}${META_REQUEST}  ${shown(reply)}`);
  const value = valueOf(CACHE_KEY);
  const sentence = "Meta commands go to the server of their key, too.";
  const isRight = Bun.deepEquals(reply, [`VA ${value.length} s${value.length}`, value]);
  const seen = `${CACHE_KEY} lies on ${homeCount} servers; the reply was ${shown(reply)}`;
  expectThat(homeCount === 1 && isRight, sentence, seen);
  terminal.print();
  terminal.confirm(sentence);
}

function shown(reply: MemcachedReply): string {
  return reply.join(" ");
}
