/**
 * Functions and their lengths, in all spellings that the formatter leaves.
 */
import { expect, test } from "bun:test";
import { functionsOf } from "./shape.ts";
import { sourceFile } from "./source-file.ts";

const TEXT = `
export function plain(a: number): void {
  if (a) {
    run();
  } else {
    walk();
  }
}

export async function* long(
  a: number,
  { b, c }: Options,
): AsyncGenerator<{ d: string }> {
  for (const e of [
    1,
  ]) {
    yield e;
  }
}

export class Client extends Other {
  readonly field = {
    a: 1,
  };

  constructor(
    private readonly a: number,
  ) {
    super();
  }

  get #size(): number {
    return 1;
  }

  [Symbol.iterator]() {
    call({
      a: 1,
    });
  }
}

export const arrow = async (a: number): Promise<void> => {
  await run(a, () => {
    walk();
  });
};

function template(): string {
  return \`
}
\`;
}
`;

test("functions of all kinds are found, with their lines", () => {
  const found = functionsOf(sourceFile("src/lib/x.ts", TEXT));
  expect(found.map(({ name, start, end }) => `${name} ${start}-${end}`)).toEqual([
    "plain 2-8",
    "long 10-19",
    "constructor 26-30",
    "#size 32-34",
    "[Symbol.iterator] 36-40",
    "arrow 43-47",
    'the function after "await run(a, () => {" 44-46',
    "template 49-53",
  ]);
});
