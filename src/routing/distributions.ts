/**
 * The table of the distributions: name in a configuration -> how a ring is built.
 */
import type { Distribution } from "./distribution.ts";
import { ketama } from "./ketama.ts";
import { modula } from "./modula.ts";
import { random } from "./random.ts";

const DISTRIBUTIONS = { ketama, modula, random } as const satisfies Record<string, Distribution>;

export type DistributionName = keyof typeof DISTRIBUTIONS;

/** Every name that `distribution:` accepts. */
export const DISTRIBUTION_NAMES: readonly DistributionName[] = Object.keys(
  DISTRIBUTIONS,
) as DistributionName[];

/** Whether a text is the name of a distribution; upper and lower case differ. */
export function isDistributionName(text: string): text is DistributionName {
  return Object.hasOwn(DISTRIBUTIONS, text);
}

export function distribution(name: DistributionName): Distribution {
  return DISTRIBUTIONS[name];
}
