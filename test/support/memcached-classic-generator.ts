/**
 * Makes requests with memcached's commands of old, at random and repeatably: all of them as
 * nutcracker takes them, or some with mistakes, as only memcached itself answers them.
 */
import type { SeededRandom } from "./seeded-random.ts";

export interface ClassicRequest {
  /** As latin1 text. */
  readonly text: string;
  /** It has a good noreply. */
  readonly isSilent: boolean;
}

export interface ClassicOptions {
  readonly random: SeededRandom;
  /** Starts every key, so that several connections do not meet. */
  readonly namespace: string;
  /** The share of requests with something wrong in them; 0 = what nutcracker takes. */
  readonly mistakes: number;
}

const KEYS = 20;
const STORES = ["set", "set", "set", "add", "replace", "append", "prepend"];
const NAMES = [...STORES, "cas", "get", "get", "get", "gets", "incr", "decr", "delete", "touch"];
const YOUNG_NAMES = ["gat", "gats"];

const ODD_WORDS = ["", "x", "-1", "+3", "\t4", "5\tx", "4294967298", "99999999999999999999", "1.5"];
/** Longer than any odd word says, so that no server waits for more. */
const BLOCK_OF_MISTAKES = "sixsix";

const ODD_LINES = [
  "",
  " ",
  "x",
  "nosuch key 1",
  "GET a",
  "set",
  "get",
  "gat 10",
  "gat x",
  "flush_all now",
  "flush_all noreply noreply",
  "verbosity",
  "verbosity x",
  "delete k noreply noreply",
  "incr k noreply",
];

export class ClassicGenerator {
  readonly #random: SeededRandom;
  readonly #namespace: string;
  readonly #mistakes: number;

  constructor(options: ClassicOptions) {
    this.#random = options.random;
    this.#namespace = options.namespace;
    this.#mistakes = options.mistakes;
  }

  next(): ClassicRequest {
    const random = this.#random;
    const names = this.#mistakes > 0 ? [...NAMES, ...YOUNG_NAMES] : NAMES;
    const name = random.pick(names);
    const isStore = STORES.includes(name) || name === "cas";
    const isWrong = random.chance(this.#mistakes);
    const value = !isStore ? null : isWrong ? BLOCK_OF_MISTAKES : this.#value();
    const words = [name, ...this.#operands(name, value?.length ?? 0, isWrong)];
    const canBeSilent = !name.startsWith("get") && !name.startsWith("gat");
    const isSilent = canBeSilent && random.chance(0.15);
    if (isSilent) words.push("noreply");
    if (isWrong) return { text: this.#wrong(words, value), isSilent: false };
    const blank = random.chance(0.05) ? "  " : " ";
    const line = `${random.chance(0.05) ? " " : ""}${words.join(blank)}`;
    return { text: `${line}\r\n${value === null ? "" : `${value}\r\n`}`, isSilent };
  }

  #operands(name: string, sizeBytes: number, isWrong: boolean): string[] {
    const random = this.#random;
    if (name === "get" || name === "gets") return this.#keys();
    if (name === "gat" || name === "gats") return [String(this.#exptime()), ...this.#keys()];
    if (name === "delete") return [this.#key()];
    if (name === "touch") return [this.#key(), String(this.#exptime())];
    if (name === "incr" || name === "decr") {
      return [this.#key(), String(random.pick([1, 2, 10, 4_294_967_296]))];
    }
    if (isWrong)
      return [this.#key(), "1", "0", String(sizeBytes), ...(name === "cas" ? ["9"] : [])];
    const flags = random.pick([0, 0, 1, 65_535, 4_294_967_295]);
    const operands = [this.#key(), String(flags), String(this.#exptime()), String(sizeBytes)];
    return name === "cas" ? [...operands, String(random.between(1, 60))] : operands;
  }

  /** The same line with a word changed, added or left out, or another block than announced. */
  #wrong(words: readonly string[], value: string | null): string {
    const random = this.#random;
    const changed = [...words];
    const at = random.integer(words.length);
    const kind = random.integer(6);
    if (kind === 0) return `${random.pick(ODD_LINES)}\r\n`;
    if (kind === 1) changed.splice(at, 1);
    if (kind === 2) changed.splice(at, 0, random.pick(["noreply", "0", "x", this.#key()]));
    if (kind === 3) changed[at] = random.pick(ODD_WORDS);
    if (kind === 4) changed[1] = "k".repeat(random.between(251, 600));
    const block = value === null ? "" : `${value}${kind === 5 ? "xx" : ""}\r\n`;
    return `${changed.join(" ")}${random.chance(0.2) ? "\n" : "\r\n"}${block}`;
  }

  #keys(): string[] {
    const count = this.#random.pick([1, 1, 2, 3, 5, 12]);
    return Array.from({ length: count }, () => this.#key());
  }

  #key(): string {
    const random = this.#random;
    if (random.chance(0.02)) return `${this.#namespace}${"k".repeat(250)}`.slice(0, 250);
    if (random.chance(0.03)) return `${this.#namespace}\t\xff\x01${random.integer(2)}`;
    return `${this.#namespace}${random.integer(KEYS)}`;
  }

  /** Far from now, so that nothing expires while a test runs, but for what does so at once. */
  #exptime(): number {
    if (this.#mistakes > 0 && this.#random.chance(0.1)) return -1;
    return this.#random.pick([0, 0, 0, 3600, 2_000_000, 4_000_000_000]);
  }

  #value(): string {
    const random = this.#random;
    const kind = random.integer(12);
    if (kind === 0) return "";
    if (kind === 1) return random.bytes(random.between(1, 60)).toString("latin1");
    if (kind === 2) return "x".repeat(random.between(200, 3000));
    if (kind === 3 && random.chance(0.1)) return "y".repeat(random.between(15_000, 100_000));
    if (kind < 8) return String(random.integer(100_000));
    return `v${random.integer(1000)}`;
  }
}
