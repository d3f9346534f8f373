/**
 * Small projects for calls.ts: calls in their place and out of it.
 */
import type { Example } from "./example.ts";

export const CALL_EXAMPLES: readonly Example[] = [
  {
    check: "calls stay where they belong",
    bad: [
      [{ "src/proxy/a.ts": "a;\nprocess.exit(1);" }, "src/proxy/a.ts:2: process.exit has no place"],
      [
        { "src/process/a.ts": 'console.log("a");' },
        "src/process/a.ts:1: console has no place here",
      ],
      [{ "src/cli/a.ts": "const a = Date.now();" }, "src/cli/a.ts:1: the clock has no place here"],
      [{ "src/cli/a.ts": "f(`${performance.now()} ms`);" }, "src/cli/a.ts:1: the clock"],
      [{ "src/log/a.ts": "const a = new Date();" }, "src/log/a.ts:1: the clock has no place here"],
      [{ "src/proxy/a.ts": "this.#socket.end(bytes);" }, "src/proxy/a.ts:1: end() of a socket"],
    ],
    good: [
      {
        "src/main.ts": "process.exit(1);",
        "src/cli/a.ts": "console.error(1); process.exit(2);",
        "src/process/a.ts": "process.exit(3);",
        "src/lib/clock.ts": "performance.now() + Date.now();",
        "src/proxy/a.ts": 'socket.end();\n// process.exit\nconst a = "Date.now()"; word.end(1);',
        "src/log/a.ts": "new Date(wallClockMs());",
        "test/a.ts": "console.log(Date.now());",
      },
    ],
  },
  {
    check: "socket.write has three arguments",
    bad: [
      [{ "src/proxy/a.ts": "\nsocket.write(bytes, start);" }, "a.ts:2: socket.write with 2 of 3"],
      [{ "src/proxy/a.ts": 'this.clientSocket.write("a, b, c");' }, "socket.write with 1 of 3"],
      [{ "src/proxy/a.ts": "socket.write(f(a, b), [c, d], 1, 2);" }, "socket.write with 4 of 3"],
      [{ "src/proxy/a.ts": "socket.write();" }, "socket.write with 0 of 3"],
    ],
    good: [
      {
        "src/proxy/a.ts": "this.#socket.write(bytes, 0, bytes.length);\noutput.write(bytes);",
        "src/proxy/b.ts": "socket.write(\n  bytes(a, b),\n  0,\n  size,\n);",
      },
    ],
  },
  {
    check: "log places name their file, with a number of their own",
    bad: [
      [
        { "src/proxy/a.ts": '\nlog.error("b.ts:1", "text");' },
        'a.ts:2: log place "b.ts:1": use "a.ts:N"',
      ],
      [{ "src/proxy/a.ts": 'this.#log.warn("a.ts", text);' }, 'log place "a.ts": use "a.ts:N"'],
      [
        { "src/proxy/a.ts": 'log.error("a.ts:1", a);\nlogger.info(\n  "a.ts:1",\n  b,\n);' },
        'src/proxy/a.ts:2: "a.ts:1" is taken',
      ],
    ],
    good: [
      {
        "src/proxy/a.ts": 'log.error("a.ts:1", a);\nthis.log.notice("a.ts:2", b);',
        "src/proxy/b.ts": 'log.error("b.ts:1", a); math.log("c.ts:1");',
      },
    ],
  },
];
