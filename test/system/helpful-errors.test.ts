/**
 * What a client reads that has asked for too much: why not, and what to do instead.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { COMMANDS } from "../../src/protocol/redis/commands.ts";
import type { RawClient } from "../support/raw-client.ts";
import { RedisPool } from "../support/redis-pool.ts";

const ITSELF = /: connect to (that|a) server itself\r\n$|: ask each (one|server) itself\r\n$/;

/** Request -> how its error ends. */
const CASES: readonly (readonly [string, RegExp])[] = [
  ["WAIT 1 0", ITSELF],
  ["MULTI", /: use a script whose keys are on one server, or connect to that server itself\r\n$/],
  ["SUBSCRIBE a", ITSELF],
  ["PUBLISH a b", ITSELF],
  ["KEYS *", ITSELF],
  ["FLUSHALL", ITSELF],
  ["FT.SEARCH a b", ITSELF],
  ["MONITOR", ITSELF],
  ["CONFIG SET save 1", ITSELF],
  ["CLIENT PAUSE 100", ITSELF],
  ["MEMORY DOCTOR", /'memory DOCTOR' is not .*; only MEMORY USAGE has a key that tells its server/],
  ["MEMORY \r\n+OK\r\n", /^-ERR 'memory \?\?\+OK\?\?' is not supported[^\r\n]*\r\n$/],
  ["MOVE a 1", /: COPY it with DB, then DEL it\r\n$/],
  ["CLUSTER SLOTS", /: use the client without its cluster mode\r\n$/],
  ["CLIENT FOO", /^-ERR CLIENT 'FOO' is not supported by this proxy; try CLIENT HELP\r\n$/],
  ["COMMAND FOO", /; try COMMAND HELP\r\n$/],
  ["CONFIG FOO", /; try CONFIG HELP\r\n$/],
  ["EVAL x 0", /^-ERR 'eval' needs the number of its keys, at least 1: the first key decides/],
  ["EVAL x 0 a", /^-ERR 'eval' needs the number of its keys, at least 1: the first key decides/],
  ["EVAL x", /^-ERR wrong number of arguments for 'eval' command\r\n$/],
  ["HELLO 4", /^-NOPROTO unsupported protocol version\r\n$/],
  ["SELECT -1", /^-ERR DB index is out of range\r\n$/],
  ["SELECT one", /^-ERR value is not an integer or out of range\r\n$/],
  ["CLIENT LIST ID one", /^-ERR Invalid client ID\r\n$/],
  ["CLIENT LIST TYPE one", /^-ERR Unknown client type 'one'\r\n$/],
  ["CLIENT KILL USER bob", /^-ERR No such user 'bob'\r\n$/],
  ["CLIENT KILL ID 0", /^-ERR ID must be a number greater than 0\r\n$/],
  ["FROBNICATE a", /^-ERR unknown command 'FROBNICATE'\r\n$/],
];

let pool: RedisPool;
let client: RawClient;

beforeAll(async () => {
  pool = await RedisPool.start({ servers: 2 });
  client = await pool.connect();
});

afterAll(async () => {
  client?.close();
  await pool?.[Symbol.asyncDispose]();
});

for (const version of ["2", "3"]) {
  test(`the way out is in the error, in RESP${version}`, async () => {
    await client.call("HELLO", version);
    for (const [request, expected] of CASES) {
      const reply = await client.call(...request.split(/ /));
      expect(reply).toMatch(/^-[A-Z]+ [^\r\n]+\r\n$/);
      expect(reply).toMatch(expected);
    }
    await client.expectOpen();
  });
}

test("no refusal of the table is without a reason", () => {
  for (const row of COMMANDS) {
    if (row.refusal !== "") expect(row.refusal).toMatch(/^[^:]+(: .+|belongs to)$/);
  }
});
