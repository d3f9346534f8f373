/**
 * What the demo writes: headings, sentences, bars and tables, within 80 columns.
 *
 * Colours appear only on a terminal, and not where NO_COLOR asks for none. Elsewhere the progress
 * bars are drawn once, when they are full. Knows nothing of servers.
 */

const MARGIN = "   ";
const BAR_WIDTH = 36;
/** In front of a bar. */
export const LABEL_WIDTH = 10;
/** Fractions of a character cell, from an eighth to seven eighths. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const REDRAW_MS = 33;

const isTerminal = process.stdout.isTTY === true && process.env["TERM"] !== "dumb";
const hasColour = isTerminal && (process.env["NO_COLOR"] ?? "") === "";

let chapterCount = 0;
let isMuted = false;

const colour = (code: number) => (text: string) =>
  hasColour ? `\x1b[${code}m${text}\x1b[0m` : text;

export const bold = colour(1);
export const dim = colour(2);
export const red = colour(31);
export const green = colour(32);
export const yellow = colour(33);
export const blue = colour(34);
export const magenta = colour(35);
export const cyan = colour(36);

/** Each server keeps its colour through the whole demo. */
const SERVER_COLOURS = [cyan, magenta, yellow, blue, green];

export function serverColour(index: number): (text: string) => string {
  return SERVER_COLOURS[index % SERVER_COLOURS.length] ?? cyan;
}

/** Says no more, because the demo is ending and what still fails is no news. */
export function mute(): void {
  isMuted = true;
}

/** Lets the last words through after mute(). */
export function unmute(): void {
  isMuted = false;
}

export function print(text = ""): void {
  if (!isMuted) process.stdout.write(text === "" ? "\n" : `${MARGIN}${text}\n`);
}

export function heading(title: string): void {
  chapterCount += 1;
  print();
  if (!isMuted) process.stdout.write(`${dim(String(chapterCount).padStart(2))} ${bold(title)}\n`);
  print();
}

/** A sentence that was checked and is true. */
export function confirm(sentence: string): void {
  print(`${green("✓")} ${sentence}`);
}

/** A sentence that should have been true, and what was seen instead. */
export function deny(sentence: string, detail: string): void {
  print();
  print(`${red("✗")} ${bold(sentence)}`);
  for (const line of detail.split("\n").filter(Boolean)) print(`  ${line}`);
}

/** @example counted(1, "error") -> "1 error", counted(2, "error") -> "2 errors" */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** 30000 -> "30,000" */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** A row with a name, a bar and a number. */
export function printBar(
  label: string,
  colour: (text: string) => string,
  value: number,
  full: number,
  note: string,
): void {
  print(colour(left(label, LABEL_WIDTH) + bar(value, full)) + ` ${right(value, 7)} ${note}`);
}

/** A bar for `value` on a scale where `full` takes the whole width. */
export function bar(value: number, full: number, width = BAR_WIDTH): string {
  const eighths = full === 0 ? 0 : Math.round((value / full) * width * 8);
  const cells = "█".repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? "");
  return cells.padEnd(width);
}

/** Pads to a width in the text itself, so that colours can be put on afterwards. */
export function left(text: string, width: number): string {
  return text.padEnd(width);
}

export function right(text: string | number, width: number): string {
  return String(typeof text === "number" ? grouped(text) : text).padStart(width);
}

/** A bar that fills while something is counted up to its total. */
export class ProgressBar {
  readonly #label: string;
  readonly #total: number;
  readonly #startedAtMs = performance.now();
  #drawnAtMs = 0;

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
  }

  /** Draws where the count stands now: on a terminal now and then, elsewhere at the end. */
  show(count: number): void {
    const nowMs = performance.now();
    const isFull = count >= this.#total;
    if (!isFull && (!isTerminal || nowMs - this.#drawnAtMs < REDRAW_MS)) return;
    this.#drawnAtMs = nowMs;
    const seconds = ((nowMs - this.#startedAtMs) / 1000).toFixed(2);
    const numbers = `${right(count, 7)} of ${grouped(this.#total)}`;
    const filled = left(this.#label, LABEL_WIDTH) + green(bar(count, this.#total));
    const text = `${MARGIN}${filled} ${numbers} ${right(seconds, 6)} s${isFull ? "\n" : ""}`;
    if (!isMuted) process.stdout.write(isTerminal ? `\r\x1b[K${text}` : text);
  }
}
