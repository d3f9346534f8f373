/**
 * Fuzzers of what takes a text and returns a value: configuration, command line, routing and
 * handshakes.
 */
import { parseOptions } from "../../src/cli/options.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { parseConfig } from "../../src/config/load.ts";
import { hashFunction, HASH_NAMES } from "../../src/hash/hashes.ts";
import { ProxyError } from "../../src/lib/errors.ts";
import { ParseStatus } from "../../src/protocol/protocol.ts";
import { redisHandshake } from "../../src/protocol/redis/handshake.ts";
import { RedisResponseParser } from "../../src/protocol/redis/response-parser.ts";
import { DISTRIBUTION_NAMES } from "../../src/routing/distributions.ts";
import { Router } from "../../src/routing/router.ts";
import { randomConfig } from "../config/random-config.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Fuzzer, FuzzTarget } from "./fuzzer.ts";
import { ensure, escaped, KEPT_BYTES_MAX, Tally } from "./fuzzer.ts";
import { mutate } from "./mutate.ts";
import { replyStream } from "./redis-streams.ts";
import { readRedisReply } from "./reference-redis-response.ts";

export const FUNCTION_FUZZERS: readonly Fuzzer[] = [
  {
    name: "redis-handshake",
    feeds: "replies to AUTH, HELLO and SELECT, right and damaged",
    checks: "an error is a refusal of one line that clients can read; anything else is none",
    smokeRuns: 2000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new HandshakeTarget(),
  },
  {
    name: "router",
    feeds: "keys and hash tags of any bytes, with every hash and distribution",
    checks: "the server is that of the part between the tags, wherever the key lies",
    smokeRuns: 2000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new RouterTarget(),
  },
  {
    name: "config",
    feeds: "configuration files, right and damaged",
    checks: "the outcome is a frozen Config, or a ConfigError with mistakes of one line each",
    smokeRuns: 150,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new ConfigTarget(),
  },
  {
    name: "command-line",
    feeds: "words of a command line, right and damaged",
    checks: "the outcome is options, or a ProxyError of one line",
    smokeRuns: 1000,
    keptBytesMax: KEPT_BYTES_MAX,
    start: () => new CommandLineTarget(),
  },
];

const HANDSHAKE_REPLIES = [
  ...[
    "+OK\r\n",
    "-WRONGPASS invalid username-password pair\r\n",
    "-ERR DB index is out of range\r\n",
  ],
  ...["-ERR Client sent AUTH, but no password is set\r\n", "-ERR unknown command 'HELLO'\r\n"],
  "-ERR AUTH <password> called without any password configured for the default user\r\n",
  "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n",
];

class HandshakeTarget implements FuzzTarget {
  readonly #handshake = redisHandshake({ password: "secret", protocolVersion: 3, database: 5 })!;
  readonly #parser = new RedisResponseParser();

  make(random: SeededRandom): Buffer {
    if (random.chance(0.4)) return replyStream(random);
    const text = Buffer.from(random.pick(HANDSHAKE_REPLIES));
    return random.chance(0.3) ? text : mutate(random, text, HANDSHAKE_REPLIES);
  }

  check(input: Buffer): void {
    const parser = this.#parser;
    parser.reset();
    if (input.length === 0) return;
    const end = parser.parse(input, 0, input.length);
    if (parser.status !== ParseStatus.Complete) return;
    const reply = input.subarray(0, end);
    const text = reply.toString("latin1");
    const isTold = /without any password configured|no password is set/.test(text);
    const refusal = this.#handshake.refusal(reply);
    if (refusal === null) {
      return ensure(!parser.isError || isTold, () => "an error is no refusal");
    }
    ensure(parser.isError, () => `${escaped(reply)} is a refusal`);
    const found = readRedisReply(refusal.toString("latin1"), 0);
    const isOne = found.status === ParseStatus.Complete && found.end === refusal.length;
    ensure(isOne && refusal[0] === 0x2d, () => `clients read ${escaped(refusal)}`);
  }
}

class RouterTarget implements FuzzTarget {
  readonly #routers = new Map<string, Router>();

  make(random: SeededRandom): Buffer {
    const parts = Array.from({ length: random.integer(6) }, () =>
      random.pick(["{", "}", "{}", "user", "\0", "\xff\xfe", "a{b}c", "x".repeat(40)]),
    );
    return mutate(random, Buffer.from(parts.join(""), "latin1"), ["{", "}", "{}", "#"]);
  }

