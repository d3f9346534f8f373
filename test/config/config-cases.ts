/**
 * All tables of configurations. load.test.ts holds our reader to them, and
 * nutcracker-oracle.test.ts holds them to the real nutcracker.
 */
import { ADDRESSES } from "./cases-addresses.ts";
import { DIFFERENCES } from "./cases-differences.ts";
import { CHECKS, VALUES } from "./cases-values.ts";
import { BROKEN, SHAPES } from "./cases-yaml.ts";
import type { ConfigCase } from "./config-case.ts";

export const CONFIG_CASES: readonly ConfigCase[] = [
  ...SHAPES,
  ...BROKEN,
  ...VALUES,
  ...ADDRESSES,
  ...CHECKS,
  ...DIFFERENCES,
];
