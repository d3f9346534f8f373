/**
 * What every protocol owes to the proxy, as one suite: `runProtocolConformance(protocol, samples)`.
 *
 *   samples: requests and replies of that protocol, for things that all protocols have
 *   skips:   what a protocol has not, each with its reason
 *
 * The suite knows the contract of src/protocol/protocol.ts and no protocol.
 */
import { describe, expect, test } from "bun:test";
import { failureOf, SERVER_CLOSED, TIMED_OUT } from "../../src/protocol/failure.ts";
import { ParseStatus, Route } from "../../src/protocol/protocol.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import { giveSplitRequest } from "../../src/protocol/split-request.ts";
import { everySplit } from "../support/every-split.ts";
import { newSession } from "../support/client-session.ts";
import { bytesOf, messageOf, newChain, ProtocolKit, takeText } from "./protocol-kit.ts";
import type { ProtocolSamples, Text } from "./protocol-kit.ts";

/** A part of the samples that a protocol has nothing for. */
export interface Skip {
  readonly part: "nothing" | "silent" | "everyServer" | "rewritten";
  readonly reason: string;
}

export function runProtocolConformance(
  protocol: Protocol,
  samples: ProtocolSamples,
  skips: readonly Skip[] = [],
): void {
  const kit = new ProtocolKit(protocol, samples);
  describe(`${protocol.name}: requests`, () => {
    testRequests(kit);
    testRequestStreams(kit);
    testGarbage(kit);
    testOtherRequests(kit, skips);
  });
  describe(`${protocol.name}: answers of the proxy`, () => testAnswers(kit));
  describe(`${protocol.name}: replies of servers`, () => testReplies(kit));
  describe(`${protocol.name}: divided requests`, () => {
    testFragments(kit);
    testCoalesced(kit);
    testCoalescedErrors(kit);
    testPart("everyServer", samples, skips, () => testEveryServer(kit));
  });
}

/** Runs a part of the suite, or says why there is none. */
function testPart(
  part: Skip["part"],
  samples: ProtocolSamples,
  skips: readonly Skip[],
  body: () => void,
): void {
  const skip = skips.find((candidate) => candidate.part === part);
  if (skip === undefined) {
    test(part, () => {
      expect(samples[part].length).toBeGreaterThan(0);
      body();
    });
  } else {
    test.skip(`${part}: ${skip.reason}`, () => {});
  }
}

/** Rows for test.each: how it is shown, and the sample. */
function shown<Sample>(
  all: readonly Sample[],
  textOf: (sample: Sample) => Text,
): [string, Sample][] {
  return all.map((sample) => [JSON.stringify(textOf(sample)), sample]);
}

/** Anything else would shift what the client reads next. */
function expectOneLine(text: Text): void {
  expect(text.indexOf("\n")).toBe(text.length - 1);
  expect(text.endsWith("\r\n")).toBe(true);
  expect(text.length).toBeGreaterThan(2);
}

function testRequests(kit: ProtocolKit): void {
  const { samples } = kit;

  test.each(shown(samples.singleKey, (sample) => sample.request))(
    "one key, cut anywhere: %s",
    (_, { request, key }) => {
      expect(kit.parserOf(request).replyFilter).toBe(0);
      everySplit(request, (pieces) => {
        const [found, ...rest] = kit.parseAll(pieces);
        expect(rest).toEqual([]);
        expect(found).toMatchObject({ status: ParseStatus.Complete, sizeBytes: request.length });
        expect(found?.keys[0]).toBe(key);
      });
    },
  );

  test("many keys, cut anywhere, with duplicates", () => {
    const keys = ["a1", "b", "a1", "c\t\xff"];
    const request = samples.readMany(keys);
    const expected = { status: ParseStatus.Complete, route: Route.Keys, keys };
    everySplit(request, (pieces) => {
      expect(kit.parseAll(pieces)).toEqual([{ ...expected, sizeBytes: request.length }]);
    });
  });

  test("values are bytes", () => {
    const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join("");
    const request = samples.store("key", `${all}\r\n${samples.readMany(["x", "y"])}`);
    everySplit(request, (pieces) => {
      expect(kit.parseAll(pieces)).toMatchObject([{ keys: ["key"], sizeBytes: request.length }]);
    });
  });
}

