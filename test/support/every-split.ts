/**
 * Every way a stream may cut bytes: whole, byte by byte, and in two at every position.
 *
 * A parser that gives the same marks for each of them has no state it forgets.
 */

export interface Split {
  /** For messages: `whole`, `byte by byte`, `cut at 17`. */
  readonly label: string;
  readonly pieces: readonly Uint8Array[];
}

/** Lists the splits of a byte string. Pieces are copies, as a socket would hand them over. */
export function* splitsOf(bytes: Uint8Array): Generator<Split> {
  yield { label: "whole", pieces: [bytes.slice()] };
  const single: Uint8Array[] = [];
  for (let index = 0; index < bytes.length; index++) single.push(bytes.slice(index, index + 1));
  yield { label: "byte by byte", pieces: single };
  for (let position = 1; position < bytes.length; position++) {
    yield {
      label: `cut at ${position}`,
      pieces: [bytes.slice(0, position), bytes.slice(position)],
    };
  }
}

/**
 * Feeds every split to a consumer; an error of the consumer says which split it was.
 *
 * @param consume called once per split, with fresh state each time
 */
export function everySplit(
  bytes: Uint8Array | string,
  consume: (pieces: readonly Uint8Array[], label: string) => void,
): void {
  const text = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  for (const split of splitsOf(text)) {
    try {
      consume(split.pieces, split.label);
    } catch (error) {
      const shown = JSON.stringify(Buffer.from(text.subarray(0, 200)).toString("latin1"));
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${split.label} of ${shown}: ${reason}`, { cause: error });
    }
  }
}
