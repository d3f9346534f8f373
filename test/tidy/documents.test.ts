/**
 * The comparison of README's tables with those of the code.
 */
import { describe, expect, test } from "bun:test";
import { findTableProblems } from "./documents.ts";
import { problemText, sourceFile } from "./source-file.ts";

describe("tables of README", () => {
  const rows = [
    { names: ["-c", "--conf-file"], defaultText: "a.yml" },
    { names: ["-d", "--daemonize"], defaultText: "off" },
  ];
  const table = (...lines: string[]) =>
    ["Words.", "", "| Option | Default | Meaning |", "| --- | --- | --- |", ...lines, ""].join(
      "\n",
    );
  const problems = (text: string) =>
    findTableProblems(sourceFile("README.md", text), "Option", rows, "a.ts").map(problemText);
  const conf = "| `-c`, `--conf-file` | `a.yml` | text |";
  const daemonize = "| `-d`, `--daemonize` | | text |";

  test("are complete", () => {
    expect(problems(table(conf, daemonize))).toEqual([]);
    expect(problems(table(conf))).toEqual([
      "README.md:1: has no row for -d, --daemonize (a.ts): add it",
    ]);
    expect(problems("nothing")).toHaveLength(2);
  });

  test("name nothing else", () => {
    const wrong = "| `-x`, `--extra` | | text |";
    expect(problems(table(conf, daemonize, wrong))).toEqual([
      "README.md:7: -x, --extra is not in a.ts: remove it",
    ]);
  });

  test("give the right defaults", () => {
    const wrong = "| `-c`, `--conf-file` | `b.yml` | text |";
    const silent = "| `-c`, `--conf-file` | none | text |";
    const message = "README.md:5: -c, --conf-file: the default is a.yml in a.ts: correct it";
    expect(problems(table(wrong, daemonize))).toEqual([message]);
    expect(problems(table(silent, daemonize))).toEqual([message]);
  });
});
