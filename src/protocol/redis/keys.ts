/**
 * Which arguments of a request are keys: for the commands whose keys must all be on one server, and
 * for COMMAND GETKEYS.
 *
 *   BITOP AND dest a b             -> 2 3 4
 *   LMPOP 2 a b LEFT               -> 2 3
 *   XREAD COUNT 5 STREAMS a b 0 0  -> 4 5
 *
 * Commands with one key never come here; the parser knows where that is.
 */
import type { CommandRow } from "./command-row.ts";
import { KeyRule } from "./command-row.ts";
import { quoteText } from "./replies.ts";

/** The arguments of a request, whoever holds them. */
export interface ArgumentTexts {
  argumentText(index: number): string;
}

const COUNT_PATTERN = /^[1-9]\d{0,8}$/;

/** Words before STREAMS, and how many arguments each takes with itself. */
const STREAM_OPTIONS = new Map([
  ["BLOCK", 2],
  ["COUNT", 2],
  ["CLAIM", 2],
  ["GROUP", 3],
  ["NOACK", 1],
]);

/** Options of SORT, and how many arguments come behind each. */
const SORT_OPTIONS = new Map([
  ["LIMIT", 2],
  ["BY", 1],
  ["GET", 1],
]);

/** Where the options begin. */
const OPTIONS_AT = new Map([
  ["GEORADIUS", 6],
  ["GEORADIUSBYMEMBER", 5],
]);

/**
 * Notes the indexes of the keys in `found`, in ascending order.
 *
 * @param command a row that has keys
 * @returns the words of the error reply if the request does not tell its keys; else ""
 */
export function findKeys(
  command: CommandRow,
  argumentCount: number,
  texts: ArgumentTexts,
  found: number[],
): string {
  found.length = 0;
  const { firstKey, lastKey, keyStep } = command;
  switch (command.keyRule) {
    case KeyRule.Counted:
      return addCounted(command, firstKey, argumentCount, texts, found);
    case KeyRule.StoredCounted:
      return addStored(command, argumentCount, texts, found);
    case KeyRule.Streams:
      return addStreams(command, argumentCount, texts, found);
    case KeyRule.Subcommand:
      return addOfSubcommand(command, argumentCount, texts, found);
    case KeyRule.StoreOption:
      return addOfStore(command, argumentCount, texts, found);
    default: {
      const last = lastKey < 0 ? argumentCount + lastKey : lastKey;
      for (let i = firstKey; i <= last && i < argumentCount; i += keyStep) found.push(i);
      return "";
    }
  }
}

function addStored(
  command: CommandRow,
  argumentCount: number,
  texts: ArgumentTexts,
  found: number[],
): string {
  const { firstKey } = command;
  found.push(firstKey);
  const refusal = addCounted(command, firstKey + 2, argumentCount, texts, found);
  if (refusal !== "") found.length = 0;
  return refusal;
}

/** The keys from `first` on, of which the argument before tells the number. */
function addCounted(
  command: CommandRow,
  first: number,
  argumentCount: number,
  texts: ArgumentTexts,
  found: number[],
): string {
  const text = first - 1 < argumentCount ? texts.argumentText(first - 1) : "";
  if (!COUNT_PATTERN.test(text)) return noKeysWords(command);
  const end = first + Number(text) * command.keyStep;
  if (end > argumentCount) return "ERR Number of keys can't be greater than number of args";
  for (let i = first; i < end; i += command.keyStep) found.push(i);
  return "";
}

/** SORT key [BY pattern] ... [STORE destination], GEORADIUS key ... [STORE destination] */
function addOfStore(
  command: CommandRow,
  argumentCount: number,
  texts: ArgumentTexts,
  found: number[],
): string {
  let destination = -1;
  for (let at = OPTIONS_AT.get(command.name) ?? 2; at + 1 < argumentCount; at++) {
    const word = texts.argumentText(at).toUpperCase();
    if (word === "STORE" || word === "STOREDIST") destination = ++at;
    else at += SORT_OPTIONS.get(word) ?? 0;
  }
  found.push(command.firstKey);
  if (destination >= 0) found.push(destination);
  return "";
}

/** What is said if the first key cannot decide, because there is none. */
export function noKeysWords(command: CommandRow): string {
  return (
    `ERR '${command.name.toLowerCase()}' needs the number of its keys, at least 1: the first key ` +
    "decides which server runs it"
  );
}

function addStreams(
  command: CommandRow,
  argumentCount: number,
  texts: ArgumentTexts,
  found: number[],
): string {
  const name = command.name.toLowerCase();
  let at = command.firstKey;
  while (at < argumentCount) {
    const word = texts.argumentText(at).toUpperCase();
    if (word === "STREAMS") break;
    const size = STREAM_OPTIONS.get(word);
    if (size === undefined) return "ERR syntax error";
    at += size;
  }
  const count = (argumentCount - at - 1) / 2;
  if (count < 1) return "ERR syntax error";
  if (!Number.isInteger(count)) {
    return (
      `ERR Unbalanced '${name}' list of streams: for each stream key an ID, '+', '>', or '$' ` +
      "must be specified."
    );
  }
  for (let i = 1; i <= count; i++) found.push(at + i);
  return "";
}

function addOfSubcommand(
  command: CommandRow,
  argumentCount: number,
  texts: ArgumentTexts,
  found: number[],
): string {
  const name = command.name.toLowerCase();
  const word = texts.argumentText(1);
  if (word.toUpperCase() !== command.subcommand) {
    return (
      `ERR ${quoteText(`${name} ${word}`)} is not supported by this proxy: ${command.refusal}; ` +
      `only ${command.name} ${command.subcommand} has a key that tells its server`
    );
  }
  if (argumentCount <= command.firstKey) {
    const subcommand = command.subcommand.toLowerCase();
    return `ERR wrong number of arguments for '${name}|${subcommand}' command`;
  }
  found.push(command.firstKey);
  return "";
}
