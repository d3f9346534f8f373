/**
 * How long a key may be. Redis itself would take 512 MB; a key of that size is a mistake, and has
 * to be hashed here while everybody waits.
 */
import { Route } from "../protocol.ts";
import type { CommandRow } from "./command-row.ts";
import { Refusal } from "./refusal.ts";

export const KEY_BYTES_MAX = 1024 * 1024;

/** The error's words. */
const KEY_TOO_LONG = `ERR key is longer than ${KEY_BYTES_MAX} bytes`;

/** A complete request, as its parser shows it. */
interface ParsedRequest {
  readonly command: CommandRow;
  readonly argumentCount: number;
  /** Offset and length of each argument. */
  readonly spans: Int32Array;
  refusal: Refusal;
  keysRefusal: string;
}

/** Refuses a complete request for the server of a key, or of each of its keys, with a long one. */
export function refuseLongKeys(parser: ParsedRequest): void {
  const { command, argumentCount, spans } = parser;
  if (command.route === Route.Key) {
    const { firstKey } = command;
    if (firstKey < argumentCount) refuseIfLong(parser, spans[2 * firstKey + 1]!);
    return;
  }
  if (command.route !== Route.Keys) return;
  // All that is there, if it is no more than one key may have.
  const last = 2 * (argumentCount - 1);
  if (spans[last]! + spans[last + 1]! <= KEY_BYTES_MAX) return;
  for (let i = command.firstKey; i < argumentCount; i += command.keyStep) {
    refuseIfLong(parser, spans[2 * i + 1]!);
  }
}

/** @returns true if a key of that length is refused */
export function refuseIfLong(parser: ParsedRequest, lengthBytes: number): boolean {
  if (lengthBytes <= KEY_BYTES_MAX) return false;
  parser.refusal = Refusal.Keys;
  parser.keysRefusal = KEY_TOO_LONG;
  return true;
}
