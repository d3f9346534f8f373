/**
 * The original to compare with: Debian's nutcracker 0.5.0, and the reason why a comparison is
 * skipped on a machine that has none.
 *
 *   test.skipIf(nutcracker === null)(`the texts agree${ORACLE_ABSENT}`, ...)
 */
import { debianProgram } from "./run-proxy.ts";

export const nutcracker = debianProgram();

/** For the name of a test or group, so that the report tells what is missing. */
export const ORACLE_ABSENT =
  nutcracker === null ? " (skipped: Debian's package nutcracker is not installed)" : "";
