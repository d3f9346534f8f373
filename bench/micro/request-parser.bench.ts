/**
 * Request parser: a whole request in one chunk, against reading it step by step, and against what
 * is obvious in JavaScript (one string, split by line ends).
 */
import { bench, do_not_optimize, group, run } from "mitata";
import { RedisRequestParser } from "../../src/protocol/redis/request-parser.ts";

const GET = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000001234\r\n";
const SET = `*3\r\n$3\r\nSET\r\n$16\r\nkey:000000001234\r\n$64\r\n${"x".repeat(64)}\r\n`;
const MGET = `*21\r\n$4\r\nMGET\r\n${"$16\r\nkey:000000001234\r\n".repeat(20)}`;
const PIPELINE = 100;

function parseAll(parser: RedisRequestParser, bytes: Buffer): number {
  let at = 0;
  let requests = 0;
  while (at < bytes.length) {
    at = parser.parse(bytes, at, bytes.length);
    requests++;
  }
  return requests;
}

for (const [name, text] of [
  ["GET", GET],
  ["SET of 64 B", SET],
  ["MGET of 20 keys", MGET],
] as const) {
  const bytes = Buffer.from(text.repeat(PIPELINE));
  const halves = [bytes.subarray(0, 5), bytes.subarray(5, text.length)].map((part) =>
    Buffer.from(part),
  );
  group(`${name}`, () => {
    const parser = new RedisRequestParser();
    bench(`whole, ${PIPELINE} per chunk`, () => do_not_optimize(parseAll(parser, bytes)));
    bench("step by step, one request", () => {
      parser.parse(halves[0]!, 0, halves[0]!.length);
      do_not_optimize(parser.parse(halves[1]!, 0, halves[1]!.length));
    });
    bench(`one string, split, ${PIPELINE} per chunk`, () =>
      do_not_optimize(bytes.toString("latin1").split("\r\n").length),
    );
  });
}

await run();
