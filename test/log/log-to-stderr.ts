/**
 * A program for log-sink.test.ts: writes far more lines to the log on stderr than any pipe holds,
 * and ends with status 7.
 */
import { FileLogger } from "../../src/log/file-logger.ts";
import { printStderr } from "../../src/log/stderr.ts";

const LINES = Number(process.argv[2] ?? 5000);

const log = FileLogger.open(null, 5);
for (let line = 0; line < LINES; line++) log.always("a.ts:1", `${line} ${"x".repeat(220)}`);
log.reopen();
if (LINES < 10) printStderr("not of the log\n");
log.always("a.ts:2", "last");
process.exit(7);
