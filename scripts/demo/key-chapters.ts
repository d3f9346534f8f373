/**
 * The first half of the demo: keys go in and come out, spread over the servers, alone and together.
 */
import { DemoFailure, expectThat, keyCounts, replyText, serversWith, type Stage } from "./stage.ts";
import * as terminal from "./terminal.ts";

export const KEY_COUNT = 30_000;
/** The key that the demo follows through everything. */
export const KEY = "user:1000";

/**
 * How many of these keys nutcracker 0.5.0 put on each server. Names, weights, hash and distribution
 * decide that, and they are the same in every run (pools.ts).
 */
const KEY_COUNTS_OF_NUTCRACKER = [10_910, 8_670, 10_420];

/** A command over several keys; their values say nothing about where they go. */
const CAPITALS: readonly (readonly [string, string])[] = [
  ["capital:france", "Paris"],
  ["capital:ghana", "Accra"],
  ["capital:japan", "Tokyo"],
  ["capital:kenya", "Nairobi"],
  ["capital:norway", "Oslo"],
  ["capital:peru", "Lima"],
];

export function keyAt(index: number): string {
  return `user:${index}`;
}

/** The value of a key, which no other key has: a reply that came to the wrong request is seen. */
export function valueOf(key: string): string {
  return `value-${Bun.hash(key).toString(36)}`;
}

/** Writes all keys through nutcracker. */
export async function writeKeys(stage: Stage, label: string): Promise<void> {
  const progress = new terminal.ProgressBar(label, KEY_COUNT);
  const request = (index: number) => ["SET", keyAt(index), valueOf(keyAt(index))];
  await stage.proxy.pipeline(KEY_COUNT, request, (index, reply) => {
    if (reply !== "OK") {
      throw new DemoFailure(`SET ${keyAt(index)} answers OK`, `it answered ${replyText(reply)}`);
    }
    progress.show(index + 1);
  });
}

export async function writeAndReadChapter(stage: Stage): Promise<void> {
  terminal.heading(`${terminal.grouped(KEY_COUNT)} keys, written and read back`);
  await writeKeys(stage, "write");
  const progress = new terminal.ProgressBar("read", KEY_COUNT);
  let wrongCount = 0;
  const request = (index: number) => ["GET", keyAt(index)];
  await stage.proxy.pipeline(KEY_COUNT, request, (index, reply) => {
    if (reply !== valueOf(keyAt(index))) wrongCount += 1;
    progress.show(index + 1);
  });
  const sentence = "Every key gave back the value that was written to it.";
  expectThat(wrongCount === 0, sentence, `${wrongCount} replies were not that value`);
  terminal.print();
  terminal.confirm(sentence);
}

/** @returns the number of keys on each server */
export async function spreadChapter(stage: Stage): Promise<number[]> {
  terminal.heading("How they spread over the servers");
  const counts = await keyCounts(stage);
  const most = Math.max(...counts);
  for (const server of stage.servers) {
    const count = counts[server.index] ?? 0;
    const share = `${((count / KEY_COUNT) * 100).toFixed(1)} %`;
    const colour = terminal.serverColour(server.index);
    terminal.printBar(server.name, colour, count, most, `keys ${terminal.right(share, 8)}`);
  }
  const sum = counts.reduce((total, count) => total + count, 0);
  const sentence = `Together ${terminal.grouped(KEY_COUNT)}: each key lies on exactly one server.`;
  expectThat(sum === KEY_COUNT, sentence, `DBSIZE adds up to ${sum}`);
  const isSame = Bun.deepEquals(counts, KEY_COUNTS_OF_NUTCRACKER);
  const same = "Each server has the keys that nutcracker 0.5.0 would give it.";
  expectThat(
    isSame,
    same,
    `${counts.join(", ")} instead of ${KEY_COUNTS_OF_NUTCRACKER.join(", ")}`,
  );
  terminal.print();
  terminal.confirm(sentence);
  terminal.confirm(same);
  return counts;
}

export async function whereChapter(stage: Stage): Promise<void> {
  terminal.heading(`Where ${KEY} lives`);
  for (const server of stage.servers) {
    const reply = replyText(await server.direct.send("GET", KEY));
    const name = terminal.serverColour(server.index)(terminal.left(server.name, 12));
    terminal.print(`${name}GET ${KEY}  ${reply === "(nil)" ? terminal.dim(reply) : reply}`);
  }
  const reply = await stage.proxy.send("GET", KEY);
  terminal.print(`${terminal.left("nutcracker", 12)}GET ${KEY}  ${replyText(reply)}`);
  const homes = await serversWith(stage, KEY);
  const sentence = `${KEY} lies on ${homes[0]?.name}, and nutcracker knows it.`;
  const seen = `it lies on [${homes.map(({ name }) => name)}]; the reply was ${replyText(reply)}`;
  expectThat(homes.length === 1 && reply === valueOf(KEY), sentence, seen);
  terminal.print();
  terminal.confirm(sentence);
}

export async function multiKeyChapter(stage: Stage): Promise<void> {
  terminal.heading("One command, several servers");
  const keys = CAPITALS.map(([key]) => key);
  const values = CAPITALS.map(([, value]) => value);
  const written = await stage.proxy.send("MSET", ...CAPITALS.flat());
  const homes = await Promise.all(keys.map((key) => serversWith(stage, key)));
  for (const [i, key] of keys.entries()) {
    for (const server of homes[i] ?? []) {
      const home = terminal.serverColour(server.index)(server.name);
      terminal.print(`${terminal.left(`${key} ${values[i]}`, 25)}→ ${home}`);
    }
  }
  const read = await stage.proxy.send("MGET", ...keys);
  const removed = await stage.proxy.send("DEL", ...keys);
  terminal.print();
  for (const [command, reply] of Object.entries({ MSET: written, MGET: read, DEL: removed })) {
    const what = terminal.left(`${command} of the ${keys.length} keys`, 25);
    terminal.print(`${what}→ ${replyText(reply)}`);
  }
  const used = new Set(homes.flat().map((server) => server.name));
  const sentence = `${used.size} servers took part; MGET keeps the order of its keys.`;
  const seen = `MSET: ${replyText(written)}\nMGET: ${replyText(read)}\nDEL: ${replyText(removed)}`;
  const isSplit = used.size >= 2 && homes.every((servers) => servers.length === 1);
  const isRight = written === "OK" && removed === keys.length && Bun.deepEquals(read, values);
  expectThat(isSplit && isRight, sentence, `${seen}\nservers: ${[...used].join(", ")}`);
  const left = await Promise.all(keys.map((key) => serversWith(stage, key)));
  expectThat(left.flat().length === 0, "DEL removed all of them.", `${left.flat().length} remain`);
  terminal.print();
  terminal.confirm(sentence);
}
