/**
 * Clients that behave in every way a client can, and know which replies are right.
 *
 *   session: connect -> requests in pieces of any size -> replies, each checked -> one of many ends
 *
 * Every value is derived from its key, so a reply that belongs to somebody else shows at once. A
 * reply is right, or absent, or one of the errors that trouble with a server causes.
 */
import type { Address } from "./raw-client.ts";
import { RawClient } from "./raw-client.ts";
import { bulk, decodeReply, encodeRequest, ErrorReply, StatusReply } from "./resp.ts";
import type { ReplyValue } from "./resp.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** No session takes longer, or something hangs. */
const SESSION_DEADLINE_MS = 20_000;
const KEYS_MAX = 400;

/** The errors that trouble with real servers causes. */
const TROUBLE = new RegExp(
  "^(ERR (Connection (refused|reset by peer|timed out)|unknown|Broken pipe|" +
    "No such file or directory)|LOADING .*)$",
);

interface ChaosRequest {
  readonly bytes: Uint8Array;
  /** Returns false if the reply is not one that this request can have. */
  readonly isRight: (reply: ReplyValue) => boolean;
  readonly shown: string;
  /** The reply goes on to the client as it comes: a server that dies can only cut it off. */
  readonly isStreamed: boolean;
}

/** How a session ends. */
const ENDS = ["stay", "quit", "half", "close", "reset", "broken"] as const;
type End = (typeof ENDS)[number];

export interface ChaosCounts {
  sessions: number;
  replies: number;
  errors: number;
  values: number;
  /** Sessions that ended in the middle of a large reply. */
  cuts: number;
}

/** The value of a key: most are short, some longer than a chunk, few longer than a read. */
export function chaosValue(key: string): string {
  const number = Number(key.slice(1));
  const size = isLarge(key) ? 400_000 : number % 7 === 0 ? 9_000 + number * 50 : number % 60;
  return `${key}=${"v".repeat(size)}`;
}

function isLarge(key: string): boolean {
  return Number(key.slice(1)) % 37 === 0;
}

export async function chaosSession(
  random: SeededRandom,
  address: Address,
  counts: ChaosCounts,
  trouble: RegExp = TROUBLE,
): Promise<void> {
  const client = await RawClient.connect(address);
  client.deadlineMs = SESSION_DEADLINE_MS;
  const end = random.pick(ENDS);
  const requests = randomRequests(random);
  if (random.chance(0.2)) requests.unshift(laneRequest(random));
  const isSlow = random.chance(0.2);
  let hasLeft = false;
  const sending = send(random, client, requests, end).then((left) => (hasLeft = left));
  if (isSlow) client.pause();
  let isCut = false;
  try {
    for (const request of requests) {
      if (isSlow && random.chance(0.3)) {
        client.pause();
        await Bun.sleep(random.integer(20));
      }
      client.resume();
      const reply = client.readReplyBytes();
      isCut = request.isStreamed && (await isCutOff(client, reply));
      check(request, await reply, counts, trouble);
    }
    await sending;
    client.resume();
    await expectEnd(client, end);
  } catch (error) {
    await sending;
    if (isCut) counts.cuts++;
    else if (!hasLeft) throw new Error(`session that ends with "${end}"`, { cause: error });
  } finally {
    client.close();
  }
  counts.sessions++;
}

/** True if the connection ends in the middle of the reply. */
async function isCutOff(client: RawClient, reply: Promise<Buffer>): Promise<boolean> {
  try {
    await reply;
    return false;
  } catch {
    return client.isClosed && client.closeError === undefined && client.unreadSize > 0;
  }
}

/** @returns true if the client left before its end */
async function send(
  random: SeededRandom,
  client: RawClient,
  requests: readonly ChaosRequest[],
  end: End,
): Promise<boolean> {
  const parts = requests.map((request) => request.bytes);
  if (end === "quit") parts.push(Buffer.from("QUIT\r\n"));
  if (end === "broken") parts.push(Buffer.from("*1\r\n?\r\n"));
  const bytes = Buffer.concat(parts);
  const leaves = end === "close" || end === "reset";
  const cut = leaves ? bytes.subarray(0, random.integer(bytes.length + 1)) : bytes;
  const pieces = cut.length === 0 ? [] : random.cut(cut, random.chance(0.5) ? 1 : 40);
  for (const piece of pieces) {
    await client.send(piece);
    if (random.chance(0.2)) await Bun.sleep(random.integer(6));
  }
  if (end === "half") client.halfClose();
  if (!leaves) return false;
  await Bun.sleep(random.integer(10));
  if (end === "close") client.close();
  else client.reset();
  return true;
}

