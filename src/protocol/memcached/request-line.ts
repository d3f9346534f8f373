/**
 * One line of a request: its words, the command they make, and how it is to be forwarded.
 *
 *   "set key 0 0 5 noreply"  ->  words, row of `set`, a block of 5 bytes, silent, and one edit:
 *                                the server is not to read " noreply"
 *
 * Each request that is forwarded has exactly one reply, whatever the client asked for: noreply and
 * the q flag are cut out, and a line that the server would refuse with its block unread is refused
 * here. Does not know where a line or a block ends (request-parser.ts).
 */
import { ascii, CASE_BIT, CR, equalBytes, LF, SPACE } from "../../lib/bytes.ts";
import { Route } from "../protocol.ts";
import { NO_BYTES } from "../request.ts";
import type { CommandRow } from "./commands.ts";
import { findCommand, KEYS_MAX, Quiet, UNKNOWN_COMMAND } from "./commands.ts";
import {
  decodeKey,
  FLAG_BASE64,
  FLAG_MODE,
  FLAG_QUIET,
  FLAG_VIVIFY,
  META_WORDS_MAX,
  MODE_APPEND,
  MODE_PREPEND,
} from "./meta.ts";
import { canonicalNumber, NumberKind, plainNumber } from "./numbers.ts";

/** As memcached. */
export const KEY_BYTES_MAX = 250;
/** As memcached's largest -I. */
export const VALUE_BYTES_MAX = 1024 * 1024 * 1024;
/** A line that is not all keys; a longer one ends the connection. */
export const LINE_BYTES_MAX = 16 * 1024;
/** memcached may close a connection on a longer line, unless it begins with get or gets. */
export const FORWARDED_LINE_BYTES_MAX = 2048;

/** What a line of gat has beside its keys: "gats ", a number, CR LF. */
const TOUCH_LINE_BYTES = 32;
const EXPTIME_BYTES_MAX = 20;
/** Words whose places are noted: the most keys and what stands before them. */
const WORDS_MAX = KEYS_MAX + 3;
/** Room for places of words that is kept after a line with many. */
const SPANS_KEPT = 8192;
const NOREPLY = ascii("noreply");
const HTTP_VERSION = ascii("HTTP/");

/** What is wrong with bytes that are no request; replies.ts has the words. */
export const FramingError = {
  None: 0,
  BinaryProtocol: 1,
  HttpRequest: 2,
  LineTooLong: 3,
  TooManyKeys: 4,
  ValueTooLarge: 5,
} as const;
export type FramingError = (typeof FramingError)[keyof typeof FramingError];

