/**
 * Errors of the control plane: who caused it, and what was attempted.
 *
 * The data plane throws nothing; its outcomes are values. A ProxyError is thrown while starting or
 * reconfiguring and caught in two places only: cli/cli.ts (exit code) and process/worker.ts (log).
 * Wording: the action that failed first, texts quoted, then what was found and what is allowed.
 */

/** Who has to act: who wrote the configuration, the system, a server, or we ourselves. */
export type ErrorSource = "operator" | "system" | "server" | "proxy";

export class ProxyError extends Error {
  constructor(
    readonly code: string,
    readonly source: ErrorSource,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "ProxyError";
  }
}
