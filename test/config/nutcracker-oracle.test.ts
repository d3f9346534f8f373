/**
 * Debian's nutcracker 0.5.0 and configurations: what it accepts, what it refuses and with which
 * line (what we make of the same table is in load.test.ts), and which names it reads.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../src/config/config-error.ts";
import { parseConfig } from "../../src/config/load.ts";
import { freePort } from "../support/free-port.ts";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { type PoolStats, Proxy } from "../support/run-proxy.ts";
import { withSeed } from "../support/seeded-random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { SILENT } from "./config-case.ts";
import { CONFIG_CASES } from "./config-cases.ts";
import { randomConfig } from "./random-config.ts";

const ROUNDS = 300;

describe.skipIf(nutcracker === null)(`nutcracker 0.5.0${ORACLE_ABSENT}`, () => {
  const folder = temporaryFolder("oracle");
  const log = join(folder, "log");
  const statsPort = String(freePort());

  function run(args: readonly string[]): number {
    const command = [...(nutcracker ?? []), ...args];
    return Bun.spawnSync(command, { cwd: folder, stdout: "ignore", stderr: "ignore" }).exitCode;
  }

  /** nutcracker's line about the file F; null if it accepts it, SILENT if it says nothing. */
  function verdict(yaml: string | Uint8Array): string | null {
    writeFileSync(join(folder, "F"), yaml);
    if (run(["-t", "-c", "F"]) === 0) return null;
    rmSync(log, { force: true });
    expect(run(["-c", "F", "-o", log, "-s", statsPort])).toBe(1);
    const text = existsSync(log) ? readFileSync(log, "utf8") : "";
    return /nc_conf\.c:\d+ (conf: .*)/.exec(text)?.[1] ?? SILENT;
  }

  test.each(CONFIG_CASES.map(({ name, yaml, line }) => [name, yaml, line] as const))(
    "%s",
    (_name, yaml, line) => {
      expect(verdict(yaml)).toBe(line);
    },
  );

  test("it stops where our first mistake is", () =>
    withSeed((random) => {
      const verdicts = new Set<string | null>();
      for (let round = 0; round < ROUNDS; round++) {
        const yaml = randomConfig(random);
        const theirs = verdict(yaml);
        expect({ yaml, line: comparable(ours(yaml)) }).toEqual({ yaml, line: comparable(theirs) });
        verdicts.add(comparable(theirs));
      }
      expect(verdicts.has(null)).toBeTrue();
      expect(verdicts.size).toBeGreaterThan(8);
    }));

  test("it reads the same pools and ring names, in the same order", async () => {
    const yaml = oddConfig();
    await using proxy = await Proxy.start({ config: yaml, program: nutcracker ?? [] });
    const pools = Object.entries(await proxy.stats()).flatMap(([pool, fields]) =>
      typeof fields === "object" ? [[pool, namesIn(fields)]] : [],
    );
    const ours = parseConfig(yaml, "F").pools.map(({ name, servers }) => [
      name,
      servers.map((server) => server.name),
    ]);
    expect(ours).toEqual(pools);
    expect(ours).toHaveLength(3);
  });
});

/** Our first line about a text; null if we accept it. */
function ours(yaml: string): string | null {
  try {
    parseConfig(yaml, "F");
    return null;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes[0]?.legacyLine ?? "no mistake";
  }
}

/** nutcracker has no line for an empty text, and names another pair of several that are equal. */
function comparable(line: string | null): string | null {
  if (line === null) return null;
  if (/an empty value$/.test(line)) return SILENT;
  return line
    .replace(/(?<=same name '|same listen address ).*/, "")
    .replace(/^conf: pools .* have/, "");
}

/** Names of the servers among the counters of a pool; the client reads bytes as latin1. */
function namesIn(pool: PoolStats): string[] {
  return Object.entries(pool).flatMap(([name, value]) =>
    typeof value === "object" ? [Buffer.from(name, "latin1").toString()] : [],
  );
}

/** Three pools with every kind of name, in many spellings of YAML. */
function oddConfig(): string {
  const items = [
    "127.0.0.1:6379:1",
    "127.0.0.1:06379:1",
    "cache:11211:1",
    "cache2:011211:1",
    "cache:11212:1",
    "::1:6379:1",
    "fe80::1%lo:6379:1",
    "a:b:17100:1",
    "'[::1]:6379:1'",
    ":6379:1",
    "/tmp/a.sock:1",
    "/tmp/with blank:1 blank",
    "x y:1:1 named:1:2",
    '"x:1:1\u0020\u00e9"',
    "x:2:1 €",
    "x:3:1 ~",
    ">-\n      x:5:1\n      folded",
    "'x:6:1 it''s'",
    "x:7:1\n      next # comment",
    "x:8:1 a#no-comment",
  ];
  const list = (indent: string): string => items.map((item) => `${indent}- ${item}\n`).join("");
  return [
    `b:\n  listen: 127.0.0.1:${freePort()}\n  servers:\n${list("    ")}`,
    `"a b":\n  servers:\n  - x:1:1\n  listen: 127.0.0.1:${freePort()}\n`,
    `~:\r\n  listen:   '127.0.0.1:${freePort()}'\r\n  servers:\r\n  - x:1:1 z\r\n  - x:1:1 Z\r\n`,
  ].join("");
}