async function expectEnd(client: RawClient, end: End): Promise<void> {
  if (end === "stay") return client.expectOpen();
  const rest = await client.readToEnd();
  if (end === "quit" && rest === "+OK\r\n") return;
  if (end === "half" && rest === "") return;
  if (end === "broken" && rest.startsWith("-ERR Protocol error")) return;
  throw new Error(`a client that ends with "${end}" read ${JSON.stringify(rest.slice(0, 200))}`);
}

function check(request: ChaosRequest, bytes: Buffer, counts: ChaosCounts, trouble: RegExp): void {
  const reply = decodeReply(bytes);
  counts.replies++;
  if (request.isRight(reply)) {
    counts.values++;
    return;
  }
  if (reply instanceof ErrorReply && trouble.test(reply.text)) {
    counts.errors++;
    return;
  }
  const shown = JSON.stringify(bytes.toString("latin1", 0, 300));
  throw new Error(`${request.shown} was answered ${shown}`);
}

function randomKey(random: SeededRandom): string {
  return `k${random.integer(KEYS_MAX)}`;
}

function randomKeys(random: SeededRandom): string[] {
  const count = random.chance(0.05) ? random.between(100, 300) : random.between(1, 12);
  return Array.from({ length: count }, () => randomKey(random));
}

function request(
  args: readonly string[],
  isRight: (reply: ReplyValue) => boolean,
  isInline = false,
): ChaosRequest {
  const bytes = isInline ? Buffer.from(`${args.join(" ")}\r\n`) : encodeRequest(args);
  const [name = "", key = ""] = args;
  const isStreamed = /^M?GET$/.test(name) && args.length === 2 && isLarge(key);
  return { bytes, isRight, shown: args.join(" ").slice(0, 200), isStreamed };
}

function isOk(reply: ReplyValue): boolean {
  return reply instanceof StatusReply && reply.text === "OK";
}

function isValueOf(key: string, reply: ReplyValue | undefined): boolean {
  if (reply === null) return true;
  return reply instanceof Buffer && reply.toString("latin1") === chaosValue(key);
}

/** The rest of the session goes over connections of another lane. */
function laneRequest(random: SeededRandom): ChaosRequest {
  if (random.chance(0.5)) return request(["SELECT", String(random.integer(4))], isOk);
  return request(["HELLO", random.pick(["2", "3"])], (reply) => Array.isArray(reply));
}

/** A few of any kind, or more small ones than a client may have in flight. */
function randomRequests(random: SeededRandom): ChaosRequest[] {
  if (random.chance(0.97)) {
    return Array.from({ length: random.between(0, 60) }, () => randomRequest(random));
  }
  return Array.from({ length: random.between(1, 3000) }, () => {
    const key = `k${1 + random.integer(6)}`;
    if (random.chance(0.1)) return request(["PING"], (reply) => isStatus(reply, "PONG"));
    if (random.chance(0.5)) return request(["SET", key, chaosValue(key)], isOk);
    return request(["GET", key], (reply) => isValueOf(key, reply));
  });
}

function randomRequest(random: SeededRandom): ChaosRequest {
  const kind = random.integer(100);
  const key = randomKey(random);
  const isInline = random.chance(0.1);
  if (kind < 30) return request(["GET", key], (reply) => isValueOf(key, reply), isInline);
  if (kind < 50) return request(["SET", key, chaosValue(key)], isOk);
  if (kind < 65) {
    const keys = randomKeys(random);
    return request(["MGET", ...keys], (reply) => {
      if (!Array.isArray(reply) || reply.length !== keys.length) return false;
      return keys.every((one, index) => isValueOf(one, reply[index]));
    });
  }
  if (kind < 72) {
    const keys = randomKeys(random);
    return request(["MSET", ...keys.flatMap((one) => [one, chaosValue(one)])], isOk);
  }
  if (kind < 82) {
    const keys = randomKeys(random);
    const name = random.pick(["DEL", "UNLINK", "EXISTS", "TOUCH", "del", "Exists"]);
    const isCount = (reply: ReplyValue) =>
      typeof reply === "number" && reply >= 0 && reply <= keys.length;
    return request([name, ...keys], isCount, isInline);
  }
  if (kind < 87) return request(["PING"], (reply) => isStatus(reply, "PONG"), isInline);
  if (kind < 92) {
    const text = `${key}:${random.next()}`;
    return request(["ECHO", text], (reply) => isBulk(reply, text), isInline);
  }
  if (kind < 96) {
    return request(["EVAL", "return KEYS[1]", "1", key], (reply) => isBulk(reply, key));
  }
  const name = `nothing${random.integer(1000)}`;
  const words = `ERR unknown command '${name}'`;
  return request([name, key], (reply) => reply instanceof ErrorReply && reply.text === words);
}

function isStatus(reply: ReplyValue, text: string): boolean {
  return reply instanceof StatusReply && reply.text === text;
}

function isBulk(reply: ReplyValue, text: string): boolean {
  return reply instanceof Buffer && bulk(reply) === bulk(text);
}
