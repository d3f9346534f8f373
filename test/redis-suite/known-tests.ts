/**
 * The tests of Redis's suite that cannot pass through a pool, and why.
 *
 *   # the reason
 *   unit/type/list: name of a test
 */
import type { FailedTest } from "./suite-run.ts";

export interface KnownTest {
  readonly unit: string;
  readonly name: string;
  readonly reason: string;
}

/** What the suite says of a test -> what in it a shared connection cannot do. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/'(multi|exec|watch|unwatch|discard)' is not supported/, "transactions"],
  [/'sync' is not supported|attach_to_replication_stream/, "the replication stream"],
  [/'p?subscribe' is not supported/, "subscriptions"],
  [/CLIENT (TRACKING|PAUSE)\b.* is not supported/, "CLIENT commands of one server"],
  [/'monitor' is not supported/, "MONITOR"],
];

/** Why a test has failed, if a command that the proxy refuses is the reason; else null. */
export function reasonOf(test: FailedTest): string | null {
  return REASONS.find(([pattern]) => pattern.test(test.details))?.[1] ?? null;
}

export function readKnown(text: string): KnownTest[] {
  const tests: KnownTest[] = [];
  let reason = "";
  for (const line of text.split("\n")) {
    const found = /^(unit\/[\w/-]+): (.*)$/.exec(line);
    if (line.startsWith("# ")) reason = line.slice(2).replace(/ \(\d+\)$/, "");
    else if (found !== null) tests.push({ unit: found[1]!, name: found[2]!, reason });
  }
  return tests;
}

/** Most frequent reason first. */
export function formatKnown(tests: readonly KnownTest[]): string {
  const groups = Map.groupBy(tests, (test) => test.reason);
  return [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([reason, group]) => {
      const lines = group.map(({ unit, name }) => `${unit}: ${name}\n`);
      return `# ${reason} (${group.length})\n${lines.join("")}`;
    })
    .join("\n");
}
