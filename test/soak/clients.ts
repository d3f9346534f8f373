/**
 * The kinds of clients of a soak: one row each, with how often it comes.
 *
 * Each runs one session and is gone afterwards. What it reads is checked by its conversation.
 */
import { chaosSession } from "../support/chaos-client.ts";
import type { ChaosCounts } from "../support/chaos-client.ts";
import { Conversation } from "./conversation.ts";
import type { SoakContext } from "./conversation.ts";
import { KEYS, pickWeighted, type SoakRequest, TROUBLE } from "./dialect.ts";
import { redisDialect } from "./redis-dialect.ts";

interface KindRow {
  readonly kind: string;
  readonly weight: number;
  readonly run: (context: SoakContext) => Promise<void>;
}

const CHAOS_TROUBLE = new RegExp(`^(ERR (${TROUBLE})|LOADING .*)$`);
const STORM_MIN = 20;
const STORM_MAX = 80;
const NON_READER_MIN_MS = 500;
const NON_READER_MAX_MS = 4000;

function randomRequests(context: SoakContext, most: number): SoakRequest[] {
  const { random, pool } = context;
  const count = random.between(1, most);
  return Array.from({ length: count }, () => pool.dialect.random(random));
}

/** Opens a conversation, and closes it whatever happens. */
function session(
  kind: string,
  body: (conversation: Conversation, context: SoakContext) => Promise<unknown>,
): KindRow["run"] {
  return async (context) => {
    const conversation = await Conversation.open(context, kind);
    if (conversation === null) return;
    try {
      await body(conversation, context);
    } finally {
      conversation.client.close();
    }
  };
}

function row(
  kind: string,
  weight: number,
  body: (conversation: Conversation, context: SoakContext) => Promise<unknown>,
): KindRow {
  return { kind, weight, run: session(kind, body) };
}

/** One pipeline after the other on the same connection. */
async function steady(conversation: Conversation, context: SoakContext): Promise<void> {
  for (let rounds = context.random.between(1, 15); rounds > 0; rounds--) {
    const pieces = context.random.chance(0.3) ? 5 : 1;
    if (!(await conversation.exchange(randomRequests(context, 30), pieces))) return;
  }
}

/** More small requests than a client may have in flight. */
async function deep(conversation: Conversation, context: SoakContext): Promise<void> {
  const { dialect } = context.pool;
  const keys = Array.from({ length: 3000 }, () => `p${1 + context.random.integer(6)}`);
  const makes = [dialect.get, dialect.set];
  await conversation.exchange(keys.map((key) => context.random.pick(makes)(key)));
}

async function slowReader(conversation: Conversation, context: SoakContext): Promise<void> {
  const { random } = context;
  const requests = randomRequests(context, 60);
  const sending = conversation.send(requests, 3);
  const isFine = await conversation.readAll(requests, async () => {
    if (!random.chance(0.3)) return;
    conversation.client.pause();
    await Bun.sleep(random.integer(60));
    conversation.client.resume();
  });
  if (!isFine) conversation.client.close();
  await sending;
}

async function slowWriter(conversation: Conversation, context: SoakContext): Promise<void> {
  await conversation.exchange(randomRequests(context, 20), 60, 20);
}

/** Goes in the middle of anything, with or without saying so. */
async function leaver(conversation: Conversation, context: SoakContext): Promise<void> {
  const { random } = context;
  const bytes = Buffer.concat(randomRequests(context, 40).map((request) => request.bytes));
  const part = bytes.subarray(0, random.integer(bytes.length + 1));
  // A large request may never be taken.
  void conversation.client.send(part);
  await Bun.sleep(random.integer(20));
  if (random.chance(0.5)) conversation.client.reset();
}

/** Says that it is done, and still gets everything. */
async function halfCloser(conversation: Conversation, context: SoakContext): Promise<void> {
  const requests = randomRequests(context, 30);
  void conversation.send(requests).then(() => conversation.client.halfClose());
  if (await conversation.readAll(requests)) await conversation.expectEnd();
}

/** Half a request, and then nothing for a while. */
async function idler(conversation: Conversation, context: SoakContext): Promise<void> {
  const request = context.pool.dialect.set(context.random.pick(KEYS.plain));
  void conversation.client.send(request.bytes.subarray(0, request.bytes.length / 2));
  await Bun.sleep(context.random.integer(3000));
}

