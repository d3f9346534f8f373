/**
 * CLIENT: what a client says about itself, and what it may know and do about the other clients of
 * its pool. Clients of other pools are never shown nor touched.
 */
import type { ClientSession, Peer } from "../protocol.ts";
import * as replies from "./replies.ts";
import type { Subcommand } from "./subcommands.ts";
import { runSubcommand } from "./subcommands.ts";
import { encodeValue, Verbatim } from "./resp-values.ts";

const ANY = Infinity;
/** Printable and no blank, as Redis demands of what it shows in a list. */
const NAME_PATTERN = /^[!-~]*$/;
const ID_PATTERN = /^[1-9]\d*$/;
const NO_STATE = "it is a state of a connection, and connections to servers are shared";
const ALL_CLIENTS = "it concerns the clients of one server: connect to that server itself";

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ["ID", [2, 2, (_, session) => encodeValue(session.identity.id, session.protocolVersion)]],
  ["INFO", [2, 2, (_, session) => text(`${describe(session)}\n`, session)]],
  ["LIST", [2, ANY, listReply]],
  ["KILL", [3, ANY, killReply]],
  ["GETNAME", [2, 2, (_, session) => nameReply(session)]],
  ["SETNAME", [3, 3, setNameReply]],
  ["SETINFO", [4, 4, setInfoReply]],
  ["REPLY", [3, 3, replyReply]],
  ["NO-EVICT", [3, 3, switchReply]],
  ["NO-TOUCH", [3, 3, switchReply]],
  ["UNBLOCK", [3, 4, unblockReply]],
  // Nobody can be tracked or paused here.
  ["GETREDIR", [2, 2, (_, session) => encodeValue(-1, session.protocolVersion)]],
  ["TRACKING", NO_STATE],
  ["TRACKINGINFO", NO_STATE],
  ["CACHING", NO_STATE],
  ["PAUSE", ALL_CLIENTS],
  ["UNPAUSE", ALL_CLIENTS],
]);

export function clientReply(words: readonly string[], session: ClientSession): Buffer {
  return runSubcommand(SUBCOMMANDS, words, session);
}

/** True if the reply to this subcommand is about other clients, too. */
export function isAboutPeers(subcommand: string): boolean {
  return /^(list|kill|unblock)$/i.test(subcommand);
}

/** Gives the client a name. @returns null, or the error reply */
export function takeName(name: string, session: ClientSession): Buffer | null {
  if (!NAME_PATTERN.test(name)) {
    return replies.errorReply(
      "ERR Client names cannot contain spaces, newlines or special characters.",
    );
  }
  session.identity.name = name;
  return null;
}

function nameReply(session: ClientSession): Buffer {
  const { name } = session.identity;
  return encodeValue(name === "" ? null : name, session.protocolVersion);
}

function setNameReply(words: readonly string[], session: ClientSession): Buffer {
  return takeName(words[2]!, session) ?? replies.OK;
}

function setInfoReply(words: readonly string[], session: ClientSession): Buffer {
  const option = words[2]!.toLowerCase();
  const value = words[3]!;
  if (option !== "lib-name" && option !== "lib-ver") {
    return replies.errorReply(`ERR Unrecognized option ${replies.quoteText(words[2]!)}`);
  }
  if (!NAME_PATTERN.test(value)) {
    return replies.errorReply(
      `ERR ${option} cannot contain spaces, newlines or special characters.`,
    );
  }
  if (option === "lib-name") session.identity.libraryName = value;
  else session.identity.libraryVersion = value;
  return replies.OK;
}

/** ON is answered; OFF is not, nor is SKIP, which hides the reply after its own, too. */
function replyReply(words: readonly string[], session: ClientSession): Buffer {
  switch (words[2]!.toUpperCase()) {
    case "ON":
      session.hiddenReplies = 0;
      return replies.OK;
    case "OFF":
      session.hiddenReplies = Infinity;
      return replies.OK;
    case "SKIP":
      session.hiddenReplies = Math.max(session.hiddenReplies, 2);
      return replies.OK;
    default:
      return replies.SYNTAX_ERROR;
  }
}

function switchReply(words: readonly string[]): Buffer {
  return /^(on|off)$/i.test(words[2]!) ? replies.OK : replies.SYNTAX_ERROR;
}

function text(value: string, session: ClientSession): Buffer {
  return encodeValue(new Verbatim(value), session.protocolVersion);
}

/** One line of CLIENT LIST, in the order of Redis' fields. */
function describe(peer: Peer): string {
  const { identity } = peer;
  return [
    `id=${identity.id}`,
    `addr=${identity.address}`,
    `laddr=${identity.localAddress}`,
    `name=${identity.name}`,
    `age=${identity.ageSeconds}`,
    `flags=${peer.isBlocked ? "b" : "N"}`,
    `db=${peer.database}`,
    "sub=0 psub=0 ssub=0 multi=-1 watch=0",
    "user=default redir=-1",
    `resp=${peer.protocolVersion}`,
    `lib-name=${identity.libraryName}`,
    `lib-ver=${identity.libraryVersion}`,
  ].join(" ");
}

