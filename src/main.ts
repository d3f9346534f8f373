/**
 * Entry point: runs the command line and exits with its status.
 */

import { runCommandLine } from "./cli/cli.ts";

process.exit(await runCommandLine(process.argv.slice(2)));
