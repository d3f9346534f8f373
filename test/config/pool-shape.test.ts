/** Where lists and mappings may stand. */
import { expect, test } from "bun:test";
import { readPools } from "../../src/config/pool-shape.ts";
import { readYaml } from "../../src/config/yaml-source.ts";

function shapes(text: string) {
  const { root } = readYaml(text, "F");
  if (root === null) throw new Error("no tree");
  return readPools(root, "F");
}

test("pools are lists of keys and texts, in the order of the file", () => {
  const { pools, mistakes } = shapes(
    "b:\n  y: 1\n  l:\n  - p\n  - q\na:\n  l:\n  - r\n  y: 2\n  y: 3\n",
  );
  expect(mistakes).toEqual([]);
  const plain = pools.map(({ name, directives }) => [
    name.text,
    directives.map(({ key, values }) => [key.text, ...values.map(({ text }) => text)]),
  ]);
  expect(plain).toEqual([
    [
      "b",
      [
        ["y", "1"],
        ["l", "p", "q"],
      ],
    ],
    [
      "a",
      [
        ["l", "r"],
        ["y", "2"],
        ["y", "3"],
      ],
    ],
  ]);
});

test("every wrong shape is named, and the rest of the file is still read", () => {
  const { pools, mistakes } = shapes(
    [
      "a:",
      "  ? - k",
      "  : v",
      "  timeout:",
      "    read: 5",
      "  servers:",
      "  - x: 1",
      "  - good",
      "  others:",
      "  - y",
      "b: text",
      "c:",
      "  - item",
      "d:",
      "  key: value",
    ].join("\n"),
  );
  expect(mistakes.map(({ line, pool, key, legacyLine }) => [line, pool, key, legacyLine])).toEqual([
    [2, "a", null, "conf: 'F' has invalid \"key:value\" at depth 2"],
    [5, "a", "timeout", "conf: 'F' has a depth greater than 2"],
    [7, "a", "servers", "conf: 'F' has a depth greater than 2"],
    [10, "a", "others", "conf: 'F' has more than one sequence directive"],
    [11, "b", null, "conf: 'F' has invalid mapping \"key:\" at depth 1"],
    [12, "c", null, "conf: 'F' has sequence at depth 1 instead of 2"],
    [14, "d", "servers", "conf: 'F' missing sequence directive at depth 2"],
  ]);
  expect(pools.map(({ name }) => name.text)).toEqual(["a", "d"]);
});