/** CLIENT LIST [TYPE type] [ID id ...] */
function listReply(words: readonly string[], session: ClientSession): Buffer {
  let found = [...session.peers()];
  const option = words[2]?.toUpperCase();
  if (option === "ID" && words.length > 3) {
    const isWrong = words.slice(3).some((word) => !ID_PATTERN.test(word));
    if (isWrong) return replies.errorReply("ERR Invalid client ID");
    const ids = new Set(words.slice(3).map(Number));
    found = found.filter((peer) => ids.has(peer.identity.id));
  } else if (option === "TYPE" && words.length === 4) {
    if (!isClientType(words[3]!)) return unknownType(words[3]!);
    if (words[3]!.toLowerCase() !== "normal") found = [];
  } else if (option !== undefined) {
    return replies.SYNTAX_ERROR;
  }
  found.sort((a, b) => a.identity.id - b.identity.id);
  return text(found.map((peer) => `${describe(peer)}\n`).join(""), session);
}

function isClientType(word: string): boolean {
  return /^(normal|master|slave|replica|pubsub)$/i.test(word);
}

/** CLIENT UNBLOCK id [TIMEOUT|ERROR] */
function unblockReply(words: readonly string[], session: ClientSession): Buffer {
  const how = (words[3] ?? "TIMEOUT").toUpperCase();
  if (how !== "TIMEOUT" && how !== "ERROR") {
    return replies.errorReply("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  if (!/^-?\d+$/.test(words[2]!)) return replies.NOT_AN_INTEGER;
  const found = [...session.peers()].find((peer) => peer.identity.id === +words[2]!);
  const error = how === "ERROR" ? replies.UNBLOCKED : null;
  return encodeValue(found?.unblock(error) ? 1 : 0, session.protocolVersion);
}

function unknownType(word: string): Buffer {
  return replies.errorReply(`ERR Unknown client type ${replies.quoteText(word)}`);
}

type Filter = (peer: Peer) => boolean;

/** What CLIENT KILL can choose by: a word and its value -> who is meant; null: a wrong value. */
const KILL_FILTERS: ReadonlyMap<string, (value: string) => Filter | null> = new Map([
  ["ID", (value) => (ID_PATTERN.test(value) ? (peer) => peer.identity.id === +value : null)],
  ["ADDR", (value) => (peer) => peer.identity.address === value],
  ["LADDR", (value) => (peer) => peer.identity.localAddress === value],
  ["USER", (value) => (value === "default" ? () => true : null)],
  ["TYPE", (value) => (isClientType(value) ? () => value.toLowerCase() === "normal" : null)],
  [
    "MAXAGE",
    (value) => (/^\d+$/.test(value) ? (peer) => peer.identity.ageSeconds >= +value : null),
  ],
]);

/** CLIENT KILL address, or CLIENT KILL [ID id] [ADDR address] ... [SKIPME yes|no] */
function killReply(words: readonly string[], session: ClientSession): Buffer {
  if (words.length === 3) {
    const killed = kill([(peer) => peer.identity.address === words[2]], session, false);
    return killed > 0 ? replies.OK : replies.errorReply("ERR No such client");
  }
  const filters: Filter[] = [];
  let skipsMe = true;
  for (let i = 2; i < words.length; i += 2) {
    const value = words[i + 1];
    const option = words[i]!.toUpperCase();
    if (value === undefined) return replies.SYNTAX_ERROR;
    if (option === "SKIPME" && /^(yes|no)$/i.test(value)) {
      skipsMe = value.toLowerCase() === "yes";
      continue;
    }
    const filter = KILL_FILTERS.get(option)?.(value);
    if (filter === undefined) return replies.SYNTAX_ERROR;
    if (filter === null) {
      if (option === "TYPE") return unknownType(value);
      return option === "USER"
        ? replies.errorReply(`ERR No such user ${replies.quoteText(value)}`)
        : replies.errorReply(`ERR ${option} must be a number greater than 0`);
    }
    filters.push(filter);
  }
  return encodeValue(kill(filters, session, skipsMe), session.protocolVersion);
}

/** Closes those who pass all filters; the asking client after its reply. @returns how many */
function kill(filters: readonly Filter[], session: ClientSession, skipsMe: boolean): number {
  const found = [...session.peers()].filter(
    (peer) => !(skipsMe && peer === session) && filters.every((filter) => filter(peer)),
  );
  for (const peer of found) {
    if (peer === session) session.isQuitting = true;
    else peer.terminate();
  }
  return found.length;
}