/** Why a request is not routed; replies.ts has the words. */
export const Refusal = {
  None: 0,
  /** Unknown, or not with so many words. */
  Error: 1,
  /** memcached's word for most that is wrong with a line. */
  BadFormat: 2,
  BadBlock: 3,
  TooManyFlags: 4,
  /** The q flag came twice. Cut out once, the other would make the server silent. */
  DuplicateFlag: 5,
  BadExptime: 6,
  LineTooLong: 7,
  /** gat without keys, which finds nothing. */
  NoKeys: 8,
  /** memcached would make an item whose key, told later as it is, breaks a reply in two. */
  LineEndInKey: 9,
  /** Its row says why. */
  Command: 10,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** The numbers of a storage command, from word 2 on. */
const STORE_NUMBERS = [
  NumberKind.Flags,
  NumberKind.Exptime,
  NumberKind.Size,
  NumberKind.Unique,
] as const;

export class RequestLine {
  command: CommandRow = UNKNOWN_COMMAND;
  refusal: Refusal = Refusal.None;
  error: FramingError = FramingError.None;
  /** The client wants no reply. */
  isSilent = false;
  replyFilter: Quiet = Quiet.None;
  /** A key in base64, decoded, until the next line; else null. */
  decodedKey: Buffer | null = null;
  /** A quiet ma that may make the key: its reply is hidden only if the key was there before. */
  isProbed = false;
  fragmentKeysMax = Infinity;
  /** Bytes of the data block; -1 = there is none. */
  blockSize = -1;

  /** Offset and length of word i at 2i and 2i + 1. */
  spans = new Int32Array(64);
  wordCount = 0;
  private hasZeroByte = false;

  /** What the server is to read instead of bytes [2i, 2i + 1) is editTexts[i]; in order. */
  readonly edits = new Int32Array(16);
  readonly editTexts: string[] = [];
  editCount = 0;

  /** The bytes of the line being read: they begin at `start`. */
  private bytes: Buffer = NO_BYTES;
  private start = 0;

  /**
   * Notes the words of the line that begins at `start`.
   * @returns index after its LF, or -1 if that is not among the bytes up to `end`
   */
  protected splitLine(bytes: Buffer, start: number, end: number): number {
    let at = start;
    let wordStart = start;
    this.wordCount = 0;
    this.hasZeroByte = false;
    for (;;) {
      while (at < end && bytes[at]! > SPACE) at++;
      if (at === end) return -1;
      const byte = bytes[at]!;
      if (byte === LF) {
        const wordEnd = at > start + 1 && bytes[at - 1] === CR ? at - 1 : at;
        if (wordEnd > wordStart) this.note(wordStart - start, wordEnd - wordStart);
        return at + 1;
      }
      if (byte === SPACE) {
        if (at > wordStart) this.note(wordStart - start, at - wordStart);
        wordStart = at + 1;
      } else if (byte === 0) {
        this.hasZeroByte = true;
      }
      at++;
    }
  }

  /** Finds out what the words mean that `splitLine` noted, in a line of `sizeBytes`. */
  protected interpret(bytes: Buffer, start: number, sizeBytes: number): void {
    const { wordCount, spans } = this;
    this.bytes = bytes;
    this.start = start;
    this.refusal = Refusal.None;
    this.error = FramingError.None;
    this.isSilent = false;
    this.replyFilter = Quiet.None;
    this.decodedKey = null;
    this.isProbed = false;
    this.blockSize = -1;
    this.editCount = 0;
    const command = wordCount === 0 ? null : findCommand(bytes, start + spans[0]!, spans[1]!);
    this.command = command ?? UNKNOWN_COMMAND;
    const commandEnd = wordCount === 0 ? 0 : spans[0]! + spans[1]!;
    const isKeys = command?.route === Route.Keys && commandEnd <= LINE_BYTES_MAX;
    if (sizeBytes > LINE_BYTES_MAX && !isKeys) {
      this.error = FramingError.LineTooLong;
    } else if (command === null) {
      this.refuseUnknown();
    } else if (this.hasZeroByte) {
      // memcached ends the line there, as a text in C; other servers might not.
      this.refusal = Refusal.BadFormat;
    } else if (wordCount < command.wordsMin || wordCount > command.wordsMax) {
      this.refusal = Refusal.Error;
    } else if (command.route === Route.Keys) {
      this.readKeys(command, sizeBytes);
    } else {
      if (command.route === Route.Refuse) this.refusal = Refusal.Command;
      else if (command.flagsAt > 0) this.readMeta(command);
      else this.readPlain(command);
      if (sizeBytes > FORWARDED_LINE_BYTES_MAX) this.refuse(Refusal.LineTooLong);
    }
  }

  /** Gives back what a long line took. */
  protected forgetLine(): void {
    this.bytes = NO_BYTES;
    if (this.spans.length > SPANS_KEPT) this.spans = new Int32Array(64);
  }

  private refuseUnknown(): void {
    // A browser in a cross-protocol attack; memcached closes the connection, too.
    const last = this.wordCount - 1;
    if (last > 0 && this.wordStartsWith(last, HTTP_VERSION)) {
      this.error = FramingError.HttpRequest;
    } else {
      this.refusal = Refusal.Error;
    }
  }

  private readKeys(command: CommandRow, sizeBytes: number): void {
    const { wordCount, spans } = this;
    const { firstKey } = command;
    this.fragmentKeysMax = Infinity;
    if (wordCount - firstKey > KEYS_MAX) {
      this.error = FramingError.TooManyKeys;
      return;
    }
    let longest = 0;
    for (let word = firstKey; word < wordCount; word++) {
      const length = spans[2 * word + 1]!;
      if (length > longest) longest = length;
    }
    if (firstKey > 1) this.readTouch(longest);
    if (longest > KEY_BYTES_MAX) this.refuse(Refusal.BadFormat);
    if (wordCount === firstKey + 1 && sizeBytes > FORWARDED_LINE_BYTES_MAX) {
      this.refuse(Refusal.LineTooLong);
    }
  }

  /** gat: the first word is no key, and no fragment may be a long line. */
  private readTouch(longestKey: number): void {
    const isExptime = this.readNumber(1, NumberKind.Exptime, false) !== -1;
    if (!isExptime || this.spans[3]! > EXPTIME_BYTES_MAX) this.refuse(Refusal.BadExptime);
    else if (this.wordCount === 2) this.refuse(Refusal.NoKeys);
    const room = FORWARDED_LINE_BYTES_MAX - TOUCH_LINE_BYTES;
    this.fragmentKeysMax = Math.floor(room / (longestKey + 1));
  }

  private readPlain(command: CommandRow): void {
    const { wordCount } = this;
    const hasBlock = command.sizeAt > 0;
    this.isSilent = this.isNoreply(wordCount - 1);
    // memcached ignores a word too many before a block, whatever it says.
    const isCut = this.isSilent || (hasBlock && wordCount === command.wordsMax);
    const count = isCut ? wordCount - 1 : wordCount;
    if (this.isSilent && (count < command.wordsMin || this.isNoreply(count - 1))) {
      // It stands where something else should, which memcached refuses, and silently.
      this.refuse(Refusal.BadFormat);
    } else if (command.route === Route.Key && this.spans[3]! > KEY_BYTES_MAX) {
      this.refuse(Refusal.BadFormat);
    } else if (hasBlock) {
      for (let word = 2; word < count; word++) {
        const value = this.readNumber(word, STORE_NUMBERS[word - 2]!, true);
        if (value < 0) this.refuse(Refusal.BadFormat);
        if (word === command.sizeAt) this.blockSize = value;
      }
      this.checkBlock();
    }
    if (isCut) this.cut(wordCount - 1);
  }

  private readMeta(command: CommandRow): void {
    const { wordCount, spans } = this;
    const { flagsAt, quiet } = command;
    if (wordCount < flagsAt || spans[3]! > KEY_BYTES_MAX) {
      this.refuse(Refusal.BadFormat);
    } else if (quiet === Quiet.None) {
      // me takes b only, and only there.
      const isEncoded = wordCount > 2 && spans[5] === 1 && this.firstByte(2) === FLAG_BASE64;
      if (isEncoded) this.decode();
    } else if (wordCount > META_WORDS_MAX) {
      this.refuse(Refusal.TooManyFlags);
    } else {
      if (command.sizeAt > 0) {
        this.blockSize = this.readNumber(command.sizeAt, NumberKind.Size, true);
        if (this.blockSize < 0) this.refuse(Refusal.BadFormat);
        this.checkBlock();
      }
      this.readFlags(flagsAt, quiet);
    }
  }

  private readFlags(first: number, quiet: Quiet): void {
    let quietAt = 0;
    let isEncoded = false;
    let isVivified = false;
    // memcached makes such an item anew, and forgets that its key is to be told in base64.
    let isMadeAnew = quiet === Quiet.Arithmetic;
    for (let word = first; word < this.wordCount; word++) {
      const flag = this.firstByte(word);
      if (flag === FLAG_BASE64) isEncoded = true;
      if (flag === FLAG_VIVIFY) isVivified = isMadeAnew = true;
      if (flag === FLAG_MODE && this.isAppended(word)) isMadeAnew = true;
      if (flag !== FLAG_QUIET) continue;
      if (quietAt > 0) this.refuse(Refusal.DuplicateFlag);
      quietAt = word;
    }
    if (isEncoded) this.decode();
    if (isMadeAnew && this.decodedKey?.includes(LF)) this.refuse(Refusal.LineEndInKey);
    if (quietAt === 0) return;
    this.cut(quietAt);
    this.replyFilter = quiet;
    this.isProbed = isVivified && quiet === Quiet.Arithmetic;
    if (this.isProbed) this.fragmentKeysMax = 1;
  }

  /** True if the word that is an M flag means to append or prepend. */
  private isAppended(word: number): boolean {
    const mode = this.bytes[this.start + this.spans[2 * word]! + 1]! | CASE_BIT;
    return mode === MODE_APPEND || mode === MODE_PREPEND;
  }

  private decode(): void {
    const keyStart = this.start + this.spans[2]!;
    const key = decodeKey(this.bytes, keyStart, keyStart + this.spans[3]!);
    // What cannot be decoded is refused by whichever server it goes to.
    if (key.length > 0) this.decodedKey = key;
  }

  /** A block is read only if the server would read it. */
  private checkBlock(): void {
    if (this.refusal !== Refusal.None) this.blockSize = -1;
    else if (this.blockSize > VALUE_BYTES_MAX) this.error = FramingError.ValueTooLarge;
  }

  /**
   * The number that word `word` is (without its sign), or -1 if it is none.
   * @param isForwarded the server is to read it in its plain form
   */
  private readNumber(word: number, kind: NumberKind, isForwarded: boolean): number {
    const wordStart = this.spans[2 * word]!;
    const wordEnd = wordStart + this.spans[2 * word + 1]!;
    const { bytes, start } = this;
    const plain = plainNumber(kind, bytes, start + wordStart, start + wordEnd);
    if (plain >= 0) return plain;
    const text = bytes.toString("latin1", start + wordStart, start + wordEnd);
    const number = canonicalNumber(kind, text);
    if (number === null) return -1;
    if (isForwarded) this.edit(wordStart, wordEnd, number);
    return Math.abs(Number(number));
  }

  /** The first refusal is the one that counts. */
  private refuse(refusal: Refusal): void {
    this.refusal ||= refusal;
  }

  private note(offset: number, length: number): void {
    const at = 2 * this.wordCount++;
    if (this.wordCount > WORDS_MAX) return;
    if (at >= this.spans.length) {
      const spans = new Int32Array(this.spans.length * 2);
      spans.set(this.spans);
      this.spans = spans;
    }
    this.spans[at] = offset;
    this.spans[at + 1] = length;
  }

  private firstByte(word: number): number {
    return this.bytes[this.start + this.spans[2 * word]!]!;
  }

  private wordStartsWith(word: number, text: Buffer): boolean {
    const at = this.start + this.spans[2 * word]!;
    if (this.spans[2 * word + 1]! < text.length) return false;
    return equalBytes(this.bytes, at, at + text.length, text, 0, text.length);
  }

  /** True if word `word` is a noreply that the command takes. */
  private isNoreply(word: number): boolean {
    const { noreplyFrom } = this.command;
    if (noreplyFrom === 0 || word < noreplyFrom) return false;
    return this.spans[2 * word + 1] === NOREPLY.length && this.wordStartsWith(word, NOREPLY);
  }

  /** The server is not to read this word, nor the blanks before it. */
  private cut(word: number): void {
    const before = 2 * (word - 1);
    const wordEnd = this.spans[2 * word]! + this.spans[2 * word + 1]!;
    let from = this.spans[before]! + this.spans[before + 1]!;
    // Without a blank behind it a CR would be part of the line end, and no longer of its word.
    if (this.bytes[this.start + from - 1] === CR) from++;
    this.edit(from, wordEnd, "");
  }

  private edit(start: number, end: number, text: string): void {
    const index = this.editCount++;
    this.edits[2 * index] = start;
    this.edits[2 * index + 1] = end;
    this.editTexts[index] = text;
  }
}
