/**
 * The twelve log levels of nutcracker. A line is written when its level is not above the logger's.
 *
 * nutcracker's own release builds speak at three of them: always, error (from 1) and warn (from 4).
 * Twin: nc_log.h.
 */

export const LogLevel = {
  Emerg: 0,
  Alert: 1,
  Crit: 2,
  Err: 3,
  Warn: 4,
  Notice: 5,
  Info: 6,
  Debug: 7,
  Verb: 8,
  Vverb: 9,
  Vvverb: 10,
  Pverb: 11,
} as const;

export const LOG_LEVEL_MIN = LogLevel.Emerg;
export const LOG_LEVEL_MAX = LogLevel.Pverb;
export const LOG_LEVEL_DEFAULT = LogLevel.Notice;

/** The nearest level there is: nutcracker takes -v 99 for 11 without a word. */
export function clampLogLevel(level: number): number {
  return Math.min(Math.max(level, LOG_LEVEL_MIN), LOG_LEVEL_MAX);
}
