/**
 * From the tree of a file to its settings and pools, each a plain list of keys and texts.
 *
 *   workers: 4                  depth 1: settings
 *   alpha:                      depth 1: names of pools
 *     listen: 127.0.0.1:22121   depth 2: key and text
 *     servers:                  depth 2: exactly one list in each pool
 *      - 127.0.0.1:6379:1
 *
 * Which keys there are and what they mean is directives.ts. Like nutcracker's, the check asks for
 * one list but not for its key; a list below `listen` is one `listen` for each of its items.
 */

import { type ConfigMistake, printable, quote } from "./config-error.ts";
import type { SourceEntry, SourceMapping, SourceNode, SourceScalar } from "./yaml-source.ts";

export interface PoolSource {
  readonly name: SourceScalar;
  /** In the order of the file. */
  readonly directives: readonly DirectiveSource[];
}

export interface DirectiveSource {
  readonly key: SourceScalar;
  readonly isList: boolean;
  /** One text, or the items of a list. */
  readonly values: readonly SourceScalar[];
}

/** A text where a pool would be. */
export interface SettingSource {
  readonly key: SourceScalar;
  readonly value: SourceScalar;
}

export interface PoolShapes {
  /** In the order of the file. */
  readonly settings: readonly SettingSource[];
  readonly pools: readonly PoolSource[];
  readonly mistakes: readonly ConfigMistake[];
}

type Report = (line: number, key: string | null, fault: ShapeFault) => void;

/** `legacy` is what nutcracker logs after `conf: 'F' `. */
interface ShapeFault {
  readonly legacy: string;
  readonly found: string;
  readonly allowed: string;
}

const POOL_ALLOWED = "the name of a pool and, indented below it, its directives";
const VALUE_ALLOWED = 'a "key: value" line, or a list of plain items';

/**
 * Never throws. A part of the wrong shape is left out of `pools` and named in `mistakes`.
 *
 * @param settingKeys keys that may have a text where others have a pool
 */
export function readPools(
  root: SourceNode,
  file: string,
  settingKeys: readonly string[] = [],
): PoolShapes {
  const settings: SettingSource[] = [];
  const mistakes: ConfigMistake[] = [];
  const reportIn =
    (pool: string | null): Report =>
    (line, key, { legacy, found, allowed }) => {
      const legacyLine = `conf: '${printable(file)}' ${legacy}`;
      mistakes.push({ file, line, pool, key, legacyLine, found, allowed });
    };
  if (root.kind !== "mapping") {
    const legacy =
      root.kind === "list"
        ? "has sequence at depth 0 instead of 2"
        : 'has invalid empty "key:" at depth 0';
    reportIn(null)(root.line, null, { legacy, found: describe(root), allowed: POOL_ALLOWED });
    return { settings, pools: [], mistakes };
  }
  const pools = root.entries.flatMap((entry) => {
    const { key, value } = entry;
    if (key.kind !== "scalar" || value.kind !== "scalar" || !settingKeys.includes(key.text)) {
      return readPool(entry, settingKeys, reportIn);
    }
    settings.push({ key, value });
    return [];
  });
  return { settings, pools, mistakes };
}

function readPool(
  { key, value }: SourceEntry,
  settingKeys: readonly string[],
  reportIn: (pool: string | null) => Report,
): PoolSource[] {
  if (key.kind !== "scalar") {
    const legacy =
      key.kind === "list"
        ? "has sequence at depth 1 instead of 2"
        : 'has more than one "key:value" at depth 1';
    reportIn(null)(key.line, null, { legacy, found: describe(key), allowed: POOL_ALLOWED });
    return [];
  }
  const report = reportIn(key.text);
  if (value.kind !== "mapping") {
    const legacy =
      value.kind === "list"
        ? "has sequence at depth 1 instead of 2"
        : 'has invalid mapping "key:" at depth 1';
    const allowed =
      value.kind === "scalar" && settingKeys.length > 0
        ? `${POOL_ALLOWED}; or a setting of the whole process: ${settingKeys.join(", ")}`
        : POOL_ALLOWED;
    report(key.line, null, { legacy, found: describe(value), allowed });
    return [];
  }
  return [{ name: key, directives: readDirectives(key, value, report) }];
}

function readDirectives(name: SourceScalar, pool: SourceMapping, report: Report) {
  const directives: DirectiveSource[] = [];
  let lists = 0;
  for (const { key, value } of pool.entries) {
    if (key.kind !== "scalar") {
      report(key.line, null, keyFault(key, lists > 0));
      continue;
    }
    if (value.kind === "scalar") {
      directives.push({ key, isList: false, values: [value] });
      continue;
    }
    const policy = key.text === "eject_policy" ? onlyEntry(value) : null;
    if (policy !== null) {
      directives.push({ key, isList: false, values: [policy] });
      continue;
    }
    if (value.kind === "list") {
      lists += 1;
    }
    const fault = valueFault(value, lists);
    if (fault !== null) {
      report(value.line, key.text, fault);
    }
    const items = value.kind === "list" ? value.items : [];
    const values = items.filter((item) => item.kind === "scalar");
    directives.push({ key, isList: value.kind === "list", values });
  }
  if (lists === 0) {
    report(name.line, "servers", {
      legacy: "missing sequence directive at depth 2",
      found: "no list",
      allowed: 'a list of servers, one "- item" line each',
    });
  }
  return directives;
}

/** A mapping of one text to one text as the text "key: value"; null for anything else. */
function onlyEntry(node: SourceNode): SourceScalar | null {
  if (node.kind !== "mapping" || node.entries.length !== 1) return null;
  const [{ key, value } = { key: node, value: node }] = node.entries;
  if (key.kind !== "scalar" || value.kind !== "scalar") return null;
  return { kind: "scalar", text: `${key.text}: ${value.text}`, line: key.line };
}

function keyFault(key: SourceNode, isAfterList: boolean): ShapeFault {
  const legacy =
    key.kind === "mapping"
      ? "has a depth greater than 2"
      : isAfterList
        ? "has more than one sequence directive"
        : 'has invalid "key:value" at depth 2';
  return { legacy, found: `${describe(key)} for a key`, allowed: VALUE_ALLOWED };
}

/** What is wrong with a value that is no scalar. */
function valueFault(value: SourceNode, lists: number): ShapeFault | null {
  if (value.kind === "mapping") {
    return { legacy: "has a depth greater than 2", found: "a mapping", allowed: VALUE_ALLOWED };
  }
  if (lists > 1) {
    return {
      legacy: "has more than one sequence directive",
      found: "a second list",
      allowed: "one list in a pool, that of its servers",
    };
  }
  const items = value.kind === "list" ? value.items : [];
  const inner = items.find((item) => item.kind !== "scalar");
  if (inner === undefined) {
    return null;
  }
  const legacy =
    inner.kind === "list" ? "has more than one sequence directive" : "has a depth greater than 2";
  return { legacy, found: `${describe(inner)} inside a list`, allowed: "plain items" };
}

function describe(node: SourceNode): string {
  switch (node.kind) {
    case "list":
      return "a list";
    case "mapping":
      return "a mapping";
    case "scalar":
      return node.text === "" ? "nothing" : quote(node.text);
  }
}
