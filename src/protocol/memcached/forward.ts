/**
 * A request as its server is to read it, where that is not as it came: without noreply or the q
 * flag, and with numbers in their plain form.
 *
 *   set k 0 0 +5 noreply CR LF hello CR LF   ->   set k 0 0 5 CR LF hello CR LF
 */
import type { ByteChain } from "../../lib/byte-chain.ts";
import { ascii } from "../../lib/bytes.ts";
import type { MessageBytes } from "../../lib/message-bytes.ts";
import type { MemcachedRequestParser } from "./request-parser.ts";

export function writeForward(
  parser: MemcachedRequestParser,
  message: MessageBytes,
  target: ByteChain,
): void {
  const { edits, editTexts, editCount } = parser;
  let from = 0;
  for (let i = 0; i < editCount; i++) {
    message.copyRange(from, edits[2 * i]! - from, target);
    const text = editTexts[i]!;
    if (text !== "") target.append(ascii(text), 0, text.length);
    from = edits[2 * i + 1]!;
  }
  message.copyRange(from, message.sizeBytes - from, target);
}
