/** Response parser: whole replies in one chunk, and the same replies read step by step. */
import { bench, do_not_optimize, group, run } from "mitata";
import { RedisResponseParser } from "../../src/protocol/redis/response-parser.ts";

const REPLIES = 100;

function parseAll(parser: RedisResponseParser, bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length) at = parser.parse(bytes, at, bytes.length);
  return at;
}

for (const [name, text] of [
  ["a string of 64 B", `$64\r\n${"x".repeat(64)}\r\n`],
  ["+OK", "+OK\r\n"],
  ["a number", ":12345\r\n"],
  ["an array of 20 strings", `*20\r\n${"$3\r\nabc\r\n".repeat(20)}`],
] as const) {
  const bytes = Buffer.from(text.repeat(REPLIES));
  const halves = [Buffer.from(text.slice(0, 1)), Buffer.from(text.slice(1))] as const;
  group(name, () => {
    const parser = new RedisResponseParser();
    bench(`whole, ${REPLIES} per chunk`, () => do_not_optimize(parseAll(parser, bytes)));
    bench("step by step, one reply", () => {
      parser.parse(halves[0], 0, halves[0].length);
      do_not_optimize(parser.parse(halves[1], 0, halves[1].length));
    });
  });
}

await run();
