/**
 * Configurations as a whole: the tables of cases, files, examples, vectors, and random texts.
 */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { ConfigError, type ConfigMistake, formatMistake } from "../../src/config/config-error.ts";
import { byName, FILE_BYTES_MAX, loadConfig, parseConfig } from "../../src/config/load.ts";
import { type SeededRandom, withSeed } from "../support/seeded-random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { poolWith, SILENT } from "./config-case.ts";
import { CONFIG_CASES } from "./config-cases.ts";

const REPOSITORY = join(import.meta.dir, "../..");

function errorOf(load: () => Config): ConfigError {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

function expectWellFormed(mistake: ConfigMistake): void {
  expect(mistake.legacyLine).toMatch(/^conf: \S/);
  expect(mistake.found).not.toBe("");
  expect(mistake.allowed).not.toBe("");
  expect(`${mistake.legacyLine}${formatMistake(mistake)}`).not.toMatch(/[\x00-\x1f\x7f]/);
}

describe("the table of configurations", () => {
  test.each(CONFIG_CASES.map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const expected = row.ours === undefined ? row.line : row.ours.line;
    if (expected === null) {
      expect(parseConfig(row.yaml, "F").pools.length).toBeGreaterThan(0);
      return;
    }
    const { mistakes } = errorOf(() => parseConfig(row.yaml, "F"));
    if (expected !== SILENT) expect(mistakes[0]?.legacyLine).toBe(expected);
    for (const mistake of mistakes) expectWellFormed(mistake);
  });

  test("no two cases have the same name", () => {
    const names = CONFIG_CASES.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

test("every mistake of a file comes at once, as a line for people", () => {
  const text = `
alpha:
  listen: 127.0.0.1
  hash: sha1
  timeout: abc
  timeout: 5
  redis_auth: s3cret
  servers:
   - 127.0.0.1:6379
   - 127.0.0.1:6380:0
   - 127.0.0.1:6381:1

beta:
  redis: yes
  colour: blue
  backlog:
  server_connections: 0
  servers:
   - /tmp/a.sock:1 one
   - /tmp/b.sock:1 one
`;
  const { mistakes } = errorOf(() => parseConfig(text, "conf/a.yml"));
  expect(mistakes.map(formatMistake)).toEqual([
    'conf/a.yml:3: pool "alpha": listen: found "127.0.0.1", allowed: an address like "127.0.0.1:22121" or "/path/to/socket 0660"',
    'conf/a.yml:4: pool "alpha": hash: found "sha1", allowed: one of one_at_a_time, md5, crc16, crc32, crc32a, fnv1_64, fnv1a_64, fnv1_32, fnv1a_32, hsieh, murmur, jenkins, xxh32, xxh64, xxh3',
    'conf/a.yml:5: pool "alpha": timeout: found "abc", allowed: a number of milliseconds from 0 to 2147483647',
    'conf/a.yml:6: pool "alpha": timeout: found it for the second time (first on line 5), allowed: it once in a pool',
    'conf/a.yml:9: pool "alpha": servers: found "127.0.0.1:6379", allowed: a server like "127.0.0.1:6379:1", "127.0.0.1:6379:1 name" or "/path/to/socket:1 name"',
    'conf/a.yml:10: pool "alpha": servers: found "127.0.0.1:6380:0", allowed: a weight from 1 to 2147483647',
    'conf/a.yml:14: pool "beta": redis: found "yes", allowed: true or false',
    'conf/a.yml:15: pool "beta": colour: found an unknown key, allowed: one of listen, hash, hash_tag, distribution, timeout, backlog, client_connections, client_idle_timeout, redis, tcpkeepalive, reuseport, redis_auth, redis_db, memcached_flush_all, redis_server_commands, preconnect, auto_eject_hosts, eject_policy, server_connections, server_retry_timeout, server_probe_interval, server_failure_limit, servers',
    'conf/a.yml:16: pool "beta": backlog: found nothing, allowed: a number from 0 to 2147483647',
    'conf/a.yml:7: pool "alpha": redis_auth: found a password in a memcached pool, allowed: it with redis: true',
    'conf/a.yml:13: pool "beta": listen: found nothing, allowed: the address on which the pool listens',
    'conf/a.yml:17: pool "beta": server_connections: found "0", allowed: a number from 1 to 2147483647',
    'conf/a.yml:20: pool "beta": servers: found "one" for the second time (first on line 19), allowed: each name once in a pool',
  ]);
  expect(mistakes[0]?.legacyLine).toBe(
    'conf: directive "listen" has an invalid "hostname:port" format string',
  );
});

test("a Config is frozen to the ground", () => {
  const config = parseConfig(poolWith('hash_tag: "{}"'), "F");
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
    expect(Object.isFrozen(value)).toBeTrue();
    Object.values(value).forEach(look);
  };
  look(config);
});

test("pools and servers are sorted by length, then by unsigned bytes", () => {
  const servers = ["bb", "é", "a", "B", "aa", "z", "ab", "€"];
  const lines = ["cc", "b", "aaa", "É"].map((pool, index) =>
    [
      `${pool}:`,
      `  listen: h:${index + 1}`,
      "  servers:",
      ...servers.map((name) => `  - x:1:1 ${name}`),
    ].join("\n"),
  );
  const { file, pools } = parseConfig(lines.join("\n"), "some/file.yml");
  expect(file).toBe("some/file.yml");
  expect(pools.map(({ name }) => name)).toEqual(["b", "cc", "É", "aaa"]);
  expect(pools[0]?.servers.map(({ name }) => name)).toEqual([
    ...["B", "a", "z", "aa", "ab", "bb", "é", "€"],
  ]);
  expect(byName({ name: "a" }, { name: "a" })).toBe(0);
});

describe("files", () => {
  const folder = temporaryFolder("config");
  const path = (name: string): string => join(folder, name);

  test("a good file", () => {
    writeFileSync(path("good.yml"), poolWith());
    expect(loadConfig(path("good.yml")).file).toBe(path("good.yml"));
  });

  test.each([
    ["missing.yml", "No such file or directory"],
    ["good.yml/x", "Not a directory"],
    ["loop", "Too many levels of symbolic links"],
    ["x".repeat(300), "File name too long"],
  ])("%s cannot be opened", (name, text) => {
    writeFileSync(path("good.yml"), poolWith());
    if (name === "loop") symlinkSync("loop", path(name));
    const error = errorOf(() => loadConfig(path(name)));
    expect(error.code).toBe("CONFIG_NOT_OPENED");
    expect(error.mistakes.map(({ legacyLine }) => legacyLine)).toEqual([
      `conf: failed to open configuration '${path(name)}': ${text}`,
    ]);
  });

  test("a folder can be opened but not read", () => {
    mkdirSync(path("folder"));
    const error = errorOf(() => loadConfig(path("folder")));
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.mistakes[0]?.legacyLine).toBe(
      "conf: failed (err 2) to get the next yaml document",
    );
    expect(error.mistakes[0]?.found).toBe("Is a directory");
  });

  test("a file of 16 MB is read, one more byte is too much", () => {
    const text = poolWith();
    writeFileSync(path("large.yml"), `${text}#${"x".repeat(FILE_BYTES_MAX - text.length - 1)}`);
    expect(loadConfig(path("large.yml")).pools).toHaveLength(1);
    writeFileSync(path("large.yml"), `${text}#${"x".repeat(FILE_BYTES_MAX - text.length)}`);
    const error = errorOf(() => loadConfig(path("large.yml")));
    expect(formatMistake(error.mistakes[0] as ConfigMistake)).toBe(
      `${path("large.yml")}: found more than 16777216 bytes, allowed: at most 16777216 bytes`,
    );
  });

  test("a file without end is given up", () => {
    expect(errorOf(() => loadConfig("/dev/zero")).code).toBe("CONFIG_INVALID");
  });
});

describe("examples", () => {
  const folder = join(REPOSITORY, "conf");
  const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));

  test.each(files)("conf/%s is right and listens where only this machine can reach it", (name) => {
    for (const { listen } of loadConfig(join(folder, name)).pools) {
      if (listen.address.kind === "tcp") expect(listen.address.host).toBe("127.0.0.1");
    }
  });

  test.each([
    ["conf/nutcracker.yml", ["beta", "alpha", "delta", "gamma"]],
    ["conf/redis-auth.yml", ["secured"]],
    ["conf/when-servers-die.yml", ["cache", "spare", "store", "sessions"]],
    ["conf/redis-unix.yml", ["local"]],
  ])("%s has Redis pools", (file, names) => {
    const { pools } = loadConfig(join(REPOSITORY, file));
    expect(pools.map(({ name }) => name)).toEqual(names);
    expect(pools.every(({ isRedis }) => isRedis)).toBeTrue();
  });
});