  check(input: Buffer, random: SeededRandom): void {
    const hash = random.pick(HASH_NAMES);
    const distribution = random.pick(DISTRIBUTION_NAMES.filter((name) => name !== "random"));
    const tag = random.pick(["{}", "##", "\0\xff", "ab"]);
    const count = random.pick([1, 2, 5]);
    const plain = this.#router(hash, distribution, "", count);
    const tagged = this.#router(hash, distribution, tag, count);
    const open = input.indexOf(tag.charCodeAt(0));
    const close = open < 0 ? -1 : input.indexOf(tag.charCodeAt(1), open + 1);
    const counts = close > open + 1 ? input.subarray(open + 1, close) : input;
    const expected = plain.serverIndexOf(Buffer.from(counts), 0, counts.length);
    ensure(expected >= 0 && expected < count, () => `server ${expected} of ${count}`);
    // What lies around the key must not count.
    const before = random.integer(9);
    const around = Buffer.concat([random.bytes(before), input, Buffer.from(`${tag}}`, "latin1")]);
    const found = tagged.serverIndexOf(around, before, before + input.length);
    ensure(found === expected, () => `${hash} ${distribution} "${tag}": ${found}, not ${expected}`);
  }

  #router(
    hash: (typeof HASH_NAMES)[number],
    distribution: (typeof DISTRIBUTION_NAMES)[number],
    tag: string,
    count: number,
  ): Router {
    const name = `${hash} ${distribution} ${tag} ${count}`;
    let router = this.#routers.get(name);
    if (router === undefined) {
      router = new Router({
        hash: hashFunction(hash),
        distribution,
        hashTag: tag === "" ? null : Buffer.from(tag, "latin1"),
        servers: Array.from({ length: count }, (_, i) => ({ name: `s${i}`, weight: 1 + i })),
      });
      this.#routers.set(name, router);
    }
    return router;
  }
}

const YAML_WORDS = [
  ...[
    "- ",
    ": ",
    "\n  ",
    "\t",
    "\r\n",
    "#",
    "'",
    '"',
    "[",
    "{",
    "[[",
    "{a: ",
    "&a ",
    "*a",
    "!!str ",
  ],
  ...["---\n", "...\n", "%YAML 1.2\n", "|\n", ">\n", "? ", "<<: *a\n", "\ufeff", "\u2028", "~"],
  ...["alpha:\n", "  servers:\n", "   - 127.0.0.1:1:1\n", "  listen: 127.0.0.1:2\n", "\\u0000"],
];

class ConfigTarget implements FuzzTarget {
  readonly #tally = new Tally();

  make(random: SeededRandom): Buffer {
    const text = Buffer.from(randomConfig(random));
    return random.chance(0.1) ? text : mutate(random, text, YAML_WORDS);
  }

  check(input: Buffer): void {
    try {
      const config = parseConfig(input, "fuzz.yml");
      this.#tally.add("right");
      ensure(Object.isFrozen(config) && config.pools.length > 0, () => "no frozen pools");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#tally.add("wrong");
      ensure(error.mistakes.length > 0, () => "a ConfigError without a mistake");
      for (const { legacyLine, found } of error.mistakes) {
        ensure(!/[\r\n]/.test(legacyLine + found), () => `not one line: ${legacyLine} ${found}`);
      }
    }
  }

  tally(): string {
    return this.#tally.toString();
  }
}

const OPTION_WORDS = [
  ...["-c", "--conf-file=a.yml", "-v", "11", "-v99999999999", "-dt", "--", "-", "--verb", "-m512"],
  ...["--mbuf-size", "16384", "-s", "22222", "-w", "auto", "-i-1", "-x", "--=", "-p", "--stats-"],
];

/** The words lie in the input with zero bytes between them, as in /proc. */
class CommandLineTarget implements FuzzTarget {
  make(random: SeededRandom): Buffer {
    const words = Array.from({ length: random.integer(7) }, () => random.pick(OPTION_WORDS));
    const bytes = Buffer.from(words.join("\0"));
    return random.chance(0.3) ? bytes : mutate(random, bytes, OPTION_WORDS);
  }

  check(input: Buffer): void {
    try {
      const { mbufSizeBytes, workers } = parseOptions(input.toString("utf8").split("\0"));
      ensure(
        mbufSizeBytes >= 512 && (workers ?? 1) >= 1,
        () => `-m ${mbufSizeBytes} -w ${workers}`,
      );
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
    }
  }
}
