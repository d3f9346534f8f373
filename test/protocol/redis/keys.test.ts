/**
 * Where keys are, in the words of the table, and as Redis itself says with COMMAND GETKEYS.
 */
import { expect, test } from "bun:test";
import { COMMAND_TABLE } from "../../../src/protocol/redis/commands.ts";
import { findKeys } from "../../../src/protocol/redis/keys.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { ErrorReply } from "../../support/resp.ts";

/** A request, and its keys in the order of the request. `7` behind it: Redis 7.0 knows it. */
const REQUESTS: readonly (readonly [string, string, 7?])[] = [
  ["GET a", "a", 7],
  ["MGET a b c", "a b c", 7],
  ["MSET a 1 b 2", "a b", 7],
  ["MSETNX a 1 b 2", "a b", 7],
  ["RENAME a b", "a b", 7],
  ["LCS a b LEN", "a b", 7],
  ["BITOP AND dest a b", "dest a b", 7],
  ["BITOP NOT dest a", "dest a", 7],
  ["LMPOP 2 a b LEFT COUNT 3", "a b", 7],
  ["ZMPOP 1 a MIN", "a", 7],
  ["SINTERCARD 3 a b c LIMIT 1", "a b c", 7],
  ["ZINTERCARD 2 a b", "a b", 7],
  ["ZUNION 2 a b WEIGHTS 1 2", "a b", 7],
  ["ZUNIONSTORE dest 2 a b", "dest a b", 7],
  ["ZDIFFSTORE dest 1 a", "dest a", 7],
  ["SUNIONSTORE dest a b", "dest a b", 7],
  ["SMOVE a b member", "a b", 7],
  ["COPY a b REPLACE", "a b", 7],
  ["GEOSEARCHSTORE a b FROMMEMBER m BYRADIUS 1 m", "a b", 7],
  ["EVAL script 2 a b c", "a b", 7],
  ["EVAL_RO script 1 a b", "a", 7],
  ["FCALL name 2 a b c", "a b", 7],
  ["XADD a * f v", "a", 7],
  ["XREAD COUNT 5 STREAMS a b 0 0", "a b", 7],
  ["XREAD STREAMS STREAMS 0", "STREAMS", 7],
  ["XREADGROUP GROUP g c COUNT 1 NOACK STREAMS a b > >", "a b", 7],
  ["XREADGROUP GROUP STREAMS c streams a >", "a", 7],
  ["OBJECT ENCODING a", "a", 7],
  ["XINFO STREAM a FULL", "a", 7],
  ["XGROUP CREATE a g $", "a", 7],
  ["MEMORY USAGE a SAMPLES 0", "a", 7],
  ["memory usage a", "a", 7],
  ["PFMERGE dest a b", "dest a b", 7],
  ["SORT a", "a", 7],
  ["SORT a BY STORE LIMIT 0 1 GET STORE DESC STORE b", "a b", 7],
  ["SORT a STORE b STORE c ALPHA", "a c", 7],
  ["SORT a STORE", "a", 7],
  ["SORT_RO a BY w_*", "a", 7],
  ["GEORADIUS a 1 2 3 m COUNT 1 STORE b", "a b", 7],
  ["GEORADIUSBYMEMBER a STORE 3 m STOREDIST b", "a b", 7],
  ["GEORADIUSBYMEMBER a STORE 3 m", "a", 7],
  ["MSETEX 2 a 1 b 2 EX 10", "a b"],
  ["HEXPIRE a 10 FIELDS 1 f", "a"],
  ["JSON.SET a $ 1", "a"],
  ["JSON.MGET a b $", "a b"],
  ["JSON.MSET a $ 1 b $ 2", "a b"],
  ["JSON.DEBUG MEMORY a", "a"],
  ["TS.MADD a 1 2 b 3 4", "a b"],
  ["TS.CREATERULE a b AGGREGATION avg 5", "a b"],
  ["CMS.MERGE dest 2 a b WEIGHTS 1 1", "dest a b"],
  ["TDIGEST.MERGE dest 1 a OVERRIDE", "dest a"],
  ["BLPOP a 0", "a"],
  ["BRPOP a b c 1.5", "a b c"],
  ["BZPOPMIN a b 0", "a b"],
  ["BZPOPMAX a 0", "a"],
  ["BRPOPLPUSH a b 0", "a b"],
  ["BLMOVE a b LEFT RIGHT 0", "a b"],
  ["BLMPOP 0 2 a b LEFT COUNT 2", "a b"],
  ["BZMPOP 0 1 a MIN", "a"],
  ["XREAD BLOCK 0 STREAMS a $", "a"],
  ["XREAD COUNT 2 BLOCK 0 STREAMS a b $ $", "a b"],
  ["XREADGROUP GROUP g c BLOCK 0 NOACK STREAMS a >", "a"],
];

/** Requests that do not tell their keys. */
const UNCLEAR: readonly (readonly [string, RegExp])[] = [
  ["LMPOP 0 a LEFT", /needs the number of its keys/],
  ["LMPOP x a LEFT", /needs the number of its keys/],
  ["LMPOP -1 a LEFT", /needs the number of its keys/],
  ["LMPOP 3 a LEFT", /^ERR Number of keys can't be greater than number of args$/],
  ["FCALL name 0 a", /needs the number of its keys/],
  ["MSETEX 2 a 1 b", /^ERR Number of keys/],
  ["CMS.MERGE dest 2 a", /^ERR Number of keys/],
  ["XREAD COUNT 1 a 0", /^ERR syntax error$/],
  ["XREAD COUNT 1 STREAMS", /^ERR syntax error$/],
  ["XREAD STREAMS a", /Unbalanced|syntax error/],
  ["XREAD STREAMS a b 0", /^ERR Unbalanced 'xread'/],
  [
    "MEMORY DOCTOR",
    /'memory DOCTOR' is not supported by this proxy: it concerns one server.*USAGE/,
  ],
  ["MEMORY USAGE", /^ERR wrong number of arguments for 'memory\|usage' command$/],
  ["JSON.DEBUG HELP", /'json.debug HELP' is not supported.*only JSON.DEBUG MEMORY has a key/],
];

function keysOf(words: readonly string[]): { refusal: string; keys: string[] } {
  const name = Buffer.from(words[0] as string);
  const command = COMMAND_TABLE.find(name, 0, name.length);
  if (command === null) throw new Error(`${words[0]} is not in the table`);
  const found: number[] = [];
  const texts = { argumentText: (index: number) => words[index] as string };
  const refusal = findKeys(command, words.length, texts, found);
  return { refusal, keys: found.map((index) => words[index] as string) };
}

test.each(REQUESTS)("%s", (request, keys) => {
  expect(keysOf(request.split(" "))).toEqual({ refusal: "", keys: keys.split(" ") });
});

test.each(UNCLEAR)("%s is refused", (request, words) => {
  const { refusal, keys } = keysOf(request.split(" "));
  expect(refusal).toMatch(words);
  expect(keys).toEqual([]);
});

test("Redis finds the same keys", async () => {
  await using server = await RedisServer.start();
  for (const [request, , version] of REQUESTS) {
    if (version === undefined) continue;
    const words = request.split(" ");
    const reply = await server.command("COMMAND", "GETKEYS", ...words);
    if (reply instanceof ErrorReply) throw new Error(`${request}: ${reply.text}`);
    expect({ request, keys: (reply as Buffer[]).map(String) }).toEqual({
      request,
      keys: keysOf(words).keys,
    });
  }
});