async function largeValues(conversation: Conversation, context: SoakContext): Promise<void> {
  const { random, pool } = context;
  const key = random.pick(pool.largeKeys);
  const requests = random.chance(0.6) ? [pool.dialect.set(key)] : [];
  const reads = random.between(1, 3);
  for (let count = 0; count < reads; count++) requests.push(pool.dialect.get(key));
  await conversation.exchange(requests, random.pick([1, 20]), random.pick([0, 3]));
}

/** Asks for much and reads nothing; then some read it all, the others go. */
async function nonReader(conversation: Conversation, context: SoakContext): Promise<void> {
  const { random, pool } = context;
  const keys = pool.largeKeys.slice(0, 3);
  const writes = keys.map((key) => pool.dialect.set(key));
  if (!(await conversation.exchange(writes))) return;
  conversation.mayBeClosed = true;
  conversation.client.pause();
  const reads = Array.from({ length: random.between(5, 20) }, () =>
    pool.dialect.get(random.pick(keys)),
  );
  void conversation.send(reads);
  await Bun.sleep(random.between(NON_READER_MIN_MS, NON_READER_MAX_MS));
  conversation.client.resume();
  if (random.chance(0.5)) conversation.client.reset();
  else await conversation.readAll(reads);
}

/** Many connections at once, for a request each. */
async function storm(context: SoakContext): Promise<void> {
  const count = context.random.between(STORM_MIN, STORM_MAX);
  const one = session("storm", (conversation) => conversation.exchange(randomRequests(context, 2)));
  await Promise.all(Array.from({ length: count }, () => one(context)));
}

/** The client of the chaos test: lanes, protocol errors, QUIT. It does not know of servers. */
async function chaos(context: SoakContext): Promise<void> {
  const { pool, random, tally } = context;
  const counts: ChaosCounts = { sessions: 0, replies: 0, errors: 0, values: 0, cuts: 0 };
  try {
    await chaosSession(random, pool.address, counts, CHAOS_TROUBLE);
  } catch (error) {
    const { message, cause } = error as Error;
    const text = cause instanceof Error ? `${message}: ${cause.message}` : message;
    const isAbsent = /waited|closed while|not within/.test(text);
    tally.wrong(isAbsent ? "lost" : "mismatch", `${pool.name}: chaos: ${text}`);
  }
  tally.requests += counts.replies;
  tally.values += counts.values;
  tally.cuts += counts.cuts;
  for (let left = counts.errors; left > 0; left--) tally.error("of chaos clients");
}

const KINDS: readonly KindRow[] = [
  row("steady", 40, steady),
  row("slow reader", 12, slowReader),
  row("slow writer", 8, slowWriter),
  row("leaver", 16, leaver),
  row("half closer", 8, halfCloser),
  row("idler", 4, idler),
  row("deep", 2, deep),
  { kind: "storm", weight: 2, run: storm },
  { kind: "chaos", weight: 12, run: chaos },
];

/** Apart, because too many at a time are too much for a server, and its timeouts no wonder. */
const HEAVY_KINDS: readonly KindRow[] = [
  row("large", 4, largeValues),
  row("non-reader", 1, nonReader),
];

export async function heavySession(context: SoakContext): Promise<void> {
  const { kind, run } = pickWeighted(context.random, HEAVY_KINDS);
  await run(context);
  context.tally.session(kind);
}

/** Runs one session of a random kind. */
export async function anySession(context: SoakContext): Promise<void> {
  const kinds = KINDS.filter(
    ({ kind }) => kind !== "chaos" || context.pool.dialect === redisDialect,
  );
  const { kind, run } = pickWeighted(context.random, kinds);
  await run(context);
  context.tally.session(kind);
}

/** One request at a time, from one client: what the lonely servers get. */
export async function lonelySession(context: SoakContext): Promise<void> {
  const conversation = await Conversation.open(context, "lonely");
  if (conversation === null) return;
  const { get, set } = context.pool.dialect;
  const makes = [get, set];
  let isFine = true;
  for (let count = 0; count < 200 && isFine; count++) {
    const key = context.random.pick(KEYS.plain);
    isFine = await conversation.exchange([context.random.pick(makes)(key)]);
  }
  conversation.client.close();
  context.tally.session("lonely");
}
