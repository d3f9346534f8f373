/**
 * Our table of commands beside the one that redis-server itself gives with COMMAND.
 */
import { expect, test } from "bun:test";
import { Route } from "../../src/protocol/protocol.ts";
import type { CommandRow } from "../../src/protocol/redis/command-row.ts";
import { KeyRule } from "../../src/protocol/redis/command-row.ts";
import { COMMANDS } from "../../src/protocol/redis/commands.ts";
import { RedisServer } from "../support/redis-server.ts";
import type { ReplyValue } from "../support/resp.ts";

const ROUTES_OF_KEYS = new Set<Route>([Route.Key, Route.Keys, Route.SameServer]);

const byName = new Map(COMMANDS.map((row) => [row.name.toLowerCase(), row]));

/** [first, last, step] as Redis writes it, or null where that cannot tell the keys. */
function rangeOf(row: CommandRow): number[] | null {
  return row.keyRule === KeyRule.Range ? [row.firstKey, row.lastKey, row.keyStep] : null;
}

test("every command of Redis has a row, with the same places of keys", async () => {
  await using server = await RedisServer.start();
  const commands = (await server.command("COMMAND")) as ReplyValue[][];
  expect(commands.length).toBeGreaterThan(200);
  for (const [nameBytes, arity, , first, last, step] of commands) {
    const name = String(nameBytes);
    const row = byName.get(name);
    if (row === undefined) throw new Error(`${name} has no row`);
    if (!ROUTES_OF_KEYS.has(row.route)) continue;
    // Redis tells the key of a container, such as OBJECT, with its subcommands only.
    if (first !== 0 && rangeOf(row) !== null) {
      expect({ name, range: rangeOf(row) as ReplyValue }).toEqual({
        name,
        range: [first, last, step] as ReplyValue,
      });
    }
    // What Redis accepts we must not refuse, but for what has no key: HELP, and some scripts.
    if (/^(object|xinfo|xgroup|eval|fcall)/.test(name)) continue;
    const least = Math.abs(Number(arity));
    expect({ name, isEnough: row.argumentsMin <= least }).toEqual({ name, isEnough: true });
    expect({ name, isRoom: row.argumentsMax >= least }).toEqual({ name, isRoom: true });
    if (Number(arity) < 0) expect(row.argumentsMax).toBeGreaterThan(least);
  }
});

test("a row has one meaning", () => {
  for (const row of COMMANDS) {
    const { name, route, refusal } = row;
    if (route === Route.Refuse)
      expect({ name, hasReason: refusal !== "" }).toMatchObject({ name, hasReason: true });
    if (route === Route.Key || route === Route.SameServer) {
      // The parser must have noted the key, and a request with a key must have room for it.
      expect(row.markLast).toBeGreaterThanOrEqual(row.firstKey);
      if (row.keyRule === KeyRule.Range) {
        expect(row.argumentsMin).toBeGreaterThan(row.firstKey);
      }
    }
  }
});
