/**
 * An example for a rule: projects in which it must find something, and others in which it must not.
 */

/** Files of a small project: path -> text. */
export type Project = Readonly<Record<string, string>>;

export interface Example {
  /** The name of the rule. */
  readonly check: string;
  /** Each with what the first problem must say, its place included. */
  readonly bad: readonly (readonly [Project, string])[];
  readonly good: readonly Project[];
}
