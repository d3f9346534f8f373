/**
 * What the options mean: values, ranges, and nutcracker's words for bad ones.
 */
import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { DEFAULT_OPTIONS, OPTION_ROWS, parseOptions } from "../../src/cli/options.ts";
import type { Options } from "../../src/cli/options.ts";

test("without words everything is as upstream's nutcracker has it", () => {
  expect(parseOptions([])).toEqual({
    showHelp: false,
    showVersion: false,
    testConfig: false,
    daemonize: false,
    describeStats: false,
    verbosity: 5,
    logFile: null,
    configFile: "conf/nutcracker.yml",
    statsPort: 22222,
    statsAddress: "0.0.0.0",
    statsIntervalMs: 30000,
    pidFile: null,
    mbufSizeBytes: 16384,
    workers: null,
  });
});

const VALUES: readonly (readonly [words: string, change: Partial<Options>])[] = [
  ["-d", { daemonize: true }],
  ["-t", { testConfig: true }],
  ["-V", { showVersion: true }],
  ["-h", { showHelp: true, showVersion: true }],
  ["-D", { describeStats: true, showVersion: true }],
  ["-v 0", { verbosity: 0 }],
  ["-v 007", { verbosity: 7 }],
  ["-v 2147483647", { verbosity: 2147483647 }],
  ["-o /x/y.log", { logFile: "/x/y.log" }],
  ["--output=", { logFile: null }],
  ["-o a --output=", { logFile: null }],
  ["-c a.yml", { configFile: "a.yml" }],
  ["-s 1", { statsPort: 1 }],
  ["-s 65535", { statsPort: 65535 }],
  ["-a ::1", { statsAddress: "::1" }],
  ["--stats-addr=", { statsAddress: "" }],
  ["-i 0", { statsIntervalMs: 0 }],
  ["-p x.pid", { pidFile: "x.pid" }],
  ["--pid-file=", { pidFile: "" }],
  ["-m 512", { mbufSizeBytes: 512 }],
  ["-m 16777216", { mbufSizeBytes: 16777216 }],
  ["-w 1", { workers: 1 }],
  ["-w 256", { workers: 256 }],
  ["--workers=2", { workers: 2 }],
  ["-w auto", { workers: availableParallelism() }],
  ["-c a -s 5 -c b", { configFile: "b", statsPort: 5 }],
];

test.each(VALUES)("%s", (words, change) => {
  expect(parseOptions(words.split(" "))).toEqual({ ...DEFAULT_OPTIONS, ...change });
});

const NUMBER = (letter: string) => `option -${letter} requires a number`;
const PORT = (value: string) => `option -s value ${value} is not a valid port`;
const SIZE = "mbuf chunk size must be between 512 and 16777216 bytes";
const WORKERS = "option -w requires a number or auto";
const COUNT = "number of workers must be between 1 and 256";
const NOT_ZERO = "option -m requires a non-zero number";

const REFUSALS: readonly (readonly [words: readonly string[], text: string])[] = [
  ...[
    "x",
    "-1",
    "+1",
    " 1",
    "1 ",
    "0x10",
    "1e3",
    "1.5",
    "",
    "٣",
    "99999999999",
    "2147483648",
  ].flatMap((value) =>
    ["v", "s", "i"].map((letter) => [[`-${letter}`, value], NUMBER(letter)] as const),
  ),
  [["-s", "0"], PORT("0")],
  [["-s", "70000"], PORT("70000")],
  [["-s", "65536"], PORT("65536")],
  [["-m", "0"], NOT_ZERO],
  [["-m", "x"], NOT_ZERO],
  [["-m", ""], NOT_ZERO],
  [["-m", "4294983680"], NOT_ZERO],
  [["-m", "511"], SIZE],
  [["-m", "16777217"], SIZE],
  ...["x", "", "-1", "Auto", "1.5"].map((value) => [["-w", value], WORKERS] as const),
  [["-w", "0"], COUNT],
  [["-w", "257"], COUNT],
  [["-o"], "option -o requires a file name"],
  [["-c"], "option -c requires a file name"],
  [["--pid-file"], "option -p requires a file name"],
  [["-a"], "option -a requires a string"],
  ...["m", "v", "s", "i", "w"].map((letter) => [[`-${letter}`], NUMBER(letter)] as const),
  [["-x"], "invalid option -- 'x'"],
  [["--nothing"], "invalid option -- '\0'"],
  [["--help=1"], "invalid option -- 'h'"],
  [["-s", "x", "-v", "x"], NUMBER("s")],
];

test.each(REFUSALS)("%j is refused", (words, text) => {
  expect(refusalOf(words).split("\n")[0]).toBe(text);
});

test.each([
  [["-w", "0"], COUNT, "0"],
  [["-w", "x"], WORKERS, "x"],
  [["-m", "5"], SIZE, "5"],
  [["-v", "a\nb"], NUMBER("v"), "a\\x0ab"],
])("%j: what was found is on a line of its own", (words, text, found) => {
  expect(refusalOf(words)).toBe(`${text}\nnutcracker: found '${found}'`);
});

function refusalOf(words: readonly string[]): string {
  try {
    parseOptions(words);
  } catch (error) {
    expect(error).toMatchObject({ code: "OPTION_INVALID" });
    return (error as Error).message;
  }
  throw new Error("it is accepted");
}

test("every option is in the table once", () => {
  expect(OPTION_ROWS.map((row) => row.letter).join("")).toBe("hVtdDvocsaipmw");
  expect(new Set(OPTION_ROWS.map((row) => row.name)).size).toBe(OPTION_ROWS.length);
  for (const row of OPTION_ROWS) expect(row.takesArgument).toBe(row.argument !== "");
});
