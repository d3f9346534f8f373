/**
 * The way of a key from its bytes to a server, and what a rebuild changes.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { HashFunction } from "../../src/hash/hash-function.ts";
import { hashFunction } from "../../src/hash/hashes.ts";
import { DISTRIBUTION_NAMES, isDistributionName } from "../../src/routing/distributions.ts";
import { Router } from "../../src/routing/router.ts";
import type { RouterOptions } from "../../src/routing/router.ts";

const hash = hashFunction("fnv1a_64");

function routerOf(count: number, options: Partial<RouterOptions> = {}): Router {
  const servers = Array.from({ length: count }, (_, i) => ({ name: `server${i}`, weight: 1 }));
  return new Router({ hash, distribution: "ketama", hashTag: null, servers, ...options });
}

function serverOf(router: Router, key: string | Uint8Array): number {
  const bytes = Buffer.from(key);
  return router.serverIndexOf(bytes, 0, bytes.length);
}

/** A hash that must not be called. */
const noHash: HashFunction = () => {
  throw new Error("hashed");
};

const KEYS = Array.from({ length: 500 }, (_, i) => `key:${i}`);

describe("serverIndexOf", () => {
  test.each(DISTRIBUTION_NAMES)("%s: a key is found wherever it lies", (name) => {
    const router = routerOf(5, { distribution: name, hashTag: Buffer.from("{}") });
    for (const key of KEYS) {
      const bytes = Buffer.from(`}{x}{${key}}{`);
      const index = router.serverIndexOf(bytes, 5, 5 + key.length);
      expect(index).toBeWithin(0, 5);
      if (name !== "random") expect(index).toBe(serverOf(router, key));
    }
  });

  test("an empty key counts as hash 0, and is not hashed", () => {
    for (const name of ["ketama", "modula"] as const) {
      const router = routerOf(7, { distribution: name, hash: noHash });
      expect(serverOf(router, "")).toBe(router.continuum.pick(0));
    }
  });

  test("a pool of one server has it without hashing", () => {
    for (const name of DISTRIBUTION_NAMES) {
      const router = routerOf(1, { distribution: name, hash: noHash, hashTag: Buffer.from("{}") });
      fc.assert(fc.property(fc.uint8Array(), (key) => expect(serverOf(router, key)).toBe(0)));
    }
  });

  test("a single live server of several has all keys", () => {
    for (const name of DISTRIBUTION_NAMES) {
      const router = routerOf(4, { distribution: name });
      router.rebuild((index) => index === 2);
      expect(new Set(KEYS.map((key) => serverOf(router, key)))).toEqual(new Set([2]));
    }
  });

  test("keys with the same hash tag share a server, other keys do not care", () => {
    const tagged = routerOf(50, { hashTag: Buffer.from("{}") });
    const plain = routerOf(50);
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (tag, before, after) => {
        fc.pre(!tag.includes("}") && !before.includes("{"));
        const server = serverOf(plain, tag);
        expect(serverOf(tagged, `${before}{${tag}}${after}`)).toBe(server);
        expect(serverOf(tagged, before)).toBe(serverOf(plain, before));
      }),
    );
  });

  test("two routers side by side do not disturb each other", () => {
    const one = routerOf(9, { hashTag: Buffer.from("{}") });
    const other = routerOf(5, { hashTag: Buffer.from("::"), distribution: "modula" });
    const alone = KEYS.map((key) => serverOf(one, `{${key}}:1:`));
    const between = KEYS.map((key) => {
      serverOf(other, `{x}:${key}:`);
      return serverOf(one, `{${key}}:1:`);
    });
    expect(between).toEqual(alone);
  });

  test("random reads no key, reaches every live server and no other", () => {
    const router = routerOf(5, { distribution: "random", hash: noHash });
    router.rebuild((index) => index !== 3);
    const seen = new Set(Array.from({ length: 2000 }, () => serverOf(router, "same key")));
    expect([...seen].sort()).toEqual([0, 1, 2, 4]);
  });
});

describe("rebuild", () => {
  test("moves the keys of an ejected server only, and brings them back", () => {
    const router = routerOf(6);
    const before = KEYS.map((key) => serverOf(router, key));
    router.rebuild((index) => index !== 4);
    for (const [i, key] of KEYS.entries()) {
      const index = serverOf(router, key);
      if (before[i] === 4) expect(index).not.toBe(4);
      else expect(index).toBe(before[i]!);
    }
    router.rebuild(() => true);
    expect(KEYS.map((key) => serverOf(router, key))).toEqual(before);
  });

  test.each(DISTRIBUTION_NAMES)("%s: with no server live all of them are tried", (name) => {
    const router = routerOf(3, { distribution: name });
    const ring = router.continuum;
    router.rebuild(() => false);
    expect(router.continuum).not.toBe(ring);
    expect([...router.continuum.points]).toEqual([...ring.points]);
    expect([...router.continuum.serverIndexes]).toEqual([...ring.serverIndexes]);
  });

  test("asks about each server", () => {
    const asked: number[] = [];
    routerOf(4).rebuild((index) => asked.push(index) > 0);
    expect(asked).toEqual([0, 1, 2, 3]);
  });
});

test("names of distributions", () => {
  expect(DISTRIBUTION_NAMES).toEqual(["ketama", "modula", "random"]);
  expect(DISTRIBUTION_NAMES.every(isDistributionName)).toBe(true);
  for (const text of ["", "Ketama", "constructor", "toString"]) {
    expect(isDistributionName(text)).toBe(false);
  }
});