function testRequestStreams(kit: ProtocolKit): void {
  const { protocol, samples } = kit;

  test("a pipeline of everything, cut at each place", () => {
    const requests = [
      ...samples.singleKey.map((sample) => sample.request),
      samples.readMany(["a", "b"]),
      ...samples.refused.map((sample) => sample.request),
      samples.store("k", "v"),
      ...samples.local.map((sample) => sample.request),
    ];
    const whole = requests.flatMap((request) => kit.parseAll([bytesOf(request)]));
    expect(whole.map((found) => found.sizeBytes)).toEqual(requests.map((text) => text.length));
    everySplit(requests.join(""), (pieces) => expect(kit.parseAll(pieces)).toEqual(whole));
  });

  test("reset forgets a request that is half there", () => {
    const request = samples.store("key", "value");
    for (let cut = 1; cut < request.length; cut++) {
      const parser = protocol.createRequestParser();
      parser.parse(bytesOf(request), 0, cut);
      expect(parser.status).toBe(ParseStatus.Incomplete);
      parser.reset();
      expect(parser.parse(bytesOf(request), 0, request.length)).toBe(request.length);
      expect(parser.status).toBe(ParseStatus.Complete);
    }
  });

  test("what stands around a request is left alone", () => {
    const request = samples.store("key", "value");
    const parser = protocol.createRequestParser();
    const both = bytesOf(`xx${request}${request}`);
    expect(parser.parse(both, 2, both.length)).toBe(2 + request.length);
    expect(parser.keyOffset(0)).toBe(request.indexOf("key"));
  });
}

function testGarbage(kit: ProtocolKit): void {
  const { protocol, samples } = kit;
  test.each(shown(samples.garbage, (text) => text))("garbage ends in an error: %s", (_, text) => {
    everySplit(text, (pieces) => {
      const parser = protocol.createRequestParser();
      for (const piece of pieces) {
        parser.parse(Buffer.from(piece), 0, piece.length);
        if (parser.status === ParseStatus.Invalid) break;
      }
      expect(parser.status).toBe(ParseStatus.Invalid);
      expectOneLine(protocol.framingErrorReply(parser).toString("latin1"));
    });
  });
}

function testOtherRequests(kit: ProtocolKit, skips: readonly Skip[]): void {
  const { samples } = kit;

  testPart("nothing", samples, skips, () => {
    for (const text of samples.nothing) {
      everySplit(text + (samples.singleKey[0]?.request ?? ""), (pieces) => {
        const statuses = kit.parseAll(pieces).map((found) => found.status);
        expect(statuses).toEqual([ParseStatus.Nothing, ParseStatus.Complete]);
      });
    }
  });

  testPart("rewritten", samples, skips, () => {
    for (const { request, normal } of samples.rewritten) {
      const parser = kit.parserOf(request, ParseStatus.Rewritten);
      expect(parser.rewritten.toString("latin1")).toBe(normal);
      parser.parse(parser.rewritten, 0, parser.rewritten.length);
      expect(parser.status).toBe(ParseStatus.Complete);
    }
  });

  testPart("silent", samples, skips, () => {
    for (const { request, forward } of samples.silent) {
      const parser = kit.parserOf(request);
      expect([parser.isSilent, parser.isReworded]).toEqual([true, true]);
      expect(kit.forward(request, messageOf(request))).toBe(forward);
      expect(kit.forward(request, messageOf(request, 7))).toBe(forward);
      expect(kit.parserOf(forward).isSilent).toBe(false);
    }
  });
}

function testAnswers(kit: ProtocolKit): void {
  const { protocol, samples } = kit;

  test.each(shown(samples.local, (sample) => sample.request))("%s", (_, { request, reply }) => {
    if (typeof reply === "string") expect(kit.answer(request)).toBe(reply);
    else expect(kit.answer(request)).toMatch(reply);
  });

  test("the one who quits is closed", () => {
    const session = newSession();
    kit.answer(samples.quit, session);
    expect(session.isQuitting).toBe(true);
  });

  test.each(shown(samples.refused, (sample) => sample.request))(
    "refused: %s",
    (_, { request, reply }) => {
      const text = kit.answer(request);
      expect(text).toMatch(reply);
      expectOneLine(text);
    },
  );

  test("trouble with a server, in nutcracker's words", () => {
    const reply = (code: string) => protocol.failureReply(failureOf(code)).toString("latin1");
    expect(reply("ECONNREFUSED")).toBe(`${samples.errorStart}Connection refused\r\n`);
    expect(reply("ETIMEDOUT")).toBe(`${samples.errorStart}Connection timed out\r\n`);
    expect(reply("FIN")).toBe(`${samples.errorStart}unknown\r\n`);
    expect(protocol.failureReply(TIMED_OUT)).toBe(protocol.failureReply(TIMED_OUT));
  });

  test("one client too many is told so", () => {
    expectOneLine(protocol.tooManyClientsReply.toString("latin1"));
  });
}

