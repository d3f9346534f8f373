/**
 * Log lines in nutcracker's format: "[YYYY-MM-DD HH:MM:SS.mmm] place text", one write per line.
 *
 * `place` is "file.ts:N": the file that speaks and a number that names the message within that
 * file. It takes the room of nutcracker's file.c:LINE, and stays the same from release to release.
 * Lines are made by file-logger.ts and written by log-sink.ts; what a level is, is log-level.ts.
 */

export interface Logger {
  /** Printed at every level: start, end, signals. */
  always(place: string, text: string): void;
  /** Level 1 and above, as nutcracker's log_error. */
  error(place: string, text: string): void;
  /** Level 4 and above. */
  warn(place: string, text: string): void;
  /** Level 5, the default, and above. */
  notice(place: string, text: string): void;
  /** Level 6 and above. */
  info(place: string, text: string): void;
  /** Level 7 and above. */
  debug(place: string, text: string): void;
}
