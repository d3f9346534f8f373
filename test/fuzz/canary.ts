/**
 * A fuzzer that must fail: its parser forgets half of a line end when bytes are cut just there.
 */
import { ParseStatus } from "../../src/protocol/protocol.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Fuzzer, FuzzTarget } from "./fuzzer.ts";
import { KEPT_BYTES_MAX } from "./fuzzer.ts";
import type { AnyParser } from "./readings.ts";
import { readInAllWays } from "./readings.ts";

export const CANARY: Fuzzer = {
  name: "canary",
  feeds: "lines",
  checks: "nothing: it fails, to show that a fuzzer can",
  smokeRuns: 1000,
  keptBytesMax: KEPT_BYTES_MAX,
  isCanary: true,
  start: () => new CanaryTarget(),
};

/** Reads up to CR LF, and overlooks it between two calls. */
class ForgetfulParser implements AnyParser {
  status: ParseStatus = ParseStatus.Incomplete;

  reset(): void {}

  parse(bytes: Buffer, start: number, end: number): number {
    const at = bytes.subarray(start, end).indexOf("\r\n");
    this.status = at < 0 ? ParseStatus.Incomplete : ParseStatus.Complete;
    return at < 0 ? end : start + at + 2;
  }
}

class CanaryTarget implements FuzzTarget {
  readonly #parser = new ForgetfulParser();

  make(random: SeededRandom): Buffer {
    return Buffer.from(random.pick(["a line", "another one", "half a line\r\nand more\r\n"]));
  }

  check(input: Buffer, random: SeededRandom): void {
    readInAllWays(this.#parser, input, random, () => []);
  }
}
