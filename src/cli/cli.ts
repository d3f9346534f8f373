/**
 * The command line: which command its words ask for, and the exit status.
 *
 *   a bad option -> text and usage, 1     -h -V -D -> text, 0     -t -> check, 0 or 1
 *   anything else -> run
 *
 * Everything is printed on stderr; stdout stays empty, as with nutcracker. Statuses are 0 and 1.
 */

import { ProxyError } from "../lib/errors.ts";
import { printStderr } from "../log/stderr.ts";
import { checkConfig } from "./commands/check-config.ts";
import { run } from "./commands/run.ts";
import { parseOptions } from "./options.ts";
import { badOptionText, descriptionText } from "./usage.ts";

/**
 * @param words the command line behind the program's name
 * @returns exit status, when the program has done what it should
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(words);
    if (options.showVersion) {
      printStderr(descriptionText(options));
      return 0;
    }
    if (options.testConfig) return await checkConfig(options.configFile);
    return await run(options, words);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    const isBadOption = error.code === "OPTION_INVALID";
    printStderr(isBadOption ? badOptionText(error.message) : `${error.message}\n`);
    return 1;
  }
}
