/**
 * -t: is the configuration file right?
 *
 * The first line and the exit status are nutcracker's. Differs: nutcracker gives no reason; here
 * every mistake follows on a line of its own.
 */

import { ConfigError, formatMistake } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { printStderr } from "../../log/stderr.ts";
import { checkListenNames } from "../../process/check-names.ts";
import { PROGRAM_NAME } from "../../process/version.ts";

/** @returns exit status: 0 = right, 1 = wrong or not there */
export async function checkConfig(file: string): Promise<number> {
  const subject = `${PROGRAM_NAME}: configuration file '${file}' syntax is`;
  try {
    await checkListenNames(loadConfig(file), null);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = [`${subject} invalid`, ...error.mistakes.map(formatMistake)];
    printStderr(`${lines.join("\n")}\n`);
    return 1;
  }
  printStderr(`${subject} ok\n`);
  return 0;
}
