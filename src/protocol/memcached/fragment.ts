/**
 * get, gets, gat and gats of many keys -> one request per server.
 *
 *   gat 60 a b c   ->   gat 60 a c CR LF     (server 0)
 *                       gat 60 b CR LF       (server 1)
 *
 * The text of a fragment is canonical, with the blank before the line end that nutcracker writes.
 *
 *   ma k N0 q      ->   me k CR LF           (is it there?)
 *                       ma k N0 CR LF        (both to the same server)
 */
import type { ByteChain } from "../../lib/byte-chain.ts";
import { ascii, CR, LF, SPACE } from "../../lib/bytes.ts";
import type { MessageBytes } from "../../lib/message-bytes.ts";
import type { SplitRequest } from "../split-request.ts";
import { CoalesceAs } from "./commands.ts";
import { writeForward } from "./forward.ts";
import type { MemcachedRequestParser } from "./request-parser.ts";

const BLANK = Buffer.of(SPACE);
const LINE_END = Buffer.of(CR, LF);

/** Asks whether a key is there, without using or holding it. */
const PROBE_START = ascii("me ");
const PROBE_END = ascii("\r\n");
const PROBE_END_BASE64 = ascii(" b\r\n");

export function writeFragment(
  parser: MemcachedRequestParser,
  message: MessageBytes,
  request: SplitRequest,
  group: number,
  target: ByteChain,
): void {
  if (parser.isProbed) {
    request.coalesceAs = CoalesceAs.Probed;
    if (group === 0) writeProbe(parser, message, target);
    else writeForward(parser, message, target);
    return;
  }
  const { command, spans, wordCount } = parser;
  const { firstKey } = command;
  const end = request.groupStart[group + 1]!;
  request.coalesceAs = CoalesceAs.Values;
  for (let word = 0; word < firstKey; word++) writeWord(spans, word, message, target);
  for (let i = request.groupStart[group]!; i < end; i++) {
    const word = firstKey + request.keyOrder[i]!;
    if (word < wordCount - 1) {
      // A key before the last has a blank behind it.
      message.copyRange(spans[2 * word]!, spans[2 * word + 1]! + 1, target);
    } else {
      writeWord(spans, word, message, target);
    }
  }
  target.append(LINE_END, 0, LINE_END.length);
}

function writeProbe(
  parser: MemcachedRequestParser,
  message: MessageBytes,
  target: ByteChain,
): void {
  const end = parser.decodedKey === null ? PROBE_END : PROBE_END_BASE64;
  target.append(PROBE_START, 0, PROBE_START.length);
  message.copyRange(parser.keyOffset(0), parser.keyLength(0), target);
  target.append(end, 0, end.length);
}

function writeWord(
  spans: Int32Array,
  word: number,
  message: MessageBytes,
  target: ByteChain,
): void {
  message.copyRange(spans[2 * word]!, spans[2 * word + 1]!, target);
  target.append(BLANK, 0, 1);
}
