/**
 * The command line that the programs which compare proxies have in common.
 */
import { parseArgs } from "node:util";
import type { Rounds } from "./measure.ts";
import { chosenPeers } from "./peers.ts";
import type { Peer } from "./peers.ts";

export interface RunSettings extends Rounds {
  readonly peers: readonly Peer[];
  readonly isJson: boolean;
  readonly isSaved: boolean;
}

/**
 * @param usual rounds of a full run, and what --quick divides the requests by
 * @returns what the flags say, and the words that are no flags
 * @throws Error that says what is wrong
 */
export function readRunFlags(usual: { readonly rounds: number; readonly quickDivisor: number }): {
  readonly common: RunSettings;
  readonly names: readonly string[];
} {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ours: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
    },
  });
  if (values.ours !== undefined) process.env["BENCH_OURS"] = values.ours;
  const rounds = Number(values.rounds ?? (values.quick ? 1 : usual.rounds));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: "${values.rounds}"`);
  const common = {
    peers: chosenPeers(values.peers),
    rounds,
    divisor: values.quick ? usual.quickDivisor : 1,
    isJson: values.json,
    isSaved: values.save,
  };
  return { common, names: positionals };
}
