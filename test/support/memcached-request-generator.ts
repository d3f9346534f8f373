/**
 * Makes memcached requests at random and repeatably: meta commands, and those of old.
 *
 * Keys are few, so that commands meet what others left; some are binary, in base64, or too long.
 * Most requests are well formed; `mistakes` says how many are not.
 */
import type { SeededRandom } from "./seeded-random.ts";

export interface GeneratorOptions {
  readonly random: SeededRandom;
  /** Starts every key, so that several connections do not meet. */
  readonly namespace: string;
  /** The share of requests with something wrong in them. */
  readonly mistakes: number;
  /**
   * Leaves out what tells of the inside of an item, and counts under keys that nothing else reads:
   * whether memcached counts in place or makes the item anew hangs on replies that are not yet
   * written, so pipelines may differ there.
   */
  readonly isPipelined?: boolean;
}

const NAMES = ["mg", "mg", "mg", "ms", "ms", "md", "ma", "ma", "me", "mn"];
const META_KEYS = 12;
/** Times to live that do not run out while a test runs. */
const SECONDS = [0, 0, 3000, 86_400, -1];

/** The flags of each meta command, with "#" for a number and "$" for a time to live. */
const META_FLAGS: Readonly<Record<string, readonly string[]>> = {
  mg: [
    "v",
    "v",
    "k",
    "s",
    "f",
    "t",
    "c",
    "u",
    "O",
    "q",
    "q",
    "T$",
    "N$",
    "R10",
    "R50000",
    "h",
    "P1",
    "L2",
  ],
  ms: ["T$", "F#", "I", "k", "c", "O", "q", "q", "C#", "MS", "ME", "MA", "MP", "MR"],
  md: ["k", "O", "q", "q", "I", "T$", "C#"],
  ma: ["N$", "v", "k", "c", "t", "O", "q", "q", "J#", "D#", "M+", "M-", "MI", "MD", "T$", "C#"],
  me: ["k", "q", "O"],
};

/** Flags that set or show what is inside of an item. */
const INSIDE: Readonly<Record<string, RegExp>> = {
  mg: /^[hcktNR]/,
  ms: /^[IcC]/,
  md: /^[IC]/,
};

/** Words that no command takes, or only half. */
const ODD_FLAGS = [
  "!",
  "é",
  "Zz",
  "T",
  "Tx",
  "F-1",
  "M",
  "Mx",
  "Mset",
  "C",
  "J-",
  "Ox".repeat(20),
  "D99x",
];

/** No reply may hang on the tick of a server's clock: R asks for other times than T and N give. */
export function withoutClock(reply: string): string {
  return reply
    .replace(/(?<= t)\d\d+(?=[ \r])/, (left) => String(Math.round(Number(left) / 100) * 100))
    .replace(/exp=-?\d\d+ la=\d+/, "exp=later la=now")
    .replace(/ la=\d+ /, " la=now ");
}

const ODD_SIZES = ["", "-1", "x", "5x", "S5", "99999999999999999999"];

export class MemcachedRequestGenerator {
  readonly #random: SeededRandom;
  readonly #namespace: string;
  readonly #mistakes: number;
  readonly #isPipelined: boolean;
  readonly #names: readonly string[];

  constructor(options: GeneratorOptions) {
    this.#random = options.random;
    this.#namespace = options.namespace;
    this.#mistakes = options.mistakes;
    this.#isPipelined = options.isPipelined ?? false;
    this.#names = NAMES.filter((name) => name !== "me" || !this.#isPipelined);
  }

  /** A request of mg, ms, md, ma, me or mn, as latin1 text. */
  meta(): string {
    const random = this.#random;
    const name = random.pick(this.#names);
    const end = random.chance(0.05) ? "\n" : "\r\n";
    if (name === "mn") return `mn${random.chance(0.1) ? " x" : ""}${end}`;
    const isEncoded = random.chance(0.15);
    const start = this.#namespace + (name === "ma" && this.#isPipelined ? "count" : "");
    const words = [name, this.#metaKey(start, isEncoded)];
    const value = name === "ms" ? this.#value() : null;
    if (value !== null) words.push(this.#size(value));
    const flags = this.#flags(name);
    // me knows no flag but b, and that only in the first place.
    if (isEncoded) flags.splice(name === "me" ? 0 : random.integer(flags.length + 1), 0, "b");
    words.push(...flags);
    if (this.#isWrong()) words.length = random.between(1, words.length);
    const line = words.join(random.chance(0.05) ? "  " : " ");
    if (value === null) return line + end;
    return `${line}${end}${value}${this.#isWrong() && !hasBadFlags(flags) ? "x" : ""}\r\n`;
  }

  #flags(name: string): string[] {
    const random = this.#random;
    const all = META_FLAGS[name] as readonly string[];
    const known = random.shuffle(
      this.#isPipelined ? all.filter((flag) => !INSIDE[name]?.test(flag)) : all,
    );
    const chosen = known.slice(0, random.integer(name === "me" ? 2 : 6)).map((flag) => {
      if (flag === "O") return `O${random.integer(1000)}`;
      if (flag.endsWith("#")) return flag.replace("#", String(random.integer(30)));
      return flag.replace("$", String(random.pick(SECONDS)));
    });
    const first = (flag: string) => flag[0];
    // A flag may come once; twice is a mistake of its own.
    const flags = chosen.filter((flag, i) => chosen.findIndex((f) => f[0] === first(flag)) === i);
    if (this.#isWrong()) flags.push(random.pick([...ODD_FLAGS, ...flags]));
    if (this.#isWrong() && random.chance(0.1)) {
      flags.push(..."LPhlkstcfuvIRN".split(""), ..."LPhlks".split(""));
    }
    return flags;
  }

  #metaKey(start: string, isEncoded: boolean): string {
    const random = this.#random;
    if (this.#isWrong() && random.chance(0.3)) return "k".repeat(random.between(251, 400));
    if (random.chance(0.02)) return start.padEnd(250 - (isEncoded ? 2 : 0), "k");
    if (!isEncoded) return `${start}${random.integer(META_KEYS)}`;
    const binary = Buffer.from(`${start} \0\r\xff${random.integer(3)}`, "latin1");
    if (random.chance(0.5)) return binary.toString("base64");
    // The same item under its other name.
    return Buffer.from(`${start}${random.integer(META_KEYS)}`).toString("base64");
  }

  #size(value: string): string {
    if (this.#isWrong()) return this.#random.pick(ODD_SIZES);
    if (this.#random.chance(0.02)) return `+${value.length}`;
    return String(value.length);
  }

  #value(): string {
    const random = this.#random;
    const kind = random.integer(12);
    if (kind === 0) return "";
    if (kind === 1) return random.bytes(random.between(1, 60)).toString("latin1");
    // memcached may close on a block beyond 2 KB that it takes for a line.
    if (kind === 2) return "x".repeat(random.between(200, 1500));
    if (kind < 7) return String(random.integer(100_000));
    return `v${random.integer(1000)}`;
  }

  #isWrong(): boolean {
    return this.#random.chance(this.#mistakes);
  }
}

/** memcached looks at the flags before it looks at the end of the block. */
function hasBadFlags(flags: readonly string[]): boolean {
  return flags.some((flag) => ODD_FLAGS.includes(flag)) || new Set(flags).size < flags.length;
}
