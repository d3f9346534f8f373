/** What becomes of the keys of an ejected server, as the file says it. */
import { describe, expect, test } from "bun:test";
import { ConfigError, formatMistake } from "../../src/config/config-error.ts";
import { parseConfig } from "../../src/config/load.ts";
import { poolWith } from "./config-case.ts";

const BETA = "beta:\n  listen: h:2\n  redis: true\n  servers:\n  - y:1:1\n";

function alphaOf(lines: readonly string[], others = BETA) {
  return parseConfig(poolWith("redis: true", ...lines) + others, "F").pools.at(-1);
}

function complaints(lines: readonly string[], others = BETA): string[] {
  try {
    alphaOf(lines, others);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map(formatMistake);
  }
}

test.each([
  ["a mapping", ["eject_policy:", "  failover: beta"]],
  ["a mapping in braces", ["eject_policy: {failover: beta}"]],
  ["a mapping in braces with blanks", ["eject_policy:  { failover: beta }"]],
  ["a text", ['eject_policy: "failover: beta"']],
  ["a text without a blank", ["eject_policy: failover:beta"]],
])("failover as %s", (_, lines) => {
  expect(alphaOf([...lines, "timeout: 7"])).toMatchObject({
    ...{ name: "alpha", ejectPolicy: "failover", failoverPool: "beta", autoEjectHosts: true },
    ...{ serverProbeIntervalMs: 1000, timeoutMs: 7 },
  });
});

test("auto_eject_hosts may be said beside it, and the interval chosen", () => {
  const lines = ["auto_eject_hosts: true", "eject_policy: fail_fast", "server_probe_interval: 20"];
  expect(alphaOf(lines)).toMatchObject({ autoEjectHosts: true, serverProbeIntervalMs: 20 });
});

test("any policy that is written ejects, unless auto_eject_hosts says no", () => {
  const interval = { serverProbeIntervalMs: 30_000 };
  expect(alphaOf([])).toMatchObject({ autoEjectHosts: false, ...interval });
  expect(alphaOf(["eject_policy: rehash"])).toMatchObject({ autoEjectHosts: true, ...interval });
  const lines = ["eject_policy: rehash", "auto_eject_hosts: false"];
  expect(alphaOf(lines)).toMatchObject({ autoEjectHosts: false });
});

test("a probe interval that is longer than the retry timeout stays so", () => {
  const lines = ["eject_policy: rehash", "server_retry_timeout: 2000"];
  expect(alphaOf([...lines, "server_probe_interval: 60000"])).toMatchObject({
    ...{ serverProbeIntervalMs: 60_000, serverRetryTimeoutMs: 2000 },
  });
});

test("pools may be each other's failover", () => {
  const beta = BETA.replace("redis: true", "redis: true\n  eject_policy: failover:alpha");
  expect(alphaOf(["eject_policy: failover:beta"], beta)).toMatchObject({ failoverPool: "beta" });
});

describe("mistakes", () => {
  const policies =
    "allowed: rehash, fail_fast, or failover: and the name of another pool of the same protocol";
  test.each([
    [["eject_policy: retry"], `eject_policy: found "retry", ${policies}`],
    [["eject_policy: failover"], `eject_policy: found "failover", ${policies}`],
    [['eject_policy: "failover: "'], `eject_policy: found "failover: ", ${policies}`],
    [["eject_policy: {failover: }"], `eject_policy: found "failover: ", ${policies}`],
    [["eject_policy: {rehash: beta}"], `eject_policy: found "rehash: beta", ${policies}`],
    [
      ["eject_policy: failover:gamma"],
      'eject_policy: found "gamma", which is no pool of this file, ' +
        'allowed: another pool of the same protocol: one of "beta"',
    ],
    [
      ["eject_policy: failover:alpha"],
      'eject_policy: found "alpha", which is the pool itself, ' +
        'allowed: another pool of the same protocol: one of "beta"',
    ],
    [
      ["eject_policy: fail_fast", "auto_eject_hosts: false"],
      'auto_eject_hosts: found "false" beside eject_policy: fail_fast, which ejects, ' +
        "allowed: true, or none of the two",
    ],
    [
      ["server_probe_interval: soon"],
      'server_probe_interval: found "soon", allowed: a number of milliseconds from 0 to 2147483647',
    ],
  ])("%p", (lines, expected) => {
    const line = 3 + lines.length;
    expect(complaints(lines)).toEqual([`F:${line}: pool "alpha": ${expected}`]);
  });

  test("a pool of the other protocol", () => {
    expect(
      complaints(["eject_policy: failover:beta"], BETA.replace("  redis: true\n", "")),
    ).toEqual([
      'F:4: pool "alpha": eject_policy: found "beta", which speaks memcached, ' +
        "allowed: another pool of the same protocol: there is none",
    ]);
  });

  test("failover on the same line without quotes: how it is written", () => {
    expect(complaints(["eject_policy: failover: beta"])[0]).toEndWith(
      'a value that holds ": " in quotes, like eject_policy: "failover: beta"',
    );
  });

  test("a mapping of two, or one in braces anywhere else", () => {
    expect(complaints(["eject_policy: {failover: beta, rehash: x}"])).toHaveLength(1);
    expect(complaints(["hash_tag: {failover: beta}"])[0]).toContain('found a mapping in "{ }"');
  });
});