describe("vectors of nutcracker", () => {
  interface VectorCase {
    readonly case: string;
    readonly yaml: string;
    readonly servers_sorted: readonly { name: string; pname: string; weight: number }[];
  }
  const vectorFile = join(REPOSITORY, "test/vectors/distribution-vectors.json");
  const { cases } = JSON.parse(readFileSync(vectorFile, "utf8")) as { cases: VectorCase[] };

  test.each(cases.map((row) => [row.case, row] as const))("%s", (_name, row) => {
    const servers = parseConfig(row.yaml, "F").pools[0]?.servers ?? [];
    const plain = servers.map(({ name, displayName, weight }) => ({ name, displayName, weight }));
    expect(plain).toEqual(
      row.servers_sorted.map(({ name, pname, weight }) => ({ name, displayName: pname, weight })),
    );
  });
});

describe("random files", () => {
  const PIECES = [
    ...[
      " ",
      "\n",
      "\n  ",
      "\t",
      ":",
      ": ",
      "- ",
      "#",
      " #",
      "'",
      '"',
      "\\",
      "|",
      ">-",
      "?",
      "%",
      "&a",
    ],
    ...["*a", "!", "@", "`", "{", "}", "[", "]", ",", "---", "...", "\r", "\r\n", "\x85", "\u2028"],
    ...[
      "\ufeff",
      "\0",
      "\x07",
      "é",
      "\ud800",
      "0",
      "99999999999",
      "a",
      "<<",
      "~",
      "servers",
      "listen",
    ],
  ];

  function mutate(text: string, random: SeededRandom): string {
    let result = text;
    for (let count = random.between(1, 4); count > 0; count--) {
      const start = random.integer(result.length + 1);
      const end = start + random.pick([0, 0, 1, 1, 2, 30]);
      const piece = random.chance(0.8) ? random.pick(PIECES) : result.slice(start, end + 20);
      result = result.slice(0, start) + piece + result.slice(end);
    }
    return result;
  }

  test("are accepted or end in a ConfigError, nothing else", () =>
    withSeed((random) => {
      const texts = CONFIG_CASES.flatMap(({ yaml, line }) =>
        typeof yaml === "string" && (line === null || random.chance(0.2)) ? [yaml] : [],
      );
      let accepted = 0;
      for (let round = 0; round < 4000; round++) {
        const text = mutate(random.pick(texts), random);
        const source = random.chance(0.1) ? Buffer.from(text, "latin1") : text;
        try {
          accepted += parseConfig(source, "F").pools.length > 0 ? 1 : 0;
        } catch (error) {
          if (!(error instanceof ConfigError))
            throw new Error(JSON.stringify(text), { cause: error });
          expect(error.mistakes.length).toBeGreaterThan(0);
          for (const mistake of error.mistakes) expectWellFormed(mistake);
        }
      }
      expect(accepted).toBeGreaterThan(100);
    }));
});
