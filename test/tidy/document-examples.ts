/**
 * Small projects for documents.ts. What they must hold and this file must not is put in pieces.
 */
import type { Example } from "./example.ts";

const UNDONE = "TO" + "DO";
const HOST = "registry" + ".example.org";
const HOME = "/ho" + "me/anna/project";

export const DOCUMENT_EXAMPLES: readonly Example[] = [
  {
    check: "nothing is left undone",
    bad: [
      [{ "src/lib/a.ts": `a;\n// ${UNDONE}: later` }, "src/lib/a.ts:2: leaves work undone"],
      [{ "README.md": `${"FIX" + "ME"}!` }, "README.md:1: leaves work undone"],
    ],
    good: [{ "README.md": "SET key value XX", "bun.lock": `sha512-+${UNDONE}+` }],
  },
  {
    check: "no path of one machine",
    bad: [[{ "README.md": `\nsee ${HOME}` }, "README.md:2: names a path of one machine"]],
    good: [{ "README.md": "conf/root.yml, src/root/a.ts, /etc/nutcracker/nutcracker.yml" }],
  },
  {
    check: "no package registry is named",
    bad: [
      [{ "README.md": `npm i --from=${HOST}` }, "README.md:1: names a package registry"],
      [{ "bunfig.toml": `[install]\n${"registry" + " = "}"a"` }, "bunfig.toml:2: names a package"],
    ],
    good: [{ "README.md": "from the npm registry." }],
  },
  {
    check: "no .npmrc in the project",
    bad: [[{ "bench/.npmrc": "" }, "bench/.npmrc:1: sets up npm for everybody"]],
    good: [{ "package.json": "{}" }],
  },
  {
    check: "bun.lock holds no address",
    bad: [
      [{ "bun.lock": '{\n  "yaml": ["https://a.b/yaml.tgz"],\n}' }, "bun.lock:2: holds an address"],
      [{ "bun.lock": '["http://a.b/yaml.tgz"]' }, "bun.lock:1: holds an address"],
    ],
    good: [{ "bun.lock": '["yaml@2.9.1", "", {}]', "README.md": "https://example.org" }],
  },
  {
    check: "every path in ARCHITECTURE.md exists",
    bad: [
      [
        { "ARCHITECTURE.md": "\nsee `src/lib/gone.ts`" },
        "ARCHITECTURE.md:2: src/lib/gone.ts does not",
      ],
      [
        { "ARCHITECTURE.md": "| a | `lib/gone.ts`, b |" },
        "ARCHITECTURE.md:1: lib/gone.ts does not",
      ],
      [{ "ARCHITECTURE.md": "in gone.mjs" }, "ARCHITECTURE.md:1: gone.mjs does not exist"],
      [{ "ARCHITECTURE.md": "| `src/gone/` |" }, "ARCHITECTURE.md:1: src/gone/ does not exist"],
    ],
    good: [
      {
        "ARCHITECTURE.md":
          "`lib/a.ts`, `src/lib/a.ts`, `a.ts`, `lib/`, `src/lib/`, test/a.test.ts; " +
          "`file.ts:N`, `nc_core.c`, `*.bench.ts`, `<file>.test.ts`, and/or, `@types/bun`",
        "src/lib/a.ts": "",
        "test/a.test.ts": "",
      },
    ],
  },
  {
    check: "every example configuration is mentioned in README or in a test",
    bad: [[{ "conf/a.yml": "", "README.md": "conf/b.yml" }, "conf/a.yml:1: nothing mentions it"]],
    good: [
      { "conf/a.yml": "", "README.md": "see conf/a.yml" },
      { "conf/a.yml": "", "test/a.test.ts": 'load("conf/a.yml")', "conf/a.txt": "" },
    ],
  },
];
