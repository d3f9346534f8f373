/**
 * Texts of the command line against Debian's nutcracker, byte for byte. Debian changes three
 * defaults and shows them in its usage; they are put back before comparing. The one option that is
 * ours alone has one line, at the end of the list.
 */
import { expect, test } from "bun:test";
import { ProxyError } from "../../src/lib/errors.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { badOptionText, descriptionText } from "../../src/cli/usage.ts";
import { nutcracker, ORACLE_ABSENT } from "../support/oracle.ts";
import { type SeededRandom, withSeed } from "../support/seeded-random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROUNDS = 150;

const LAST_LINE = "set size of mbuf chunk in bytes (default: 16384 bytes)\r\n";
const OUR_LINE =
  "  -w, --workers=N        : set number of worker processes, or auto (default: 1)\r\n";

interface Outcome {
  readonly text: string;
  readonly status: number;
}

const LAST_STATISTIC = /  out_queue_bytes .*\n/;
const OUR_STATISTIC = '  server_state        "healthy, suspect, probing or ejected"\n';

/** What we print for words that do not start a run. */
function ourOutcome(words: readonly string[]): Outcome {
  try {
    return { text: descriptionText(parseOptions(words)), status: 0 };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    // Our line about what was found comes below nutcracker's first one.
    const text = badOptionText(error.message).replace(/\nnutcracker: found '.*'\n/, "\n");
    return { text, status: 1 };
  }
}

function nutcrackerOutcome(folder: string, words: readonly string[]): Outcome {
  const command = [...(nutcracker ?? []), ...words];
  const result = Bun.spawnSync(command, { cwd: folder, stdin: "ignore" });
  expect(result.stdout.length).toBe(0);
  const text = result.stderr
    .toString()
    .replace("(default: /var/log/nutcracker/nutcracker.log)", "(default: stderr)")
    .replace("(default: /etc/nutcracker/nutcracker.yml)", "(default: conf/nutcracker.yml)")
    .replace("(default: /run/nutcracker/nutcracker.pid)", "(default: off)")
    .replace(LAST_LINE, (line) => line + OUR_LINE)
    .replace(LAST_STATISTIC, (line) => line + OUR_STATISTIC);
  return { text, status: result.exitCode };
}

const COMMAND_LINES = [
  ...["-h", "-V", "-D", "-hD", "-D -h", "-V -D", "-tV", "-dV", "--help", "--vers", "--desc"],
  ...["--ver", "--badopt", "--help=1", "--version=", "-x", "-Vx", "-?", "-:"],
  ...["-c", "-o", "-p", "-a", "-m", "-v", "-s", "-i", "--conf-file", "--mbuf", "--stats"],
  ...["-s 0", "-s 70000", "-s x", "-m 0", "-m 511", "-m 16777217", "-m -1", "-m -V", "-v -1"],
  ...["-v 2147483648", "-s 2147483648", "-i 2147483648", "-m 2147483648", "-V -v 12"],
];

test.skipIf(nutcracker === null).each(COMMAND_LINES)(`nutcracker %s${ORACLE_ABSENT}`, (line) => {
  const words = line.split(" ");
  expect(ourOutcome(words)).toEqual(nutcrackerOutcome(temporaryFolder("usage"), words));
});

const WORDS = [
  ..."hVtdDvocsaipmx?-",
  ...["help", "version", "test-conf", "daemonize", "describe-stats", "verbose", "output"],
  ...["conf-file", "stats-port", "stats-addr", "stats-interval", "pid-file", "mbuf-size"],
];
const ARGUMENTS = ["", "0", "1", "600", "70000", "x", "-V", "--", "/tmp/x", "16384", "0600", "1 "];

function randomWord(random: SeededRandom): string {
  const name = random.pick(WORDS);
  const isLong = name.length > 1;
  if (random.chance(0.2)) return random.pick(ARGUMENTS);
  if (!isLong) return `-${name}${random.chance(0.3) ? random.pick(WORDS.slice(0, 16)) : ""}`;
  const shortened = random.chance(0.3) ? name.slice(0, random.between(1, name.length)) : name;
  return `--${shortened}${random.chance(0.3) ? `=${random.pick(ARGUMENTS)}` : ""}`;
}

test.skipIf(nutcracker === null)(`random command lines${ORACLE_ABSENT}`, () =>
  withSeed((random) => {
    const folder = temporaryFolder("usage");
    for (let round = 0; round < ROUNDS; round++) {
      // -V first: whatever follows, the proxy is not started.
      const words = [
        "-V",
        ...Array.from({ length: random.between(1, 5) }, () => randomWord(random)),
      ];
      expect([words, ourOutcome(words)]).toEqual([words, nutcrackerOutcome(folder, words)]);
    }
  }),
);
