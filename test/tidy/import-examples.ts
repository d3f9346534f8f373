/**
 * Small projects for imports.ts: circles, floors and orphans, and how they look when all is well.
 */
import type { Example } from "./example.ts";

const MAIN = { "src/main.ts": 'import { a } from "./cli/cli.ts";\n' };

export const IMPORT_EXAMPLES: readonly Example[] = [
  {
    check: "imports only go down, and neighbours do not import each other",
    bad: [
      [
        { "src/lib/a.ts": '\nimport { b } from "../proxy/b.ts";' },
        "src/lib/a.ts:2: lib (floor 0) imports proxy (floor 4), which is above it",
      ],
      [
        { "src/log/a.ts": 'import type { B } from "../hash/b.ts";' },
        "src/log/a.ts:1: log (floor 1) imports hash (floor 1), its neighbour",
      ],
      [
        { "src/log/a.ts": 'let a: import("../stats/b.ts").B;' },
        "src/log/a.ts:1: log (floor 1) imports stats (floor 1), its neighbour",
      ],
      [
        { "src/log/a.ts": 'export {\n  b,\n} from "../cli/b.ts";' },
        "src/log/a.ts:3: log (floor 1) imports cli (floor 6), which is above it",
      ],
      [
        { "src/protocol/redis/a.ts": 'import { b } from "../memcached/b.ts";' },
        "src/protocol/redis/a.ts:1: imports its twin src/protocol/memcached/b.ts",
      ],
      [
        { "src/protocol/memcached/a.ts": 'import "../redis/b.ts";' },
        "src/protocol/memcached/a.ts:1: imports its twin src/protocol/redis/b.ts",
      ],
      [
        { "src/main.ts": 'import { a } from "./lib/a.ts";' },
        "src/main.ts:1: imports src/lib/a.ts: import only cli/ here",
      ],
      [
        { "src/cli/a.ts": 'import { b } from "../main.ts";' },
        "src/cli/a.ts:1: cli (floor 6) imports main.ts (floor 7), which is above it",
      ],
      [
        { "src/tools/a.ts": 'import { b } from "../lib/b.ts";' },
        "src/tools/a.ts:1: tools has no floor",
      ],
      [
        { "src/lib/a.ts": 'const a = await import("../../test/b.ts");' },
        "src/lib/a.ts:1: imports test/b.ts, but src knows only src",
      ],
    ],
    good: [
      {
        ...MAIN,
        "src/proxy/a.ts": 'import { b } from "../routing/b.ts";\nimport { c } from "./c.ts";',
        "src/protocol/table.ts": 'import "./redis/b.ts";\nimport "./memcached/b.ts";',
        "src/log/a.ts": '// import { b } from "../cli/b.ts";\nconst text = \'from "../cli/b.ts"\';',
      },
    ],
  },
  {
    check: "imports name an existing .ts file, a part of Bun, or an allowed package",
    bad: [
      [{ "src/lib/a.ts": 'import { b } from "./b";' }, "src/lib/a.ts:1: imports src/lib/b: write"],
      [
        { "src/lib/a.ts": 'import { b } from "./b.ts";' },
        "src/lib/a.ts:1: imports src/lib/b.ts, which does not exist",
      ],
      [{ "src/lib/a.ts": 'import Redis from "ioredis";' }, "imports the package ioredis"],
      [{ "src/cli/a.ts": 'import { parse } from "yaml";' }, "imports yaml: only src/config/ may"],
    ],
    good: [
      {
        "src/config/a.ts":
          'import { parse } from "yaml";\nimport { b } from "./b.ts";\nimport fs from "node:fs";',
        "src/config/b.ts": 'import { dlopen } from "bun:ffi";\nimport type { Socket } from "bun";',
      },
    ],
  },
  {
    check: "no circles of imports",
    bad: [
      [
        {
          "src/lib/a.ts": 'import { b } from "./b.ts";',
          "src/lib/b.ts": '\nimport type { C } from "./c.ts";',
          "src/lib/c.ts": '\n\nimport { a } from "./a.ts";',
        },
        "src/lib/c.ts:3: closes a circle, src/lib/a.ts -> src/lib/b.ts -> src/lib/c.ts -> src/lib/a.ts",
      ],
      [{ "src/lib/a.ts": 'import { a } from "./a.ts";' }, "src/lib/a.ts:1: closes a circle"],
    ],
    good: [
      {
        "src/lib/a.ts": 'import { b } from "./b.ts";\nimport { c } from "./c.ts";',
        "src/lib/b.ts": 'import { c } from "./c.ts";',
        "src/lib/c.ts": "",
      },
    ],
  },
  {
    check: "every file of src is used by the program",
    bad: [
      [{ ...MAIN, "src/cli/cli.ts": "", "src/lib/a.ts": "" }, "src/lib/a.ts:1: nothing imports it"],
      [{ "src/lib/a.ts": "" }, "src/main.ts:1: does not exist"],
      [
        {
          ...MAIN,
          "src/cli/cli.ts": "",
          "src/lib/a.ts": "",
          "test/a.test.ts": 'import "../src/lib/a.ts"',
        },
        "src/lib/a.ts:1: nothing imports it",
      ],
    ],
    good: [
      { ...MAIN, "src/cli/cli.ts": 'import "../lib/a.ts";', "src/lib/a.ts": "", "bench/b.ts": "" },
    ],
  },
  {
    check: "scripts do not lean on test",
    bad: [
      [
        { "scripts/demo/a.ts": 'import { b } from "../../test/support/b.ts";' },
        "scripts/demo/a.ts:1: imports test/support/b.ts",
      ],
    ],
    good: [{ "scripts/demo/a.ts": 'import { b } from "./b.ts";' }],
  },
];
