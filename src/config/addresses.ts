/**
 * Addresses as the file spells them: "host:port" and "/path mode" to listen on,
 * "host:port:weight name" and "/path:weight name" of servers. Does not resolve host names.
 *
 *   fe80::1:6379:10 shard1       read from the right, because a host may contain ':'
 *   '--+--' '-+' '+ '--+-'
 *    host  port  |  name         the ring name is "shard1"; without a name it is "fe80::1:6379"
 *             weight
 *
 * The ring name decides where keys go, so its quirks are kept: no port if that is 11211
 * (libmemcached does so), and a ':' at the end of the path of an unnamed unix socket.
 *
 * Differs from nutcracker: "[::1]" is understood as the host ::1 (the ring name stays as written),
 * and the mode of a unix socket has to be octal digits, where nutcracker takes anything for 0.
 */

import type { Address, ListenConfig, ServerConfig } from "./config.ts";
import type { Reading, Refusal } from "./config-error.ts";

/** The largest number that nutcracker's int holds; also the largest weight. */
export const NUMBER_MAX = 2_147_483_647;

const PORT_MAX = 65_535;
const MODE_MAX = 0o777;
/** What fits into sun_path with its closing NUL. */
const UNIX_PATH_BYTES_MAX = 107;
/** The memcached port, which libmemcached leaves out when it hashes a server. */
const KETAMA_PORT = 11_211;

const SERVER_ALLOWED =
  'a server like "127.0.0.1:6379:1", "127.0.0.1:6379:1 name" or "/path/to/socket:1 name"';
const PORT_ALLOWED = `a port from 1 to ${PORT_MAX}`;
const NAME_ALLOWED = "one blank behind the weight, and then a name without blanks";
const WEIGHT_ALLOWED = `a weight from 1 to ${NUMBER_MAX}`;

// nutcracker's words; the blank missing before "or" is its own.
const TCP_LISTEN_FORMAT = '"hostname:port" format string';
const UNIX_LISTEN_FORMAT = '"socket_path permission" format string';
const TCP_SERVER_FORMAT = '"hostname:port:weight [name]" format string';
const SERVER_FORMAT =
  '"hostname:port:weight [name]"or "/path/unix_socket:weight [name]" format string';

/**
 * Reads a number as nutcracker spells numbers: ASCII digits and nothing else.
 *
 * @returns the number, or -1 if the text is not a number or above 2147483647, where
 *   nutcracker's numbers wrap
 */
export function readDigits(text: string): number {
  if (!/^[0-9]+$/.test(text)) {
    return -1;
  }
  const number = Number(text);
  return number <= NUMBER_MAX ? number : -1;
}

/** Reads the value of `listen`. A host that is no numeric address is taken for a name. */
export function readListen(text: string): Reading<ListenConfig> {
  if (text.includes("\0")) {
    return refuse("has an invalid value", "an address without NUL");
  }
  return text.startsWith("/") ? readUnixListen(text) : readTcpListen(text);
}

function readUnixListen(text: string): Reading<ListenConfig> {
  const blank = text.lastIndexOf(" ");
  const path = blank < 0 ? text : text.slice(0, blank);
  let mode = 0;
  if (blank >= 0) {
    const modeText = text.slice(blank + 1);
    mode = /^[0-7]+$/.test(modeText) ? Number.parseInt(modeText, 8) : -1;
    if (mode < 0 || mode > MODE_MAX) {
      return refuse(
        `has an invalid file permission in ${UNIX_LISTEN_FORMAT}`,
        "octal permission bits from 0 to 0777 after the path, with one blank between",
      );
    }
  }
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    return refuse(
      "has an invalid value",
      `the path of a unix socket of at most ${UNIX_PATH_BYTES_MAX} bytes`,
    );
  }
  return { value: { text, address: { kind: "unix", path }, mode } };
}

function readTcpListen(text: string): Reading<ListenConfig> {
  const colon = text.lastIndexOf(":");
  if (colon < 0) {
    return { refusal: { legacy: `has an invalid ${TCP_LISTEN_FORMAT}` } };
  }
  const port = readPort(text.slice(colon + 1));
  if (port < 0) {
    return refuse(`has an invalid port in ${TCP_LISTEN_FORMAT}`, PORT_ALLOWED);
  }
  const host = hostOf(text.slice(0, colon));
  if (host === "") {
    return refuse(
      "has an invalid value",
      "a host before the port; 0.0.0.0 or :: for every address",
    );
  }
  return { value: { text, address: { kind: "tcp", host, port }, mode: 0 } };
}

/** Reads one item of `servers`. The host may be empty or unknown; connecting will tell. */
export function readServer(text: string): Reading<ServerConfig> {
  const blank = text.lastIndexOf(" ");
  const name = blank < 0 ? null : text.slice(blank + 1);
  const place = blank < 0 ? text : text.slice(0, blank);
  const weightColon = place.lastIndexOf(":");
  if (weightColon < 0) {
    return refuse(`has an invalid ${SERVER_FORMAT}`, SERVER_ALLOWED);
  }
  const where = place.slice(0, weightColon);
  const isUnix = text.startsWith("/");
  const portColon = where.lastIndexOf(":");
  if (isUnix !== portColon < 0 || where.includes("\0")) {
    return refuse(`has an invalid ${SERVER_FORMAT}`, SERVER_ALLOWED);
  }
  const weight = readDigits(place.slice(weightColon + 1));
  if (weight <= 0) {
    const kind = weight < 0 ? "an invalid" : "a zero";
    // nutcracker takes what is behind the last blank for the name, and the rest for the weight.
    const isName = /:[0-9]+[ \t]/.test(place.slice(weightColon));
    const allowed = isName ? NAME_ALLOWED : WEIGHT_ALLOWED;
    return refuse(`has ${kind} weight in ${TCP_SERVER_FORMAT}`, allowed);
  }
  // A name that is empty ("a:1:1 " in quotes) leaves the item whole, as in nutcracker.
  const displayName = name === null || name === "" ? text : place;
  if (isUnix) {
    const address: Address = { kind: "unix", path: where };
    return { value: { name: name ?? `${where}:`, displayName, address, weight } };
  }
  const hostText = where.slice(0, portColon);
  const port = readPort(where.slice(portColon + 1));
  if (port < 0) {
    return refuse(`has an invalid port in ${TCP_SERVER_FORMAT}`, PORT_ALLOWED);
  }
  const address: Address = { kind: "tcp", host: hostOf(hostText), port };
  const ownName = port === KETAMA_PORT ? hostText : where;
  return { value: { name: name ?? ownName, displayName, address, weight } };
}

function readPort(text: string): number {
  const port = readDigits(text);
  return port >= 1 && port <= PORT_MAX ? port : -1;
}

/** The host without the brackets that people put around an IPv6 address. */
function hostOf(text: string): string {
  return text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
}

function refuse(legacy: string, allowed: string): { readonly refusal: Refusal } {
  return { refusal: { legacy, allowed } };
}
