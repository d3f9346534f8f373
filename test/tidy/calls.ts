/**
 * Calls that only some folders may make, each with what to write instead; names of log places.
 */
import { basename } from "node:path/posix";
import {
  type Check,
  lineAt,
  type Problem,
  problemsAt,
  type SourceFile,
  sourcesOf,
} from "./source-file.ts";

interface BannedCall {
  readonly name: string;
  readonly pattern: RegExp;
  /** Beginnings of the paths in src where it is right. */
  readonly allowedIn: readonly string[];
  readonly instead: string;
}

const BANNED_CALLS: readonly BannedCall[] = [
  {
    name: "process.exit",
    pattern: /\bprocess\.(?:exit|abort|reallyExit)\b/g,
    allowedIn: ["src/main.ts", "src/cli/", "src/process/"],
    instead: "throw a ProxyError (src/lib/errors.ts), or return what happened",
  },
  {
    name: "console",
    pattern: /\bconsole\.\w+/g,
    allowedIn: ["src/cli/"],
    instead: "use the Logger (src/log/logger.ts)",
  },
  {
    name: "the clock",
    pattern: /\b(?:Date\.now|performance\.\w+|new Date\(\)|process\.hrtime|Bun\.nanoseconds)/g,
    allowedIn: ["src/lib/clock.ts"],
    instead: "use nowMs(), wallClockMs() or wallClockUs() of src/lib/clock.ts",
  },
  {
    name: "end() of a socket with data",
    pattern: /\b\w*[sS]ocket\.end\((?!\s*\))/g,
    allowedIn: [],
    instead: "Bun drops what the kernel does not take at once: write() the bytes, then shutdown()",
  },
];

const bannedCallsCheck: Check = {
  name: "calls stay where they belong",
  find: (files) =>
    BANNED_CALLS.flatMap(({ name, pattern, allowedIn, instead }) =>
      sourcesOf(files)
        .filter((file) => !allowedIn.some((start) => file.path.startsWith(start)))
        .flatMap((file) => problemsAt(file, pattern, `${name} has no place here: ${instead}`)),
    ),
};

const SOCKET_WRITE = /\b\w*[sS]ocket\.write\(/g;

const socketWriteCheck: Check = {
  name: "socket.write has three arguments",
  find: (files) =>
    sourcesOf(files).flatMap((file) =>
      [...file.code.matchAll(SOCKET_WRITE)].flatMap((match): Problem[] => {
        const count = argumentCount(file.code, match.index + match[0].length);
        if (count === 3) return [];
        const message = `socket.write with ${count} of 3 arguments: write (bytes, start, length)`;
        return [{ path: file.path, line: lineAt(file.code, match.index), message }];
      }),
    ),
};

/** Counts the arguments of a call. @param start the index after its opening parenthesis */
function argumentCount(code: string, start: number): number {
  let depth = 1;
  let count = 0;
  let hasWords = false;
  for (let index = start; index < code.length && depth > 0; index += 1) {
    const sign = code[index] ?? "";
    if ("([{".includes(sign)) depth += 1;
    if (")]}".includes(sign)) depth -= 1;
    const isEndOfArgument = (sign === "," && depth === 1) || depth === 0;
    if (isEndOfArgument && hasWords) count += 1;
    if (isEndOfArgument) hasWords = false;
    else if (sign.trim() !== "") hasWords = true;
  }
  return count;
}

const LOG_CALL = /\b\w*[lL]og(?:ger)?\.(?:always|error|warn|notice|info|debug)\(\s*(["'`])/g;

const logPlacesCheck: Check = {
  name: "log places name their file, with a number of their own",
  find: (files) => sourcesOf(files).flatMap(findLogPlaceProblems),
};

function findLogPlaceProblems(file: SourceFile): Problem[] {
  const seen = new Set<string>();
  return [...file.code.matchAll(LOG_CALL)].flatMap((match) => {
    const start = match.index + match[0].length;
    const place = file.text.slice(start, file.code.indexOf(match[1] ?? '"', start));
    const line = lineAt(file.code, match.index);
    const isNamed = new RegExp(`^${basename(file.path).replace(".", "\\.")}:\\d+$`).test(place);
    const isSeen = seen.has(place);
    seen.add(place);
    const wanted = `"${basename(file.path)}:N" with the next free number N`;
    if (!isNamed)
      return [{ path: file.path, line, message: `log place "${place}": use ${wanted}` }];
    return isSeen ? [{ path: file.path, line, message: `"${place}" is taken: use ${wanted}` }] : [];
  });
}

export const CALL_CHECKS = [bannedCallsCheck, socketWriteCheck, logPlacesCheck];
