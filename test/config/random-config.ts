/**
 * Random configurations: right and wrong values in many spellings of YAML, without the things in
 * which nutcracker and we differ on purpose (cases-differences.ts).
 */
import type { SeededRandom } from "../support/seeded-random.ts";

/** Texts that are right for a directive, and texts that are wrong. */
interface Texts {
  readonly right: readonly string[];
  readonly wrong: readonly string[];
}

const NUMBERS: Texts = {
  right: ["1", "400", "0009", "2147483647"],
  wrong: ["2147483648", "-5", "ten", "1.0"],
};
const BOOLEANS: Texts = { right: ["true", "false"], wrong: ["yes", "1", "True"] };
const LISTENS: Texts = {
  right: ["127.0.0.1:2", "0.0.0.0:3", "::1:4", "/tmp/a.sock", "/tmp/b 0600"],
  wrong: ["127.0.0.1:0", "x", ":5", "/tmp/c 1000"],
};

const DIRECTIVES: Readonly<Record<string, Texts>> = {
  hash: { right: ["md5", "crc16", "fnv1a_64", "murmur", "jenkins"], wrong: ["MD5", "sha1"] },
  hash_tag: { right: ["{}", "##", "é", "ab"], wrong: ["abc", "x"] },
  distribution: { right: ["ketama", "modula", "random"], wrong: ["rendezvous"] },
  timeout: NUMBERS,
  backlog: NUMBERS,
  client_connections: NUMBERS,
  redis: BOOLEANS,
  tcpkeepalive: BOOLEANS,
  redis_auth: { right: ["secret", "two words", "0777", "~"], wrong: ["null"] },
  redis_db: NUMBERS,
  preconnect: BOOLEANS,
  auto_eject_hosts: BOOLEANS,
  server_connections: { right: ["1", "16"], wrong: ["0", "many"] },
  server_retry_timeout: NUMBERS,
  server_failure_limit: NUMBERS,
};

const SERVERS = [
  ...["127.0.0.1:6379:1", "127.0.0.1:6380:1 a", "h:11211:2", "::1:1:1", "/tmp/s:1", "/tmp/s:1 b"],
  ...["h:1:1 c", "h:2:3", "h:3:1 d e", "h:4:0", "h:0:1", "h:5"],
];

/** One file, mostly right. */
export function randomConfig(random: SeededRandom): string {
  const pools = Array.from({ length: random.between(1, 3) }, (_, index) => {
    const name = random.chance(0.05) ? "twice" : `pool${index}`;
    return `${quoted(name, random)}:\n${randomPool(random, index)}`;
  });
  const text = `${random.chance(0.2) ? "# a comment\n" : ""}${pools.join(random.pick(["", "\n"]))}`;
  return random.chance(0.2) ? text.replaceAll("\n", "\r\n") : text;
}

function randomPool(random: SeededRandom, index: number): string {
  const indent = " ".repeat(random.between(1, 4));
  const entries = random
    .shuffle(Object.entries(DIRECTIVES))
    .slice(0, random.integer(8))
    .map(([key, texts]) => entry(key, valueOf(texts, random), random));
  if (random.chance(0.03)) entries.push("colour: blue");
  if (random.chance(0.03)) entries.push(...entries.slice(0, 1));
  const listen = random.chance(0.8) ? `127.0.0.1:${100 + index}` : valueOf(LISTENS, random);
  if (random.chance(0.97)) entries.push(entry("listen", listen, random));
  if (random.chance(0.97)) entries.push(servers(random));
  return random
    .shuffle(entries)
    .map((text) => `${indent}${text.replaceAll("\n", `\n${indent}`)}\n`)
    .join("");
}

function valueOf({ right, wrong }: Texts, random: SeededRandom): string {
  if (random.chance(0.01)) return "";
  return random.pick(random.chance(0.03) ? wrong : right);
}

function entry(key: string, text: string, random: SeededRandom): string {
  const written = random.chance(0.5) && text === "" ? "" : quoted(text, random);
  if (random.chance(0.1) && written !== "") return `${key}:\n  ${written}`;
  const comment = random.chance(0.2) ? " # a comment" : "";
  return `${quoted(key, random)}:${random.pick([" ", "  "])}${written}${comment}`;
}

function servers(random: SeededRandom): string {
  const dash = random.pick(["- ", "  - ", "    -   "]);
  const items = random
    .shuffle(SERVERS.slice(0, random.chance(0.1) ? SERVERS.length : 8))
    .slice(0, random.between(1, 5))
    .map((item) => `${dash}${quoted(item, random)}`);
  return ["servers:", ...items].join("\n");
}

/** A text plain where YAML can take it plain, or in quotes. */
function quoted(text: string, random: SeededRandom): string {
  const isPlain = !/^[{#]|^$/.test(text);
  if (isPlain && random.chance(0.7)) return text;
  return random.chance(0.5) ? `'${text}'` : `"${text}"`;
}
