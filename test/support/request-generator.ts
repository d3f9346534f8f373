/**
 * Makes Redis requests from the forms of command-grammar.ts, at random and repeatable.
 *
 * Keys are few, so that commands meet what others left; some are of another type than the command
 * wants, some empty, binary, or missing. All keys of one request share a hash tag or have none.
 */
import { createHash } from "node:crypto";
import { COMMAND_FORMS } from "./command-grammar.ts";
import type { Form } from "./command-grammar.ts";
import type { Argument } from "./resp.ts";
import type { SeededRandom } from "./seeded-random.ts";

const TYPES = ["str", "num", "list", "hash", "set", "zset", "geo", "hll", "single"] as const;
type Type = (typeof TYPES)[number];

/** A set of one member must stay one: only SADD, SPOP and SRANDMEMBER use its keys. */
const ORDINARY_TYPES = TYPES.filter((type) => type !== "single");

const KEYS_PER_TYPE = 4;
/** Far away, so that nothing expires while a test runs. */
const SECONDS = [10_000, 123_456, 86_400_000];
const FUTURE_SECONDS = 7_258_118_400;

const SCRIPTS = [
  "return {KEYS[1], ARGV[1], 7, false}",
  "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])",
  "return redis.error_reply('MYERR of a script')",
  "return redis.call('INCR', KEYS[1])",
];

export interface GeneratorOptions {
  readonly random: SeededRandom;
  /** Starts every key, so that several connections do not meet. */
  readonly namespace: string;
  /** Values that RESTORE accepts: what DUMP of some keys answered. */
  readonly payloads: readonly Buffer[];
  readonly forms?: readonly Form[];
  /** Some keys are empty. False for all but one of several connections: it has no namespace. */
  readonly hasEmptyKey?: boolean;
}

export class RequestGenerator {
  readonly #random: SeededRandom;
  readonly #namespace: string;
  readonly #payloads: readonly Buffer[];
  readonly #forms: readonly Form[];
  readonly #hasEmptyKey: boolean;
  #tag = "";

  constructor(options: GeneratorOptions) {
    this.#random = options.random;
    this.#namespace = options.namespace;
    this.#payloads = options.payloads;
    this.#forms = options.forms ?? COMMAND_FORMS;
    this.#hasEmptyKey = options.hasEmptyKey ?? true;
  }

