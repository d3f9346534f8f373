/**
 * Which part of a key counts, for awkward keys and tags.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HashTag } from "../../src/routing/hash-tag.ts";

function found(tag: string, key: string, before = "", after = ""): string {
  const bytes = Buffer.from(before + key + after, "latin1");
  const hashTag = new HashTag(Buffer.from(tag, "latin1"));
  hashTag.find(bytes, before.length, before.length + key.length);
  return bytes.toString("latin1", hashTag.start, hashTag.end);
}

const rows: readonly (readonly [tag: string, key: string, counts: string])[] = [
  ["{}", "{user1}:name", "user1"],
  ["{}", "name:{user1}", "user1"],
  ["{}", "a{b}c{d}e", "b"],
  ["{}", "{{a}}", "{a"],
  ["{}", "}a{b}", "b"],
  ["{}", "a{}b{c}d", "a{}b{c}d"],
  ["{}", "{}", "{}"],
  ["{}", "{", "{"],
  ["{}", "}", "}"],
  ["{}", "{abc", "{abc"],
  ["{}", "abc}", "abc}"],
  ["{}", "}abc{", "}abc{"],
  ["{}", "plain", "plain"],
  ["{}", "", ""],
  ["{}", "{\0}", "\0"],
  ["$$", "$a$b$", "a"],
  ["$$", "$$a$", "$$a$"],
  ["$$", "$", "$"],
  ["::", "user:42:name", "42"],
  ["\xc3\xa9", "x\xc3ab\xa9y", "ab"],
  ["\0\xff", "a\0key\xffb", "key"],
];

describe("the part of a key that counts", () => {
  test.each(rows)("tag %j, key %j: %j", (tag, key, counts) => {
    expect(found(tag, key)).toBe(counts);
  });

  test.each(rows)("bytes around the key do not matter: tag %j, key %j", (tag, key, counts) => {
    expect(found(tag, key, `x${tag}x${tag[0]}`, `${tag[1]}x${tag}`)).toBe(counts);
  });
});

test("one object answers for one key after the other", () => {
  const tag = new HashTag(Buffer.from("{}"));
  tag.find(Buffer.from("{a}b"), 0, 4);
  tag.find(Buffer.from("plain"), 0, 5);
  expect([tag.start, tag.end]).toEqual([0, 5]);
});

test("any key agrees with a regular expression", () => {
  const key = fc.string({ unit: fc.constantFrom("{", "}", "a", "b", "\n"), maxLength: 12 });
  fc.assert(
    fc.property(key, (text) => {
      expect(found("{}", text)).toBe(/^[^{]*\{([^}]+)\}/.exec(text)?.[1] ?? text);
    }),
    { numRuns: 2000 },
  );
});