function testReplies(kit: ProtocolKit): void {
  const { protocol, samples } = kit;
  const all = [...samples.replies, samples.errorReply, samples.values([["k", "v"]])];

  test.each(shown(all, (text) => text))("cut anywhere: %s", (_, text) => {
    everySplit(text, (pieces) => expect(kit.replySizes(pieces)).toEqual([text.length]));
  });

  test("one after the other, cut anywhere", () => {
    const sizes = all.map((text) => text.length);
    everySplit(all.join(""), (pieces) => expect(kit.replySizes(pieces)).toEqual(sizes));
  });

  test("an error is known as one", () => {
    const isError = (text: Text) => {
      const parser = protocol.createResponseParser();
      parser.parse(bytesOf(text), 0, text.length);
      return parser.isError;
    };
    expect(isError(samples.errorReply)).toBe(true);
    for (const text of samples.replies) expect(isError(text)).toBe(false);
  });

  test.each(shown(samples.badReplies, (text) => text))("no reply: %s", (_, text) => {
    everySplit(text, (pieces) => expect(kit.replySizes(pieces)).toBeNull());
  });
}

/** Keys that begin with a, b and c are on servers 0, 1 and 2. */
const KEYS = ["a1", "c1", "b1", "a2", "a1", "c2"];
const LARGE = "x".repeat(9000);

function repliesTo(samples: ProtocolSamples): Text[] {
  const a1 = ["a1", "1"] as const;
  const c1 = ["c1", LARGE] as const;
  return [
    samples.values([a1, ["a2", "two\r\n"], a1]),
    samples.values([["b1", ""]]),
    samples.values([c1, ["c2", "6"]]),
  ];
}

function testFragments(kit: ProtocolKit): void {
  test.each([0, 1, 2, 3, 7])(
    "fragments keep the order of their keys, in pieces of %p bytes",
    (pieceBytes) => {
      const [request, texts] = kit.divide(KEYS, pieceBytes);
      const groups = [["a1", "a2", "a1"], ["b1"], ["c1", "c2"]];
      expect(texts).toEqual(groups.map(kit.samples.fragment));
      giveSplitRequest(request);
    },
  );
}

function testCoalesced(kit: ProtocolKit): void {
  const { samples } = kit;

  test.each([0, 1, 7])("replies in pieces of %p bytes become one, in order", (pieceBytes) => {
    const values = { a1: "1", c1: LARGE, b1: "", a2: "two\r\n", c2: "6" };
    const found = KEYS.map((key) => [key, values[key as keyof typeof values]] as const);
    const text = kit.coalesce(KEYS, repliesTo(samples), pieceBytes);
    expect(text === samples.values(found)).toBe(true);
  });

  test("nothing found anywhere", () => {
    const missing = (...keys: Text[]) => samples.values(keys.map((key) => [key, null] as const));
    const replies = [missing("a1", "a2", "a1"), missing("b1"), missing("c1", "c2")];
    expect(kit.coalesce(KEYS, replies)).toBe(missing(...KEYS));
  });

  test("3,000 keys", () => {
    const keys = Array.from({ length: 3000 }, (_, i) => `${"abc"[i % 3]}${i}`);
    const found = keys.map((key) => [key, `value of ${key}`] as const);
    const replies = ["a", "b", "c"].map((start) =>
      samples.values(found.filter(([key]) => key.startsWith(start))),
    );
    expect(kit.coalesce(keys, replies) === samples.values(found)).toBe(true);
    expect(kit.coalesce(keys, replies, 100) === samples.values(found)).toBe(true);
  });
}

function testCoalescedErrors(kit: ProtocolKit): void {
  const { protocol, samples } = kit;
  const replies = repliesTo(samples);

  test.each([0, 7])("a server's error is the reply, in pieces of %p bytes", (pieceBytes) => {
    const mixed = replies.with(1, samples.errorReply);
    expect(kit.coalesce(KEYS, mixed, pieceBytes)).toBe(samples.errorReply);
  });

  test.each([0, 7])("a strange reply is one error, in pieces of %p bytes", (pieceBytes) => {
    const mixed = replies.with(0, samples.strangeReply);
    const expected = `${samples.errorStart}Invalid argument\r\n`;
    expect(kit.coalesce(KEYS, mixed, pieceBytes)).toBe(expected);
  });

  test("trouble with a server is one error; a closed one gives way to any other", () => {
    const [request] = kit.divide(KEYS);
    const target = newChain();
    for (const [i, fragment] of request.fragments.entries()) {
      fragment.setReply(bytesOf(replies[i] ?? ""), 0, replies[i]?.length ?? 0);
      fragment.failure = [SERVER_CLOSED, TIMED_OUT, null][i] ?? null;
    }
    expect(protocol.coalesce(request, target)).toBe(false);
    expect(takeText(target)).toBe(`${samples.errorStart}Connection timed out\r\n`);
    for (const fragment of request.fragments.slice(1)) fragment.failure = null;
    expect(protocol.coalesce(request, target)).toBe(false);
    expect(takeText(target)).toBe(`${samples.errorStart}unknown\r\n`);
    giveSplitRequest(request);
  });
}

function testEveryServer(kit: ProtocolKit): void {
  for (const { request, replies, reply } of kit.samples.everyServer) {
    expect(kit.parserOf(request).route).toBe(Route.Servers);
    expect(kit.coalesceEvery(replies)).toBe(reply);
  }
}