  /** A request of any form, its command word in any case. */
  next(): Argument[] {
    return this.of(this.#random.pick(this.#forms));
  }

  /** A request of this form. */
  of(form: Form): Argument[] {
    this.#tag = this.#random.pick(["", "{a}", "{b}"]);
    const args: Argument[] = [this.#spell(form.name)];
    this.#generate(form.words, args);
    return args;
  }

  #seconds(): number {
    return this.#random.pick([...SECONDS, this.#random.pick([0, -1, 500_000])]);
  }

  #spell(name: string): string {
    return this.#random.pick([
      name,
      name,
      name.toLowerCase(),
      name[0] + name.slice(1).toLowerCase(),
    ]);
  }

  #generate(words: readonly string[], args: Argument[]): void {
    for (let index = 0; index < words.length; index++) {
      const word = words[index] as string;
      let last = index;
      if (word.startsWith("(")) last = words.findIndex((w, at) => at > index && w.endsWith(")..."));
      const group = words.slice(index, last + 1).map((w) => w.replace(/^\(|\)?\.\.\.$/g, ""));
      const isRepeated = words[last]?.endsWith("...");
      for (let left = isRepeated ? this.#random.between(1, 3) : 1; left > 0; left--) {
        for (const part of group) args.push(this.#word(part));
      }
      index = last;
    }
  }

  #word(word: string): Argument {
    if (/[A-Z0-9]/.test(word)) return this.#random.pick(word.split("|"));
    if (word === "any") return this.#key(this.#random.pick(ORDINARY_TYPES));
    if ((TYPES as readonly string[]).includes(word)) return this.#key(word as Type);
    const make = this.#makers[word];
    if (make === undefined) throw new Error(`request-generator: no "${word}"`);
    return make();
  }

  #key(type: Type): Argument {
    const random = this.#random;
    const start = this.#tag + this.#namespace;
    if (type === "single") return `${start}single:${random.integer(KEYS_PER_TYPE)}`;
    if (random.chance(0.02) && this.#hasEmptyKey) return "";
    if (random.chance(0.03)) return Buffer.concat([Buffer.from(start), Buffer.of(0, 0xff, 13, 10)]);
    if (random.chance(0.03)) return `${start}missing`;
    const chosen = random.chance(0.07) ? random.pick(ORDINARY_TYPES) : type;
    return `${start}${chosen}:${random.integer(KEYS_PER_TYPE)}`;
  }

  #value(): Argument {
    const random = this.#random;
    const kind = random.integer(20);
    if (kind === 0) return "";
    if (kind === 1) return random.bytes(random.between(1, 40));
    if (kind === 2) return "x".repeat(random.between(200, 3000));
    if (kind === 3 && random.chance(0.2)) return random.bytes(random.between(16_000, 40_000));
    if (kind < 8) return String(random.between(-100, 100_000));
    return `v${random.integer(1000)}`;
  }

  #integer(): string {
    const random = this.#random;
    if (random.chance(0.03)) return random.pick(["abc", "", "99999999999999999999", "1.5", " 1"]);
    return String(random.between(-3, 12));
  }

  /** `low` and `high` bounds of scores: plain, open or infinite. */
  #bound(infinite: string): string {
    const score = this.#random.between(-5, 9);
    return this.#random.pick([String(score), `(${score}`, infinite, `${score}.5`]);
  }

  #script(): string {
    // Marked with the namespace: whether a script is known must depend on this connection only.
    return `-- ${this.#namespace}\n${this.#random.pick(SCRIPTS)}`;
  }

  readonly #makers: Readonly<Record<string, () => Argument>> = {
    value: () => this.#value(),
    element: () => this.#random.pick(["a", "b", "c", "10", "", "e\r\nf", "long".repeat(30)]),
    one: () => "only member",
    member: () => `m${this.#random.integer(6)}`,
    field: () => this.#random.pick(["f0", "f1", "f2", "", "f\0\n"]),
    count: () => `n${this.#random.integer(2)}`,
    int: () => this.#integer(),
    bit: () => this.#random.pick(["0", "1", "1", "2"]),
    offset: () => String(this.#random.integer(120)),
    float: () => this.#random.pick(["1.5", "-0.25", "3e2", "1", "nan", "x"]),
    score: () => this.#random.pick(["0", "1", "-2.5", "7", "inf", "1e3", "x"]),
    low: () => this.#bound("-inf"),
    high: () => this.#bound("+inf"),
    lexlow: () => this.#random.pick(["-", "[m1", "(m0", "[", "bad"]),
    lexhigh: () => this.#random.pick(["+", "[m4", "(m5", "[z"]),
    pattern: () => this.#random.pick(["*", "f*", "?1", "[^f]*"]),
    lon: () => this.#random.pick(["13.361389", "2.35", "-122.4", "200"]),
    lat: () => this.#random.pick(["38.115556", "48.85", "37.77"]),
    seconds: () => String(this.#seconds()),
    milliseconds: () => String(this.#seconds() * 1000),
    timestamp: () => String(this.#random.pick([FUTURE_SECONDS, FUTURE_SECONDS, 1, 0])),
    timestampms: () => String(this.#random.pick([FUTURE_SECONDS, FUTURE_SECONDS, 1]) * 1000),
    payload: () => this.#random.pick([...this.#payloads, Buffer.from("no payload")]),
    script: () => this.#script(),
    sha: () => createHash("sha1").update(this.#script()).digest("hex"),
  };
}
