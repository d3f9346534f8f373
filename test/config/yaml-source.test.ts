/**
 * The YAML of a configuration: texts with lines, what is forbidden, and what is beyond repair.
 */
import { describe, expect, test } from "bun:test";
import { readYaml, type SourceNode } from "../../src/config/yaml-source.ts";

/** The tree as plain data: "text@line", lists, and lists of pairs. */
function plain(node: SourceNode): unknown {
  switch (node.kind) {
    case "scalar":
      return `${node.text}@${node.line}`;
    case "list":
      return node.items.map(plain);
    case "mapping":
      return {
        at: node.line,
        entries: node.entries.map((entry) => [plain(entry.key), plain(entry.value)]),
      };
  }
}

function tree(source: string | Uint8Array): unknown {
  const { root, mistakes } = readYaml(source, "F");
  expect(mistakes).toEqual([]);
  if (root === null) throw new Error("no tree");
  return plain(root);
}

function entries(source: string | Uint8Array): unknown {
  return (tree(source) as { entries: unknown }).entries;
}

test("the tree has every text as it was written, with its line", () => {
  const text =
    "# head\na:\n  b: 0777\n  c:\n\n    - ~\n    # between\n    - 'it''s'\n  d: # empty\n";
  expect(tree(text)).toEqual({
    at: 2,
    entries: [
      [
        "a@2",
        {
          at: 3,
          entries: [
            ["b@3", "0777@3"],
            ["c@4", ["~@6", "it's@8"]],
            ["d@9", "@9"],
          ],
        },
      ],
    ],
  });
});

test.each([
  ["null", "null"],
  ["true", "true"],
  ["1e3", "1e3"],
  ["0x1F", "0x1F"],
  ["2001-01-01", "2001-01-01"],
  ['"tr\\x75e"', "true"],
  ["'a: b # c'", "a: b # c"],
  ["a#b", "a#b"],
  ["a:b:c", "a:b:c"],
  ["a # b", "a"],
  ["one\n   two", "one two"],
  ["|-\n   one\n   two", "one\ntwo"],
  [">-\n   one\n   two", "one two"],
  ["<<", "<<"],
  ['"\\u00e9\\t\\\\"', "é\t\\"],
])("the value %p is the text %p", (written, text) => {
  expect(entries(`k: ${written}\n`)).toEqual([["k@1", `${text}@1`]]);
});

describe("line ends and encodings", () => {
  const text = "a:\n  b: é\n\n  c: d\n";
  const expected = entries(text);

  test.each([
    ["CRLF", "\r\n"],
    ["CR", "\r"],
    ["NEL", "\x85"],
    ["LS", "\u2028"],
  ])("%s", (_name, end) => {
    expect(entries(text.replaceAll("\n", end))).toEqual(expected);
  });

  test("UTF-8 with a byte order mark", () => {
    expect(entries(Buffer.from(`\ufeff${text}`))).toEqual(expected);
    expect(entries(`\ufeff${text}`)).toEqual(expected);
  });

  test("UTF-16, told by its byte order mark", () => {
    const little = Buffer.from(`\ufeff${text}`, "utf16le");
    expect(entries(little)).toEqual(expected);
    expect(entries(Buffer.from(little).swap16())).toEqual(expected);
  });
});

describe("mistakes", () => {
  function lines(source: string): number[] {
    return readYaml(source, "F").mistakes.map(({ line }) => line);
  }

  test("every forbidden thing is named with its line, brackets once", () => {
    const text = "a:\n  b: [1, [2, 3]]\n  c: !x {d: [4]}\n  e: &f g\n";
    const { mistakes, root } = readYaml(text, "F");
    expect(mistakes.map(({ line, legacyLine }) => [line, legacyLine])).toEqual([
      [2, "conf: flow sequence start token (10) is disallowed"],
      [3, "conf: tag token (20) is disallowed"],
      [3, "conf: flow mapping start token (12) is disallowed"],
      [4, "conf: anchor token (19) is disallowed"],
    ]);
    expect(root).not.toBeNull();
  });

  test("what only looks forbidden is a text", () => {
    expect(entries("a: b[1]{2}&c*d!e,f|g>h%i@j`k---\n")).toEqual([
      ["a@1", "b[1]{2}&c*d!e,f|g>h%i@j`k---@1"],
    ]);
    expect(entries("a: '[b]'\nc: \"*d\"\n")).toEqual([
      ["a@1", "[b]@1"],
      ["c@2", "*d@2"],
    ]);
  });

  test("broken lines are named, but not without end", () => {
    expect(lines("a: b\nc\nd: e\n")).toEqual([2]);
    expect(lines("a: b: c\n".repeat(1000))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("the line of a control character is found", () => {
    expect(lines("a: b\r\nc: \x1b[0m\r\n")).toEqual([2]);
  });

  test("the line of bytes that are no UTF-8 is found", () => {
    const bytes = Buffer.concat([
      Buffer.from("a: é\nb: "),
      Buffer.of(0xc3),
      Buffer.from("\nc: d\n"),
    ]);
    const { mistakes } = readYaml(bytes, "F");
    expect(mistakes.map(({ line }) => line)).toEqual([2]);
  });

  test("no password is repeated", () => {
    for (const text of [
      "a:\n  redis_auth: 's3cret'x\n",
      "a:\n redis_auth: x\nb\n s3cret: x\n- s3cret",
    ]) {
      const { mistakes } = readYaml(text, "F");
      expect(mistakes.length).toBeGreaterThan(0);
      expect(JSON.stringify(mistakes)).not.toContain("s3cret");
    }
  });
});

test.each([
  "- ",
  "? ",
  ": ",
  "[",
  "{a: ",
  "!a ",
  "&a ",
  "'",
  '"\\',
  "|\n",
  "\n ",
  "a:\n",
  "---\n",
  "*",
])(
  "twenty thousand times %p ends in a mistake, not in an exception",
  (part) => {
    const { root, mistakes } = readYaml(part.repeat(20_000), "F");
    expect(root === null || root.kind !== "mapping" || mistakes.length === 0).toBeTrue();
  },
  20_000,
);
