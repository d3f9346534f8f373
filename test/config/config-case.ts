/**
 * A configuration, right or wrong, with the log line at which nutcracker 0.5.0 stops; and the
 * pieces from which the tables of them are made. `F` stands for the name of the file in the lines.
 */

export interface ConfigCase {
  readonly name: string;
  readonly yaml: string | Uint8Array;
  /** nutcracker's line; null if it accepts the file, SILENT if it refuses without a line. */
  readonly line: string | null;
  /** Where we differ on purpose. */
  readonly ours?: { readonly line: string | null; readonly because: string };
}

export const SILENT = "";

export const SCANNER = "conf: failed (err 3) to get the next yaml document";
export const PARSER = "conf: failed (err 4) to get the next yaml document";
export const READER = "conf: failed (err 2) to get the next yaml document";
export const COMPOSER = "conf: failed (err 5) to get the next yaml document";

export const LISTEN = '"hostname:port" format string';
export const MODE = '"socket_path permission" format string';
export const SERVER = '"hostname:port:weight [name]" format string';
export const SERVER_FORMAT =
  'has an invalid "hostname:port:weight [name]"or "/path/unix_socket:weight [name]" format string';

/** A pool that is right, with further lines. */
export function poolWith(...lines: readonly string[]): string {
  return [
    "alpha:",
    "  listen: 127.0.0.1:22121",
    ...lines.map((line) => `  ${line}`),
    "  servers:",
    "    - 127.0.0.1:6379:1",
    "",
  ].join("\n");
}

export function listening(listen: string): string {
  return `alpha:\n  listen: ${listen}\n  servers:\n    - 127.0.0.1:6379:1\n`;
}

export function serving(...items: readonly string[]): string {
  const list = items.map((item) => `    - ${item}\n`).join("");
  return `alpha:\n  listen: 127.0.0.1:22121\n  servers:\n${list}`;
}

export function right(name: string, yaml: string): ConfigCase {
  return { name, yaml, line: null };
}

export function wrong(name: string, line: string, yaml: string): ConfigCase {
  return { name, yaml, line: line === SILENT ? SILENT : `conf: ${line}` };
}

export function refusedValues(key: string, text: string, values: readonly string[]): ConfigCase[] {
  return values.map((value) =>
    wrong(`${key}: ${value}`, `directive "${key}" ${text}`, poolWith(`${key}: ${value}`)),
  );
}
