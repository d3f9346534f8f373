/** Values that do not go together, within a pool and between pools. */
import { expect, test } from "bun:test";
import { ConfigError, formatMistake } from "../../src/config/config-error.ts";
import { parseConfig } from "../../src/config/load.ts";

function complaints(...lines: string[]): string[] {
  try {
    parseConfig(lines.join("\n"), "F");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map(formatMistake);
  }
}

test("every repetition is named, with the line of the first", () => {
  expect(
    complaints(
      "a:",
      "  listen: h:1",
      "  servers:",
      "  - x:1:1 n",
      "  - x:2:1 n",
      "  - x:3:1 m",
      "  - x:4:1 n",
      "b:",
      "  listen: h:1",
      "  servers:",
      "  - x:1:1 n",
      "a:",
      "  listen: h:1",
      "  servers:",
      "  - x:1:1 n",
    ),
  ).toEqual([
    'F:5: pool "a": servers: found "n" for the second time (first on line 4), allowed: each name once in a pool',
    'F:7: pool "a": servers: found "n" for the second time (first on line 4), allowed: each name once in a pool',
    'F:9: pool "b": listen: found "h:1", on which pool "a" listens, allowed: an address of its own for each pool',
    'F:13: pool "a": listen: found "h:1", on which pool "a" listens, allowed: an address of its own for each pool',
    'F:12: pool "a": found the name for the second time (first on line 1), allowed: each name once',
  ]);
});

test("a value that was refused is not reported a second time as missing or as wrong for the pool", () => {
  expect(
    complaints(
      "a:",
      "  listen: nowhere",
      "  redis: maybe",
      "  redis_auth: x",
      "  servers:",
      "  - x",
    ).map((line) => line.replace(/, allowed: .*/, "")),
  ).toEqual([
    'F:2: pool "a": listen: found "nowhere"',
    'F:3: pool "a": redis: found "maybe"',
    'F:6: pool "a": servers: found "x"',
  ]);
});

test("a list under a wrong key is not reported as missing servers", () => {
  const found = complaints("a:", "  listen: h:1", "  server:", "  - x:1:1");
  expect(found).toHaveLength(1);
  expect(found[0]).toStartWith(
    'F:3: pool "a": server: found an unknown key, allowed: one of listen, ',
  );
});

test("a pool without a list lacks nothing else", () => {
  expect(complaints("a:", "  listen: h:1", "  timeout: 5")).toHaveLength(1);
  expect(complaints("a:", "  listen: h:1", "  timeout:", "    read: 5")).toHaveLength(2);
});

test("memcached_flush_all is for a memcached pool", () => {
  const pool = ["a:", "  listen: h:1", "  memcached_flush_all: true", "  redis: true"];
  expect(complaints(...pool, "  servers:", "  - x:1:1")).toEqual([
    'F:3: pool "a": memcached_flush_all: found true in a redis pool, ' +
      "allowed: it without redis: true; FLUSHALL of Redis: redis_server_commands",
  ]);
});

test("redis_server_commands is for a Redis pool of one server", () => {
  const pool = (...lines: string[]) =>
    complaints("a:", "  listen: h:1", "  redis_server_commands: true", ...lines);
  const one = ["  servers:", "  - x:1:1"];
  const allowed = "allowed: true with redis: true and one server";
  expect(pool("  redis: true", ...one)).toEqual([]);
  expect(pool("  redis: true", ...one, "  - x:2:1")).toEqual([
    `F:3: pool "a": redis_server_commands: found true with 2 servers, ${allowed}`,
  ]);
  for (const redis of [["  redis: false"], []]) {
    expect(pool(...redis, ...one)).toEqual([
      `F:3: pool "a": redis_server_commands: found true in a memcached pool, ${allowed}`,
    ]);
  }
  const off = ["a:", "  listen: h:1", "  redis_server_commands: false", ...one, "  - x:2:1"];
  expect(complaints(...off)).toEqual([]);
});
