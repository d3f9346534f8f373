/**
 * The Logger of a running program: nutcracker's line format, its level, its 256 bytes.
 *
 *   [2026-01-31 23:59:59.123] worker.ts:2 run, rabbit run ...
 *   [.......................] signal 1 (SIGHUP) received, reopening log file
 *
 * Local time. A line never has a line break inside, whatever a name or a key contains.
 * Where the bytes go is log-sink.ts. Twin: nc_log.c.
 */

import { wallClockMs } from "../lib/clock.ts";
import { clampLogLevel, LogLevel } from "./log-level.ts";
import { LogSink } from "./log-sink.ts";
import type { Logger } from "./logger.ts";

/** A whole line, with its line feed. */
export const LINE_BYTES_MAX = 256;

const LINE_FEED = 10;
const NO_TIME = "[.......................]";
const CONTROL_CHARACTERS = /[\x00-\x1f\x7f]/g;

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** "2026-01-31 23:59:59.123" in local time, from milliseconds since 1970. */
export function formatLocalTime(timeMs: number): string {
  const time = new Date(timeMs);
  const year = String(time.getFullYear()).padStart(4, "0");
  const date = `${year}-${twoDigits(time.getMonth() + 1)}-${twoDigits(time.getDate())}`;
  const minutes = `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}`;
  const milliseconds = String(time.getMilliseconds()).padStart(3, "0");
  return `${date} ${minutes}:${twoDigits(time.getSeconds())}.${milliseconds}`;
}

export class FileLogger implements Logger {
  readonly #sink: LogSink;
  readonly #line = Buffer.alloc(LINE_BYTES_MAX);
  #level: number;

  private constructor(sink: LogSink, level: number) {
    this.#sink = sink;
    this.#level = clampLogLevel(level);
  }

  /**
   * @param path a file to append to, or null for stderr
   * @throws ProxyError LOG_OPEN_FAILED
   */
  static open(path: string | null, level: number): FileLogger {
    return new FileLogger(LogSink.open(path), level);
  }

  /** The file's name, or null for stderr. */
  get path(): string | null {
    return this.#sink.path;
  }

  get level(): number {
    return this.#level;
  }

  always(place: string, text: string): void {
    this.#write(`[${formatLocalTime(wallClockMs())}]`, `${place} ${text}`);
  }

  error(place: string, text: string): void {
    if (this.#level >= LogLevel.Alert) this.always(place, text);
  }

  warn(place: string, text: string): void {
    if (this.#level >= LogLevel.Warn) this.always(place, text);
  }

  notice(place: string, text: string): void {
    if (this.#level >= LogLevel.Notice) this.always(place, text);
  }

  info(place: string, text: string): void {
    if (this.#level >= LogLevel.Info) this.always(place, text);
  }

  debug(place: string, text: string): void {
    if (this.#level >= LogLevel.Debug) this.always(place, text);
  }

  /** Lines about signals have neither time nor place, as nutcracker's. Printed at every level. */
  signal(text: string): void {
    this.#write(NO_TIME, text);
  }

  /** One level more talkative; says so, unless it is the last already. */
  raiseLevel(): void {
    this.#moveLevel(1, "up");
  }

  /** One level quieter; says so, unless it is the first already. */
  lowerLevel(): void {
    this.#moveLevel(-1, "down");
  }

  /**
   * Opens the log file again by name.
   *
   * @throws ProxyError LOG_OPEN_FAILED; lines then go on to the old file
   */
  reopen(): void {
    this.#sink.reopen();
  }

  close(): void {
    this.#sink.close();
  }

  #moveLevel(step: number, direction: string): void {
    const level = clampLogLevel(this.#level + step);
    if (level === this.#level) return;
    this.#level = level;
    this.signal(`${direction} log level to ${level}`);
  }

  #write(time: string, text: string): void {
    const clean = text.replace(CONTROL_CHARACTERS, escapeControl);
    // Buffer.write cuts between characters, so that a cut line is still UTF-8.
    const length = this.#line.write(`${time} ${clean}`, 0, LINE_BYTES_MAX - 1, "utf8");
    this.#line[length] = LINE_FEED;
    this.#sink.write(this.#line, length + 1);
  }
}

function escapeControl(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
